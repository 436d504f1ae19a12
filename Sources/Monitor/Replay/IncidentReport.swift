package import Values

/// What `replay --manifest` says of a rule set: every known incident, and what else was alerted.
package struct IncidentReport: Sendable {
    package struct Incident: Sendable {
        package let id: String
        package let type: String
        package let difficulty: String
        /// Hours; `nil` where it was not found.
        package let delay: Double?
        package let isExact: Bool
        package let isExactOnTop: Bool
    }

    package let incidents: [Incident]
    /// The scorer's own document, key for key.
    package let json: JSON
    /// One line of figures.
    package let summary: String

    package init(manifest path: String, episodes: [ReplayEpisode]) throws {
        let manifest = try IncidentManifest(path: path)
        self.init(IncidentScore(period: manifest.period, faults: manifest.faults, alarms: episodes.map(\.alarm)))
    }

    init(_ score: IncidentScore) {
        incidents = score.outcomes.map {
            Incident(
                id: $0.fault.id, type: $0.fault.type, difficulty: $0.fault.difficulty, delay: $0.delay,
                isExact: $0.isExact, isExactOnTop: $0.isExactOnTop)
        }
        json = Self.json(score)
        func share(_ value: Double?) -> String { value.map { "\(IncidentScore.rounded($0, 3))" } ?? "n/a" }
        summary =
            "precision \(share(score.precision)), recall \(share(score.recall)), exact segment \(share(score.exactRate)), "
            + "exact on top \(share(score.exactOnTopRate)), median delay \(score.medianDelay.map { "\($0) h" } ?? "n/a"), "
            + "false episodes a day \(share(score.falsePerDay))"
    }

    private static func json(_ score: IncidentScore) -> JSON {
        func number(_ value: Double?, _ places: Int) -> JSON? {
            value.map { .number(IncidentScore.rounded($0, places)) }
        }
        let faults = score.outcomes.map { outcome -> JSON.Member in
            .init(
                outcome.fault.id,
                .members(
                    ("type", .string(outcome.fault.type)), ("difficulty", .string(outcome.fault.difficulty)),
                    ("detected", .bool(outcome.isFound)), ("delay_h", number(outcome.delay, 1)),
                    ("exact_any", outcome.isFound ? .bool(outcome.isExact) : nil),
                    ("exact_top", outcome.isFound ? .bool(outcome.isExactOnTop) : nil)))
        }
        return .members(
            (
                "episodes",
                .members(
                    ("true", .int(score.episodes.true)), ("echo", .int(score.episodes.echo)),
                    ("false", .int(score.episodes.false)))
            ), ("precision", number(score.precision, 3)), ("false_episodes_per_day", number(score.falsePerDay, 3)),
            ("faults", .object(faults)), ("recall", number(score.recall, 3)),
            ("median_delay_h", number(score.medianDelay, 1)), ("exact_any_rate", number(score.exactRate, 3)),
            ("exact_top_rate", number(score.exactOnTopRate, 3)),
            (
                "false_by_target",
                .object(score.falseByTarget.prefix(12).map { JSON.Member($0.target, .int($0.count)) })
            ))
    }
}
