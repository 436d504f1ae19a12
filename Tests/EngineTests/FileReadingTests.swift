import Events
import Files
import Foundation
import TestSupport
import Testing

/// Files as they come: packed or not, cut short, with any line ends.
struct FileReadingTests {
    private static let text = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"

    private static func write(_ bytes: some Sequence<UInt8>, _ name: String, in folder: URL) throws -> String {
        let file = folder.appending(path: name)
        try Data(bytes).write(to: file)
        return file.path
    }

    private static func lines(_ path: String) throws -> [String] {
        let reader = try LineReader(path: path)
        var lines: [String] = []
        while try reader.next({ lines.append(String(decoding: $0, as: UTF8.self)) }) {}
        #expect(reader.lineNumber == lines.count)
        return lines
    }

    /// The reason the body fails with; `nil` if it does not.
    private static func failure(_ body: () throws -> Void) throws -> String? {
        do {
            try body()
            return nil
        } catch let error as FileError {
            return error.reason
        }
    }

    @Test(arguments: [
        ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("a\r\nb\r\n", ["a", "b"]), ("\n\n", ["", ""]),
        ("\r\n", [""]),
        ("a\rb\n", ["a\rb"]), ("a\n\nb", ["a", "", "b"]), ("é\n😀", ["é", "😀"]), ("abc\n ", ["abc", " "]),
    ])
    func `lines are lent without their ends`(text: String, expected: [String]) throws {
        try Fixture.withFolder { folder in
            let path = try Self.write(text.utf8, "lines", in: folder)
            #expect(try Self.lines(path) == expected)
        }
    }

    @Test func `lines may be longer than any buffer, and lie across its ends`() throws {
        var random = SeededGenerator(seed: 901)
        let expected = (0..<200).map { i in
            String(repeating: "x\(i)", count: Int.random(in: 0...(i % 40 == 0 ? 300_000 : 3_000), using: &random))
        }
        try Fixture.withFolder { folder in
            let path = try Self.write(expected.joined(separator: "\n").utf8, "long", in: folder)
            #expect(try Self.lines(path) == expected, "seed \(random.seed)")
        }
    }

    @Test func `packed files are told by their bytes, whatever their name`() throws {
        try Fixture.withFolder { folder in
            let gzip = try #require(Tools.gzip(Self.text))
            let path = try Self.write(gzip, "plainly-named.jsonl", in: folder)
            #expect(try Self.lines(path).count == 3)
            #expect(try Self.lines(Self.write(Zstd.compress(Array(Self.text.utf8)), "z", in: folder)).count == 3)
            #expect(try Self.lines(Self.write(Self.text.utf8, "plain.gz", in: folder)).count == 3)
        }
    }

    @Test func `several members or frames are one file`() throws {
        try Fixture.withFolder { folder in
            let gzip = try #require(Tools.gzip(Self.text))
            let empty = try #require(Tools.gzip(""))
            #expect(try Self.lines(Self.write(gzip + empty + gzip + gzip, "a.gz", in: folder)).count == 9)
            let zstd = Zstd.compress(Array(Self.text.utf8))
            #expect(try Self.lines(Self.write(zstd + zstd, "a.zst", in: folder)).count == 6)
            #expect(try Self.lines(Self.write(empty, "empty.gz", in: folder)).isEmpty)
        }
    }

    @Test func `what packs a thousandfold unpacks whole`() throws {
        let text = String(repeating: "0", count: 5_000_000) + "\nend"
        try Fixture.withFolder { folder in
            for packed in [try #require(Tools.gzip(text)), Zstd.compress(Array(text.utf8))] {
                #expect(try Self.lines(Self.write(packed, "packed", in: folder)).map(\.utf8.count) == [5_000_000, 3])
            }
        }
    }

    @Test func `an archive cut short anywhere says so`() throws {
        try Fixture.withFolder { folder in
            for packed in [try #require(Tools.gzip(Self.text)), Zstd.compress(Array(Self.text.utf8))] {
                for length in 4..<packed.count {
                    let path = try Self.write(packed.prefix(length), "cut", in: folder)
                    let reason = try Self.failure { _ = try Self.lines(path) }
                    #expect(reason == "ends in the middle of its compressed data: it was cut short", "\(length) bytes")
                }
                var second = packed + packed
                second.removeLast(3)
                let path = try Self.write(second, "cut", in: folder)
                #expect(try Self.failure { _ = try Self.lines(path) }?.contains("cut short") == true)
            }
        }
    }

    @Test func `damaged archives, folders, missing files and Parquet are named`() throws {
        try Fixture.withFolder { folder in
            var gzip = try #require(Tools.gzip(String(repeating: Self.text, count: 50)))
            for i in 20..<30 { gzip[i] ^= 0xff }
            let path = try Self.write(gzip, "damaged.gz", in: folder)
            #expect(try Self.failure { _ = try Self.lines(path) }?.contains("gzip data cannot be unpacked") == true)
            var zstd = Zstd.compress((0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31) })
            for i in 6..<40 { zstd[i] ^= 0xff }
            let other = try Self.write(zstd, "damaged.zst", in: folder)
            #expect(try Self.failure { _ = try Self.lines(other) }?.contains("zstd data cannot be unpacked") == true)
            #expect(try Self.failure { _ = try LineReader(path: folder.path) } == "is a folder, not a file")
            #expect(try Self.failure { _ = try LineReader(path: "/nowhere/x") } == "No such file or directory")
            let parquet = try Self.write("PAR1....".utf8, "t.parquet", in: folder)
            #expect(try Self.failure { _ = try LineReader(path: parquet) }?.hasPrefix("is Parquet") == true)
        }
    }

    @Test func `a line without an end is refused at the limit`() throws {
        try Fixture.withFolder { folder in
            let size = LineReader.maximumLineBytes
            let packed = Zstd.compress([0x61, 0x0a] + [UInt8](repeating: 0x61, count: size + 1))
            let path = try Self.write(packed, "endless.zst", in: folder)
            #expect(try Self.failure { _ = try Self.lines(path) } == "the line is longer than 64 MiB")
        }
    }

    @Test func `frames for the ledger survive, and damaged ones are nothing`() {
        let bytes = Array(Self.text.utf8)
        let packed = Zstd.compress(bytes)
        #expect(Zstd.decompress(packed) == bytes && Zstd.decompress(Zstd.compress([])) == [])
        #expect(
            Zstd.decompress(packed, limit: 3) == nil && Zstd.decompress([]) == nil && Zstd.decompress([1, 2, 3]) == nil)
        for length in 0..<packed.count { #expect(Zstd.decompress(Array(packed.prefix(length))) == nil) }
    }
}

/// The gzip of the system, to read what another program wrote.
enum Tools {
    static func gzip(_ text: String) -> [UInt8]? { run("/usr/bin/env", ["gzip", "-c"], input: Data(text.utf8)) }

    static let hasPythonSQLite = run("/usr/bin/env", ["python3", "-c", "import sqlite3"], input: Data()) != nil

    /// What a program writes, `nil` where it is not there or fails.
    static func run(_ program: String, _ arguments: [String], input: Data) -> [UInt8]? {
        let file = FileManager.default.temporaryDirectory.appending(path: "holdfast-input-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        let output = Pipe()
        guard (try? input.write(to: file)) != nil else { return nil }
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = FileHandle(forReadingAtPath: file.path)
        process.standardOutput = output
        guard (try? process.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? [UInt8](data) : nil
    }
}
