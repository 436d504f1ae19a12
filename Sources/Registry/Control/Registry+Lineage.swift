import GRDB
package import Values

/// Where a version comes from and what became of it: data, run, version, gates, deployments, incidents.
extension Registry {
    /// One document, its parts in the order things happened.
    package func lineage(model: String, version: String) async throws -> JSON {
        let entry = try await self.version(model: model, version)
        let promotions = try await promotions(model: model, limit: 1_000).filter { $0.version == version }
        let decisions = try await decisions(model: model, limit: 10_000).filter { $0.judgedVersion == version }
        let quarantine = try await quarantined(model: model).first { $0.version == version }
        let metrics = try await metrics(model: model, version: version)
        let moves = try await aliasHistory(model: model, alias: WarmSet.slots[0])
        let reference = try await referenceDigest(model: model, version: version)
        let record = try await read { try VersionRecord($0, of: entry) }
        return .members(
            ("model", .string(model)), ("version", .string(version)), ("number", .integer(entry.number)),
            (
                "data",
                .members(
                    ("reference_sha256", reference.map { .string($0) }),
                    ("reference_path", entry.referencePath.map { .string($0) }),
                    ("inputs", .array(record.inputs)),
                    ("datasets", .array(Set(metrics.map(\.dataset)).subtracting([""]).sorted().map { .string($0) })))
            ),
            ("run_id", entry.runID.map { .string($0) } ?? .null), ("run", record.run),
            ("logged_model", record.loggedModel), ("source", .string(entry.source)),
            ("registered_at", .time(entry.createdAt)), ("tags", .sorted(entry.tags)),
            ("metrics", .array(metrics.map(\.json))),
            ("gates", .array(promotions.reversed().map(Self.json))),
            ("deployments", .array(Self.deployments(of: version, moves))),
            ("incidents", .array(decisions.reversed().map(Self.json))),
            (
                "quarantine",
                quarantine.map {
                    .members(("at", .time($0.at)), ("actor", .string($0.actor)), ("reason", .string($0.reason)))
                }
            ))
    }

    private func referenceDigest(model: String, version: String) async throws -> String? {
        try await read { db in
            try String.fetchOne(
                db,
                sql: """
                    SELECT r.sha256 FROM version_reference r JOIN model_version v ON v.id = r.version_id
                    JOIN registered_model m ON m.id = v.model_id WHERE m.name = ? AND v.version = ?
                    """, arguments: [model, version])
        }
    }

    /// The times at which it was champion, with who began and ended them and why.
    private static func deployments(of version: String, _ moves: [AliasMove]) -> [JSON] {
        moves.indices.compactMap { i in
            guard moves[i].to == version else { return nil }
            let end = moves.indices.contains(i + 1) ? moves[i + 1] : nil
            return .members(
                ("from", .time(moves[i].at)), ("sequence", .integer(moves[i].sequence)),
                ("actor", .string(moves[i].actor)), ("reason", .string(moves[i].reason)),
                ("until", end.map { .time($0.at) }), ("ended_by", end.map { .string($0.actor) }),
                ("ended_why", end.map { .string($0.reason) }), ("followed_by", end?.to.map { .string($0) }))
        }
    }

    private static func json(_ promotion: Promotion) -> JSON {
        .members(
            ("at", .time(promotion.at)), ("outcome", .string(promotion.outcome.rawValue)),
            ("actor", .string(promotion.actor)), ("checks", .array(promotion.checks.map(\.json))))
    }

    private static func json(_ decision: Decision) -> JSON {
        .members(
            ("decision", .integer(decision.id)), ("at", .time(decision.at)),
            ("verdict", decision.verdict.map { .string($0.rawValue) }),
            ("outcome", .string(decision.outcome.rawValue)), ("reason", .string(decision.reason)))
    }
}

extension VersionMetric {
    package var json: JSON {
        .members(
            ("name", .string(name)), ("dataset", dataset.isEmpty ? nil : .string(dataset)), ("value", .number(value)),
            ("standard_error", standardError.map { .number($0) }))
    }
}
