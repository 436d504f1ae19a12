import ArgumentParser
import Foundation
import Monitor
import Registry
import Values

/// What the two ways to move a champion have in common.
struct ChampionMove: ParsableArguments {
    @OptionGroup var options: RegistryOptions
    @OptionGroup var change: ChangeOptions
    @Argument var model: String
    @Option(name: .long, help: "Do it only while the champion is at this sequence.") var ifSequence: Int64?

    /// Runs the move and shows the champion after it.
    func run(_ move: (Registry) async throws -> ChampionState) async throws {
        try await options.report { registry in
            let state = try await move(registry)
            let before = [state.champion1?.version, state.champion2?.version].compactMap { $0 }.joined(separator: ", ")
            return RegistryReport(
                json: state.json,
                words: "\(state.model): champion \(state.champion?.version ?? "none"); before it "
                    + (before.isEmpty ? "none" : before))
        }
    }

    var expecting: SequenceCondition? { ifSequence.map { .at($0) } }
}

struct RegistryPromote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "Make a version the champion, if it passes its gate.")
    @OptionGroup var move: ChampionMove
    @Argument var version: String
    @Flag(name: .long, help: "Though the gate refuses; needs a reason, and is written into the audit trail.")
    var force = false

    func validate() throws {
        if force, move.change.reason?.isEmpty ?? true { throw ValidationError("--force needs --reason") }
    }

    func run() async throws {
        try await move.run { registry in
            try await RegistryCommand.applyPolicies(registry, config: move.options.config)
            return try await registry.promote(
                model: move.model, version: version, expecting: move.expecting, force: force,
                actor: move.change.who, reason: move.change.reason ?? "promoted", at: move.change.now)
        }
    }
}

struct RegistryRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Go back to the version before; the one left is quarantined.")
    @OptionGroup var move: ChampionMove
    @Option(name: .long, help: "champion-1, champion-2 or a version.") var to = "champion-1"

    func run() async throws {
        try await move.run { registry in
            try await registry.rollback(
                model: move.model, to: to, expecting: move.expecting, actor: move.change.who,
                reason: move.change.reason ?? "rolled back by hand", at: move.change.now)
        }
    }
}

struct RegistryHold: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Stop automatic rollbacks of a model, or of all (the kill switch).")
    @OptionGroup var options: RegistryOptions
    @OptionGroup var change: ChangeOptions
    @Argument(help: "The model; every one with --all.") var model: String?
    @Flag(name: .long) var all = false
    @Flag(name: .long, help: "Allow them again.") var release = false

    func validate() throws {
        if (model == nil) != all { throw ValidationError("name a model, or give --all") }
        if !release, change.reason?.isEmpty ?? true { throw ValidationError("a hold needs --reason") }
    }

    func run() async throws {
        try await options.report { registry in
            if release {
                try await registry.release(
                    model: model, actor: change.who, reason: change.reason ?? "released by hand", at: change.now)
            } else {
                try await registry.hold(
                    model: model, actor: change.who, reason: change.reason ?? "", at: change.now)
            }
            let holds = try await registry.holds()
            return RegistryReport(
                json: holds.map {
                    .members(
                        ("model", .string($0.model ?? "*")), ("actor", .string($0.actor)),
                        ("reason", .string($0.reason)), ("at", .time($0.at)))
                }, ["MODEL", "SINCE", "BY", "REASON"],
                holds.map { [$0.model ?? "(all)", $0.at.rfc3339, $0.actor, $0.reason] },
                empty: "no holds: automatic rollbacks are allowed")
        }
    }
}

struct RegistryClear: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear-quarantine", abstract: "Allow a version that was rolled back to be promoted again.")
    @OptionGroup var of: VersionChange

    func run() async throws {
        try await of.report { registry in
            let was = try await registry.clearQuarantine(
                model: of.model, version: of.version, actor: of.change.who,
                reason: of.change.reason ?? "cleared by hand", at: of.change.now)
            return was ? "no longer quarantined" : "was not quarantined"
        }
    }
}
