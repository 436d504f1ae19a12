import GRDB

/// What was copied from one other server, and what it is called here.
package struct ImportBook: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case experiment, run, model
        case loggedModel = "logged_model"
        case version
    }

    let api: MLflowAPI
    /// The other server's address.
    let source: String

    package init(_ api: MLflowAPI, source: String) {
        self.api = api
        self.source = source
    }

    /// What something of the other server is called here; `nil` while it is not copied whole.
    package func local(_ kind: Kind, _ id: String) async throws -> String? {
        try await MLflowAPI.translating {
            try await api.read { db in
                try String.fetchOne(
                    db, sql: "SELECT local_id FROM imported WHERE source = ? AND kind = ? AND source_id = ?",
                    arguments: [source, kind.rawValue, id])
            }
        }
    }

    /// Says that something is copied whole.
    package func finish(_ kind: Kind, _ id: String, as local: String) async throws {
        try await MLflowAPI.translating {
            try await api.write { db in
                try db.execute(
                    sql: "INSERT OR REPLACE INTO imported (source, kind, source_id, local_id) VALUES (?, ?, ?, ?)",
                    arguments: [source, kind.rawValue, id, local])
            }
        }
    }
}
