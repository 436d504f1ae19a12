import ArgumentParser
import Monitor
import Registry
import Values

/// What a command about the registry has to say, to programs and to people, and whether it is bad news: exit 1.
struct RegistryReport {
    let json: String
    /// Told before the table, where there are both.
    var words: String?
    var table: (header: [String], rows: [[String]])?
    var isRefusal = false

    init(json: JSON, words: String? = nil, isRefusal: Bool = false) {
        self.init(json: json.text, words: words)
        self.isRefusal = isRefusal
    }

    init(json: String, words: String? = nil, _ header: [String]? = nil, _ rows: [[String]] = []) {
        self.json = json
        self.words = words
        table = header.map { ($0, rows) }
    }

    /// A list; in its place the words where it is empty and there are any.
    init(json: [JSON], _ header: [String], _ rows: [[String]], empty: String? = nil) {
        self.init(json: JSON.array(json).text, header, rows, empty: empty)
    }

    init(json: String, _ header: [String], _ rows: [[String]], empty: String? = nil) {
        let words = rows.isEmpty ? empty : nil
        self.init(json: json, words: words, words == nil ? header : nil, rows)
    }
}

extension RegistryOptions {
    /// Opens the registry, does what the command does, and tells it.
    func report(_ body: (Registry) async throws -> RegistryReport) async throws {
        try await withRegistry(self) { try tell(try await body($0)) }
    }

    func tell(_ report: RegistryReport) throws {
        if json {
            print(report.json)
        } else {
            if let words = report.words { print(Terminal.plain(words)) }
            if let table = report.table { Table(table.header).show(table.rows) }
        }
        if report.isRefusal { throw ExitCode(1) }
    }
}

extension VersionChange {
    /// Does it and says what was done.
    func report(_ body: (Registry) async throws -> String) async throws {
        try await options.report { registry in
            let done = try await body(registry)
            return RegistryReport(
                json: .members(("model", .string(model)), ("version", .string(version)), ("done", .string(done))),
                words: "\(model) \(version): \(done)")
        }
    }
}
