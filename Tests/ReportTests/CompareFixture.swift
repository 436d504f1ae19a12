import Events
import Foundation
import Monitor
import Testing
import Values

/// Files and tables the tests compare.
enum CompareFixture {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static func path(_ name: String) -> String { folder.appending(path: name).path }

    /// What another tool says, by column and metric; `nil` where it says NaN or infinity.
    static func golden(_ tool: String) throws -> [String: [String: Double?]] {
        try JSONDecoder().decode(
            [String: [String: Double?]].self, from: Data(contentsOf: folder.appending(path: "compare-\(tool).json")))
    }

    static func hotel(_ options: Compare.Options = .init()) throws -> CompareReport {
        try Compare.files(
            reference: path("hotel-reference.csv"), current: path("hotel-current.csv"), options: options)
    }

    /// Rows as JSON objects.
    static func table(_ lines: [String]) throws -> DataTable {
        var builder = DataTable.RowBuilder(DataTable())
        for line in lines {
            let problem = Array(line.utf8).withUnsafeBytes { builder.add(json: $0) }
            if let problem { throw Unreadable(problem: problem) }
        }
        return builder.finish()
    }

    struct Unreadable: Error { let problem: String }

    static func compare(
        _ reference: [String], _ current: [String], _ options: Compare.Options = .init()
    ) throws -> CompareReport {
        try Compare.tables(
            reference: ("before", table(reference)), current: ("after", table(current)), options: options)
    }

    static func numbers(_ values: [Double]) -> [String] { values.map { "{\"x\":\($0)}" } }

    /// The column of the goldens that is large enough for nannyml to bin.
    static func large(_ options: Compare.Options = .init()) throws -> CompareReport {
        try compare(
            numbers((0..<12_000).map { Double(($0 * 7919) % 10_007) / 100 }),
            numbers((0..<3_000).map { Double(($0 * 104_729) % 12_011) / 100 - 5 }), options)
    }

    static func options(_ convention: CompareConvention?) -> Compare.Options {
        var options = Compare.Options()
        options.convention = convention
        return options
    }

    /// A file that is removed when the test ends.
    static func withFile<T>(_ text: String, _ suffix: String, _ body: (String) throws -> T) throws -> T {
        let url = FileManager.default.temporaryDirectory.appending(path: "compare-\(UUID().uuidString)\(suffix)")
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path)
    }
}

extension CompareReport {
    func column(_ name: String) throws -> CompareColumn {
        try #require(columns.first { $0.name == name && $0.segment.isAll })
    }
}
