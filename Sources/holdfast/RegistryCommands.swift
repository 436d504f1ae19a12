import ArgumentParser
import Foundation
import Monitor
import Registry
import StrictYAML
import Values

struct RegistryGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry", abstract: "Models, versions, champions: list, register, promote, roll back, audit.",
        subcommands: [
            RegistryList.self, RegistryShow.self, RegistryRegister.self, RegistryPromote.self, RegistryRollback.self,
            RegistryClear.self, RegistryAudit.self, RegistryDecisions.self, RegistryHold.self, RegistryHistory.self,
            RegistryMeasure.self, RegistryApprove.self, RegistryGate.self, RegistryReference.self,
            RegistryLineage.self, RegistryFleet.self, RegistryDelete.self, RegistryPurge.self, RegistryImport.self,
        ])
}

struct RegistryOptions: ParsableArguments {
    @Option(name: .long, help: "Configuration file, whose `state` folder holds the registry (holdfast.yaml).")
    var config: String?
    @Option(name: .long, help: "The state folder itself.") var state: String?
    @Flag(name: .long, help: "Print JSON.") var json = false

    func open() async throws -> Registry { try await RegistryCommand.open(config: config, state: state) }
}

struct ChangeOptions: ParsableArguments {
    @Option(name: .long, help: "Why, for the audit trail.") var reason: String?
    @Option(name: .long, help: "Who, for the audit trail (the user's name).") var actor: String?

    var who: String { RegistryCommand.actor(actor) }
    var now: Timestamp { WallClock.system.now() }
}

/// What commands about one version have in common.
struct VersionChange: ParsableArguments {
    @OptionGroup var options: RegistryOptions
    @OptionGroup var change: ChangeOptions
    @Argument var model: String
    @Argument var version: String
}

/// Runs a registry command; an error is told in words: exit 1 where the registry refuses, 2 for wrong usage.
func withRegistry(_ options: RegistryOptions, _ body: (Registry) async throws -> Void) async throws {
    try await tellingErrors { try await body(try await options.open()) }
}

/// The same without opening the registry, which would make one where there is none.
func tellingErrors(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as Problems {
        for problem in error.list { Terminal.error("\(problem)") }
        throw ExitCode(2)
    } catch let error as RegistryError {
        Terminal.error("error: \(Terminal.plain(error.message))")
        throw ExitCode(1)
    } catch let error as ExitCode {
        throw error
    } catch {
        Terminal.error("error: \(error)")
        throw ExitCode(2)
    }
}

struct RegistryList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All models and their champions.")
    @OptionGroup var options: RegistryOptions

    func run() async throws {
        try await options.report { registry in
            var states: [ChampionState] = []
            for model in try await registry.models() { states.append(try await registry.champion(model: model.name)) }
            return RegistryReport(
                json: states.map(\.json), ["MODEL", "CHAMPION", "CHAMPION-1", "CHAMPION-2", "SINCE"],
                states.map { state in
                    [
                        state.model, state.champion?.version ?? "–", state.champion1?.version ?? "–",
                        state.champion2?.version ?? "–", state.since?.rfc3339 ?? "–",
                    ]
                }, empty: "no models yet: `holdfast registry register MODEL --version 1 --source URI`")
        }
    }
}

struct RegistryShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "A model's versions and aliases.")
    @OptionGroup var options: RegistryOptions
    @Argument var model: String

    func run() async throws {
        try await options.report { registry in
            let versions = try await registry.versions(model: model)
            return RegistryReport(
                json: JSON.members(
                    ("champion", try await registry.champion(model: model).json),
                    ("versions", .array(versions.map(Self.json)))
                ).text, ["VERSION", "ALIASES", "STATE", "REGISTERED", "SOURCE"],
                versions.map {
                    [
                        $0.version, $0.aliases.joined(separator: " "), $0.isQuarantined ? "quarantined" : "",
                        $0.createdAt.rfc3339, $0.source,
                    ]
                })
        }
    }

    private static func json(_ version: ModelVersion) -> JSON {
        .members(
            ("version", .string(version.version)), ("source", .string(version.source)),
            ("aliases", .array(version.aliases.map { .string($0) })), ("quarantined", .bool(version.isQuarantined)),
            ("created_at", .time(version.createdAt)))
    }
}

struct RegistryRegister: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register", abstract: "Add a version, and the model where it is new.")
    @OptionGroup var options: RegistryOptions
    @OptionGroup var change: ChangeOptions
    @Argument var model: String
    @Option(name: .long, help: "Version, as events name it; the next number where left out.") var version: String?
    @Option(name: .long, help: "Where the model's artifact lies.") var source: String

    func run() async throws {
        try await options.report { registry in
            if !(try await registry.models().contains { $0.name == model }) {
                _ = try await registry.registerModel(
                    model, actor: change.who, reason: change.reason ?? "registered", at: change.now)
            }
            let added = try await registry.registerVersion(
                model: model, version: version, source: source, actor: change.who,
                reason: change.reason ?? "registered", at: change.now)
            return RegistryReport(
                json: .members(("model", .string(model)), ("version", .string(added.version))),
                words: "\(model) \(added.version)")
        }
    }
}

struct RegistryAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "audit", abstract: "Who changed what, when and why.")
    @OptionGroup var options: RegistryOptions
    @Argument(help: "A model; all where left out.") var model: String?
    @Flag(
        name: .long,
        help: "Check the chain of hashes, and the registry against it, instead: exit 1 if anything was altered.")
    var verify = false
    @Option(name: .long, help: "Entries at most, newest first.") var limit = 50

    func run() async throws {
        if verify { return try await tellingErrors { try await check() } }
        try await options.report { registry in
            let entries = try await registry.audit(model: model, limit: limit)
            return RegistryReport(
                json: entries.map {
                    .members(
                        ("at", .time($0.at)), ("model", .string($0.model)), ("action", .string($0.action)),
                        ("actor", .string($0.actor)), ("reason", .string($0.reason)))
                }, ["AT", "MODEL", "ACTION", "ACTOR", "REASON"],
                entries.map { [$0.at.rfc3339, $0.model, $0.action, $0.actor, $0.reason] })
        }
    }

    private func check() async throws {
        let path = try RegistryCommand.path(config: options.config, state: options.state)
        switch try await Registry.verifyAudit(path: path) {
        case .intact(let rows, let head): print("intact: \(rows) entries, head \(head)")
        case .empty:
            throw RegistryError(
                .refused,
                "\(path) holds no entries, so there is nothing to verify: nothing was registered yet, or all of it was taken"
            )
        case .broken(let row, let why): throw RegistryError(.refused, "the trail is broken at entry \(row): \(why)")
        case .altered(let sequence, let what):
            let place = sequence.map { "at sequence \($0)" } ?? "without a trace in the trail"
            throw RegistryError(.refused, "the registry was altered \(place): \(what)")
        }
    }
}
