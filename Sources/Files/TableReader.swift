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

    private static func readCSV(
        _ path: String, _ builder: inout DataTable.RowBuilder, _ note: (String) -> Void
    ) throws(FileError) {
        let reader = try CSVReader(path: path)
        guard let header = try reader.next() else { return }
        let names = header.map { field in
            let name = String(decoding: field.bytes, as: UTF8.self)
            return field.quoted ? name : String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
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
