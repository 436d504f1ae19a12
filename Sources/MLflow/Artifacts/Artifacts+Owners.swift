import GRDB
import Registry

/// Whose an artifact would be, and whether it can have the name it is sent under.
extension Artifacts {
    /// Refuses what names a run or a logged model that is not there: nobody would ever find it again, and nothing would
    /// delete it. Other names, such as those of traces, belong to nobody.
    static func checkOwner(_ db: Database, _ path: ArtifactPath) throws {
        let parts = path.text.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        // `EXPERIMENT/RUN/artifacts/…` and `EXPERIMENT/models/MODEL/artifacts/…`, where the experiment may be a longer path.
        guard let end = parts.indices.dropFirst().first(where: { parts[$0] == "artifacts" }) else { return }
        let (name, above) = (parts[end - 1], end > 1 ? parts[end - 2] : "")
        let root = parts[...end].joined(separator: "/")
        if above == "models", name.utf8.starts(with: "m-".utf8) {
            let row = try LoggedModel.find(db, name)
            try check(root, name, row)
            try Experiment.checkActive(try Experiment.find(db, row["experiment_id"]))
        } else if isRun(name) || (end == 2 && Int64(above) != nil) {
            let row = try Run.find(db, name)
            _ = try Run.active(db, name)
            try check(root, name, row)
        }
    }

    private static func isRun(_ name: String) -> Bool {
        name.utf8.count == 32 && name.utf8.allSatisfy { $0 &- 0x30 < 10 || $0 &- 0x61 < 6 }
    }

    private static func check(_ root: String, _ name: String, _ row: Row) throws {
        let address: String = row["artifact_uri"]
        guard ArtifactLocation.path(address) == root else {
            throw MLflowError.invalid("The artifacts of \(name) are at \(address), not under '\(root)'")
        }
    }

    /// Refuses a name that would be a file and a folder at once: whoever downloads both could keep only one of them.
    static func checkKind(_ db: Database, _ path: ArtifactPath) throws {
        let above = Array(path.prefixes.dropLast())
        let marks = Array(repeating: "?", count: above.count).joined(separator: ", ")
        let file = try String.fetchOne(
            db, sql: "SELECT path FROM artifact WHERE path IN (\(marks)) LIMIT 1", arguments: StatementArguments(above))
        if let file {
            throw MLflowError.invalid(
                "Artifact '\(path.text)' cannot be stored: '\(file)' is a file, and nothing can be below a file")
        }
        let (from, to) = range(path.text)
        let below = try String.fetchOne(
            db, sql: "SELECT path FROM artifact WHERE path >= ? AND path < ? LIMIT 1", arguments: [from, to])
        if let below {
            throw MLflowError.invalid(
                "Artifact '\(path.text)' cannot be stored: it is a folder, which holds '\(below)'")
        }
    }
}
