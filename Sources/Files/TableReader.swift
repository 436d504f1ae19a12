package import Events
import Values

/// Whole files of rows as one table: JSON lines (native events or flat records) or CSV with a header, each plain, gzip or
/// Zstandard.
package enum TableReader {
    package enum Format: Sendable {
        case jsonLines, csv
    }

    package struct Loaded {
        package var table: DataTable
        /// Rows that could not be read, as `file:line: reason`; the first few.
        package var problems: [String] = []
        package var problemCount = 0
    }

    private static let keptProblems = 20

    /// - Parameter table: names what each file's rows are added to, so that several files make one table.
    package static func read(_ paths: [String]) throws(FileError) -> Loaded {
        var builder = DataTable.RowBuilder(DataTable())
        var problems: [String] = []
        var count = 0
        func note(_ text: String) {
            count += 1
            if problems.count < keptProblems { problems.append(text) }
        }
        for path in paths {
            switch format(of: path) {
            case .jsonLines: try readLines(path, &builder, note)
            case .csv: try readCSV(path, &builder, note)
            }
        }
        return Loaded(table: builder.finish(), problems: problems, problemCount: count)
    }

    private static func format(of path: String) -> Format {
        var name = path.lowercased()
        for packed in [".gz", ".zst", ".zstd"] where name.hasSuffix(packed) { name.removeLast(packed.count) }
        return name.hasSuffix(".csv") ? .csv : .jsonLines
    }

    private static func readLines(
        _ path: String, _ builder: inout DataTable.RowBuilder, _ note: (String) -> Void
    ) throws(FileError) {
        let reader = try LineReader(path: path)
        while try reader.next({ line in
            guard line.contains(where: { $0 > 0x20 }) else { return }
            if let problem = builder.add(json: line) { note("\(path):\(reader.lineNumber): \(problem)") }
        }) {}
    }

    /// What would otherwise be read as other columns than were meant.
    private static func problem(ofHeader names: [String], quoted: [Bool]) -> String? {
        let plain = zip(names, quoted).filter { !$0.1 }.map(\.0)
        for (sign, name) in [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")] {
            let count = plain.reduce(0) { sum, text in sum + text.count { String($0) == sign } }
            if count >= names.count { return "the header is separated by \(name); expected commas" }
        }
        // A table's row numbers stand under no name.
        let twice = Dictionary(grouping: names.filter { !$0.isEmpty }, by: \.self).filter { $0.value.count > 1 }.keys
            .min()
        return twice.map { "the header names the column `\($0)` twice" }
    }

    private static func readCSV(
        _ path: String, _ builder: inout DataTable.RowBuilder, _ note: (String) -> Void
    ) throws(FileError) {
        let reader = try CSVReader(path: path)
        guard let header = try reader.next() else { return }
        let names = header.map { field in
            let name = String(decoding: field.bytes, as: UTF8.self)
            return field.quoted ? name : String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        if let problem = problem(ofHeader: names, quoted: header.map(\.quoted)) {
            throw FileError(path, line: reader.lineNumber, problem)
        }
        while let record = try reader.next() {
            guard record.count == names.count else {
                note("\(path):\(reader.lineNumber): \(record.count) fields, the header has \(names.count)")
                continue
            }
            builder.add(names: names, fields: record.map { (bytes: $0.bytes, quoted: $0.quoted) })
        }
    }
}
