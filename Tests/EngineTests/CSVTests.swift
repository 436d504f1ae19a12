import Events
import Files
import Foundation
import TestSupport
import Testing
import Values

/// CSV as RFC 4180 has it, and as spreadsheets write it.
struct CSVTests {
    private static func path(_ text: String, in folder: URL) throws -> String {
        let file = folder.appending(path: "rows.csv")
        try Data(text.utf8).write(to: file)
        return file.path
    }

    private static func records(_ text: String) throws -> [[String]] {
        try Fixture.withFolder { folder in
            let reader = try CSVReader(path: path(text, in: folder))
            var records: [[String]] = []
            while let record = try reader.next() {
                records.append(record.map { String(decoding: $0.bytes, as: UTF8.self) })
            }
            return records
        }
    }

    @Test(
        arguments: [
            ("", []), ("\n\r\n\n", []), ("a", [["a"]]), ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
            ("a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]),
            ("a,b\n1,2", [["a", "b"], ["1", "2"]]), ("a,b\n\n1,2", [["a", "b"], ["1", "2"]]),
            ("a,,c\n", [["a", "", "c"]]),
            ("a,b,\n", [["a", "b", ""]]), ("a,b,", [["a", "b", ""]]), (",", [["", ""]]),
            (",\n,\n", [["", ""], ["", ""]]), ("a,\r\n", [["a", ""]]),
            ("\"a\",\"b\"", [["a", "b"]]), ("\"a,b\",c", [["a,b", "c"]]), ("\"say \"\"hi\"\"\"", [["say \"hi\""]]),
            ("\"\"\"\"", [["\""]]),
            ("\"\"", [[""]]), ("\"\",\"\"\n", [["", ""]]), ("\"two\nlines\",x", [["two\nlines", "x"]]),
            ("\"two\r\nlines\"\r\n", [["two\r\nlines"]]),
            ("a\"b,c", [["a\"b", "c"]]), ("\u{FEFF}a,b", [["a", "b"]]), ("é,😀", [["é", "😀"]]),
            (" a , b ", [[" a ", " b "]]), ("\"a\",", [["a", ""]]),
        ] as [(String, [[String]])])
    func `records and fields are told apart`(text: String, expected: [[String]]) throws {
        #expect(try Self.records(text) == expected)
    }

    @Test func `any fields survive quoting, over the ends of buffers`() throws {
        var random = SeededGenerator(seed: 911)
        let pieces = ["a", ",", "\"", "\n", "\r\n", "é", " ", "", "long enough to matter "]
        let expected = (0..<400).map { _ in
            (0..<5).map { _ in
                (0..<Int.random(in: 1...80, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
                    .joined()
            }
        }
        let text = expected.map { record in
            record.map { "\"" + $0.replacingOccurrences(of: "\"", with: "\"\"") + "\"" }.joined(separator: ",")
        }.joined(separator: "\n")
        #expect(try Self.records(text) == expected, "seed \(random.seed)")
    }

    @Test func `a quoted field without an end is named with its line`() throws {
        do {
            _ = try Self.records("a,b\n1,2\n\"3,\n4\n")
            Issue.record("it was read")
        } catch let error as FileError {
            #expect(error.path.hasSuffix("rows.csv:3") && error.reason == "a quoted field without an end")
        }
    }

    @Test(arguments: [
        ([UInt8]("a,b\n1,2\nx,S".utf8) + [0xe3, 0x6f, 0x0a], "3: field 2 is not UTF-8"),
        ([0x61, 0xe9, 0x0a], "1: field 1 is not UTF-8"),
        ([0xff, 0xfe, 0x61, 0x00, 0x0a, 0x00], "1: the file is UTF-16"),
    ])
    func `a file in another encoding is refused with its line`(_ bytes: [UInt8], _ problem: String) throws {
        try Fixture.withFolder { folder in
            let path = try Self.path("", in: folder)
            try Data(bytes).write(to: URL(filePath: path))
            let error = #expect(throws: FileError.self) { try TableReader.read([path]) }
            #expect(error?.description.hasPrefix("\(path):\(problem): convert") == true, "\(error?.description ?? "")")
        }
    }

    @Test func `a table takes every cell as what it looks like`() throws {
        let text = """
            ts,model,version,id,score,amount,country,note
            2026-03-01T12:00:00Z,fraud,14,1,0.5,1e2,BR,"a, b"
            1772366401,fraud,14,2,NaN,,,""
            1772366402,fraud,14,3,x,-inf,null,7
            short,row
            1772366403,fraud,14,4,0.25,0.0,"1,5",
            """
        try Fixture.withFolder { folder in
            let path = try Self.path(text, in: folder)
            let loaded = try TableReader.read([path])
            #expect(loaded.problems == ["\(path):5: 2 fields, the header has 8"] && loaded.problemCount == 1)
            let table = loaded.table
            #expect(table.count == 4 && table.models == ["fraud": 4] && table.versions == ["14": 4])
            #expect(table.features.map(\.name) == ["amount", "country", "note"])
            let amount = try #require(table.feature("amount"))
            #expect((0..<4).map { amount[$0] } == [.number(100), .hole(.null), .hole(.invalid), .number(0)])
            let country = try #require(table.feature("country"))
            #expect((0..<4).map { country.category($0) } == ["BR", nil, nil, "1,5"])
            let note = try #require(table.feature("note"))
            #expect((0..<4).map { note.category($0) } == ["a, b", "", "7", nil])
            let prediction = try #require(table.prediction)
            #expect(prediction[0] == .number(0.5) && prediction[1] == .hole(.invalid) && prediction.category(2) == "x")
            #expect(table.firstTime == Fixture.time("2026-03-01T12:00:00Z"))
            #expect(table.lastTime == Fixture.time("2026-03-01T12:00:03Z"))
        }
    }

    @Test(arguments: [
        ("id;ts;amount\n1;2;3\n", "the header is separated by semicolons; expected commas"),
        ("a;b,c;d\n1;2,3;4\n", "the header is separated by semicolons; expected commas"),
        ("a\tb\n1\t2\n", "the header is separated by tabs; expected commas"),
        ("a,b,a\n1,2,3\n", "the header names the column `a` twice"),
    ])
    func `a header that would give other columns than were meant is refused`(_ text: String, _ reason: String) throws {
        try Fixture.withFolder { folder in
            let path = try Self.path(text, in: folder)
            let error = #expect(throws: FileError.self) { try TableReader.read([path]) }
            #expect(error?.description == "\(path):1: \(reason)")
        }
    }

    @Test func `labels are read, row numbers without a name and names in quotes are as they are`() throws {
        try Fixture.withFolder { folder in
            let loaded = try TableReader.read([Self.path(",\"a;b\",score,label\n0,1,0.5,1\n1,2,0.7,\n", in: folder)])
            #expect(loaded.table.features.map(\.name) == ["a;b"])
            let label = try #require(loaded.table.label)
            #expect(label[0] == .number(1) && label[1] == .hole(.null))
        }
    }

    @Test func `JSON lines and CSV of one table agree, and bad lines are named`() throws {
        try Fixture.withFolder { folder in
            let lines = folder.appending(path: "rows.jsonl")
            let text = [
                #"{"model":"m","x":1,"score":0.5}"#, "not json", "", #"{"type":"label","id":1,"label":1}"#, "[1]",
                #"{"x":2}"#,
            ].joined(separator: "\n")
            try Data(text.utf8).write(to: lines)
            let loaded = try TableReader.read([lines.path, Self.path("x,score\n3,0.75\n", in: folder)])
            #expect(
                loaded.problems.map { $0.replacingOccurrences(of: lines.path, with: "") } == [
                    ":2: unexpected character at byte 0", ":5: a row is a JSON object",
                ])
            let x = try #require(loaded.table.feature("x"))
            #expect((0..<3).map { x[$0] } == [.number(1), .number(2), .number(3)] && loaded.table.count == 3)
            #expect(loaded.table.prediction?[1] == .hole(.missing) && loaded.table.prediction?[2] == .number(0.75))
        }
    }
}
