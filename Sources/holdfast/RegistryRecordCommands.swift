import ArgumentParser
import Foundation
import Monitor
import Registry
import Values

struct RegistryDecisions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decisions", abstract: "Automatic rollbacks: done, refused, would have run.")
    @OptionGroup var options: RegistryOptions
    @Argument var model: String
    @Flag(name: .long, help: "Make each again from its stored evidence: exit 1 where one comes out otherwise.")
    var replay = false
    @Flag(name: .long, help: "Print what each was made from (with --json).") var evidence = false
    @Option(name: .long, help: "Decisions at most, newest first.") var limit = 50

    func run() async throws {
        try await options.report { registry in
            _ = try await registry.model(model)
            let decisions = try await registry.decisions(model: model, limit: limit)
            let again = try decisions.map { replay ? try $0.decidedAgain() : .notKept }
            // Evidence is JSON already and goes out as it was stored.
            let rows = zip(decisions, again).map { json($0, $1) }.joined(separator: ",")
            var report = RegistryReport(
                json: "[\(rows)]", ["AT", "VERDICT", "OUTCOME", "FROM", "TO", replay ? "AGAIN" : "MODE", "REASON"],
                zip(decisions, again).map { decision, again in
                    [
                        decision.at.rfc3339, decision.verdict?.rawValue ?? "–", decision.outcome.rawValue,
                        decision.from ?? "–", decision.to ?? "–",
                        replay ? Self.text(again) : decision.mode.rawValue, decision.reason,
                    ]
                })
            report.isRefusal = again.contains { if case .different = $0 { true } else { false } }
            return report
        }
    }

    private static func text(_ again: Decision.Again) -> String {
        switch again {
        case .same: "same"
        case .different(let text): "OTHERWISE: \(text)"
        case .notKept: "not kept"
        }
    }

    private func json(_ decision: Decision, _ again: Decision.Again) -> String {
        var text = JSON.members(
            ("id", .integer(decision.id)), ("at", .time(decision.at)), ("key", .string(decision.idempotencyKey)),
            ("verdict", decision.verdict.map { .string($0.rawValue) } ?? .null),
            ("outcome", .string(decision.outcome.rawValue)), ("mode", .string(decision.mode.rawValue)),
            ("from", decision.from.map { .string($0) } ?? .null), ("to", decision.to.map { .string($0) } ?? .null),
            ("reason", .string(decision.reason)), ("again", replay ? .string(Self.text(again)) : nil)
        ).text
        if evidence {
            text.removeLast()
            text += ",\"evidence\":\(decision.evidence),\"dossier\":\(decision.dossier ?? "null")}"
        }
        return text
    }
}

struct RegistryHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "history", abstract: "How a model's aliases moved.")
    @OptionGroup var options: RegistryOptions
    @Argument var model: String
    @Option(name: .long, help: "Only of this alias.") var alias: String?

    func run() async throws {
        try await options.report { registry in
            let moves = try await registry.aliasHistory(model: model, alias: alias)
            return RegistryReport(
                json: moves.map {
                    .members(
                        ("at", .time($0.at)), ("alias", .string($0.alias)),
                        ("from", $0.from.map { .string($0) } ?? .null),
                        ("to", $0.to.map { .string($0) } ?? .null), ("sequence", .integer($0.sequence)),
                        ("actor", .string($0.actor)), ("reason", .string($0.reason)))
                }, ["AT", "ALIAS", "FROM", "TO", "SEQUENCE", "BY", "REASON"],
                moves.map {
                    [
                        $0.at.rfc3339, $0.alias, $0.from ?? "–", $0.to ?? "–", "\($0.sequence)", $0.actor, $0.reason,
                    ]
                })
        }
    }
}

struct RegistryLineage: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lineage", abstract: "Where a version comes from and what became of it, as JSON.")
    @OptionGroup var options: RegistryOptions
    @Argument var model: String
    @Argument var version: String

    func run() async throws {
        try await options.report { registry in
            let lineage = try await registry.lineage(model: model, version: version)
            return RegistryReport(json: lineage, words: lineage.text)
        }
    }
}

struct RegistryFleet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet", abstract: "Which instances serve a model, and what.")
    @OptionGroup var options: RegistryOptions
    @Argument var model: String

    func run() async throws {
        try await options.report { registry in
            let fleet = try await registry.fleet(model: model, at: WallClock.system.now())
            let share = fleet.shareOnChampion.map { "\(Int(($0 * 100).rounded())) %" } ?? "nobody reports"
            return RegistryReport(
                json: fleet.json.text,
                words: "on champion \(fleet.champion ?? "none"): \(share); silent: \(fleet.silent)",
                ["INSTANCE", "ACTIVE", "LOADED", "AT"],
                fleet.members.map {
                    [$0.instance, $0.active ?? "–", $0.loaded.joined(separator: " "), $0.at.rfc3339]
                })
        }
    }
}

struct RegistryDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a version that neither serves nor is kept warm; `purge` removes it for good.")
    @OptionGroup var of: VersionChange

    func run() async throws {
        try await of.report { registry in
            try await registry.deleteVersion(
                model: of.model, version: of.version, actor: of.change.who,
                reason: of.change.reason ?? "deleted by hand", at: of.change.now)
            return "deleted"
        }
    }
}
