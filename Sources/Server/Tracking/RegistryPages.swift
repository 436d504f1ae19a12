import Mustache
import Registry
import Values

/// The pages of registered models.
enum RegistryPages {
    static func address(_ model: String) -> String { "/registry/\(PercentCoding.encode(model))" }

    static func lineage(_ model: String, _ version: String) -> String {
        "/v1/models/\(PercentCoding.encode(model))/versions/\(PercentCoding.encode(version))/lineage"
    }

    private struct Model {
        let name: String
        let href: String
        let champion: String
        let warm: String
        let made: String
    }

    private struct Versions {
        struct Version {
            let label: String
            let aliases: [String]
            let isQuarantined: Bool
            let made: String
            let run: String
            let runHref: String?
            let source: String
            let lineageHref: String
        }

        let name: String
        let description: String?
        let chips: [ModelCard.Chip]
        let versions: [Version]
        let hasVersions: Bool
    }

    static func models(_ registry: Registry) async throws -> String {
        var models: [Model] = []
        for model in try await registry.models() {
            let state = try await registry.champion(model: model.name)
            let warm = [state.champion1?.version, state.champion2?.version].compactMap(\.self)
            models.append(
                Model(
                    name: model.name, href: address(model.name), champion: state.champion?.version ?? "none",
                    warm: warm.joined(separator: ", "), made: Format.time(model.createdAt.toTheSecond)))
        }
        return TrackingView.page(
            "Registry",
            modelsTemplate.render(["models": models, "hasModels": !models.isEmpty] as [String: Any]))
    }

    static func model(_ name: String, _ registry: Registry) async throws -> String {
        let state = try await registry.champion(model: name)
        let about = try await registry.models().first { $0.name == name }?.description
        let versions = try await registry.versions(model: name).reversed().map { version in
            Versions.Version(
                label: version.version, aliases: version.aliases, isQuarantined: version.isQuarantined,
                made: Format.time(version.createdAt.toTheSecond),
                run: version.runID.map { String($0.prefix(8)) } ?? "",
                runHref: version.runID.flatMap { $0.isEmpty ? nil : RunPage.address($0) },
                source: TrackingView.cut(version.source, 120), lineageHref: lineage(name, version.version))
        }
        let slots = [("champion", state.champion), ("champion-1", state.champion1), ("champion-2", state.champion2)]
        let page = Versions(
            name: name, description: about.flatMap { $0.isEmpty ? nil : $0 },
            chips: slots.compactMap { label, slot in
                slot.map {
                    ModelCard.Chip(label: label, version: $0.version, kind: label == "champion" ? label : "warm")
                }
            }, versions: versions, hasVersions: !versions.isEmpty)
        return TrackingView.page(name, modelTemplate.render(page))
    }

    private static let modelsTemplate = Markup.template(TrackingTemplate.models)
    private static let modelTemplate = Markup.template(TrackingTemplate.model)
}

extension Timestamp {
    /// Pages show no fractions of seconds.
    fileprivate var toTheSecond: Timestamp { Timestamp(microseconds: microseconds / 1_000_000 * 1_000_000) }
}
