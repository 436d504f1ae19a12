import ArgumentParser
import Foundation
import Monitor
import Registry
import Values

struct RegistryMeasure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure", abstract: "Store a measurement with a version, for its gate.")
    @OptionGroup var of: VersionChange
    @Argument(help: "Such as aupr=0.83, or aupr=0.83±0.004 with its standard error.") var metrics: [String]
    @Option(name: .long, help: "What it was measured on.") var dataset = ""

    func run() async throws {
        let parsed = try metrics.map { text -> VersionMetric in
            let halves = text.split(separator: "=", maxSplits: 1)
            let parts = halves.last.map { $0.split(whereSeparator: { $0 == "±" || $0 == "~" }) } ?? []
            guard halves.count == 2, (1...2).contains(parts.count), let value = Double(parts[0]) else {
                throw ValidationError("'\(text)' is no measurement: write NAME=VALUE or NAME=VALUE~ERROR")
            }
            var error: Double?
            if parts.count == 2 {
                error = Double(parts[1])
                if error == nil { throw ValidationError("'\(parts[1])' is no standard error") }
            }
            return VersionMetric(name: String(halves[0]), dataset: dataset, value: value, standardError: error)
        }
        try await of.report { registry in
            try await registry.record(
                parsed, model: of.model, version: of.version, actor: of.change.who,
                reason: of.change.reason ?? "measured", at: of.change.now)
            return "\(parsed.count) stored"
        }
    }
}

struct RegistryApprove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Say that a version may be promoted by somebody else.")
    @OptionGroup var of: VersionChange

    func run() async throws {
        try await of.report { registry in
            try await registry.approve(
                model: of.model, version: of.version, actor: of.change.who, reason: of.change.reason ?? "",
                at: of.change.now)
            return "approved by \(of.change.who)"
        }
    }
}

struct RegistryGate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gate", abstract: "What the promotion gate says of a version: exit 1 where it refuses.")
    @OptionGroup var of: VersionChange

    func run() async throws {
        try await of.options.report { registry in
            try await RegistryCommand.applyPolicies(registry, config: of.options.config)
            let checks = try await registry.gate(model: of.model, version: of.version, actor: of.change.who)
            var report = RegistryReport(
                json: (checks ?? []).map(\.json), ["", "CONDITION", "FOUND"],
                (checks ?? []).map { [$0.passed ? "ok" : "NO", $0.condition, $0.found] },
                empty: "\(of.model) has no promotion policy: every version passes")
            report.isRefusal = checks?.contains { !$0.passed } == true
            return report
        }
    }
}

struct RegistryReference: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference", abstract: "Store the reference profile of a version's training data with it.")
    @OptionGroup var of: VersionChange
    @Argument(help: "As `holdfast reference build` writes it.") var file: String

    func run() async throws {
        guard let data = FileManager.default.contents(atPath: file) else {
            Terminal.error("error: \(file): there is no such file, or it cannot be read")
            throw ExitCode(2)
        }
        try await of.report { registry in
            try RegistryCommand.checkReference([UInt8](data), of: of.model, path: file)
            try await registry.storeReference(
                [UInt8](data), model: of.model, version: of.version, actor: of.change.who,
                reason: of.change.reason ?? "stored by hand", at: of.change.now)
            return "reference of \(data.count) bytes stored"
        }
    }
}
