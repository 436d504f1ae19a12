import Logging
import Registry
import ServiceLifecycle
import Telemetry
import Values

/// Acts on an existing MLflow server: its alias `champion` is the one that counts, and ours follows it; what the monitor
/// decides is written there, and read back. History, evidence and the feed stay in the embedded registry.
///
/// What MLflow does not have stays missing: it compares nothing when an alias is set (so the alias is read just before and
/// just after), and it guards neither deletions nor warm versions. Versions must be called in events as MLflow numbers them.
struct MLflowMirror: Service {
    let registry: Registry
    let client: MLflowClient
    let models: [String]
    let metrics: PrometheusRegistry
    let clock: WallClock
    let log: Logger

    private static let actor = "mlflow"
    private static let interval = Duration.seconds(1)
    private static let slots = ["champion", "champion-1", "champion-2"]

    /// Somebody else moved the alias while we were about to, or after we had.
    struct Conflict: Error, CustomStringConvertible {
        let description: String
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var told: [String: String] = [:]
            var seen: Int64 = 0
            while !Task.isCancelled {
                for model in models { await follow(model, &told) }
                for model in models {
                    metrics.gauge(.mlflowAgrees, ["model": model]).set(told[model] == nil ? 1 : 0)
                }
                // Our own changes go out at once, theirs are looked for each second.
                if let last = try? await registry.waitForChanges(after: seen, timeout: Self.interval).last {
                    seen = last.sequence
                }
            }
        }
    }

    private func follow(_ model: String, _ told: inout [String: String]) async {
        do {
            try await synchronise(model)
            if told.removeValue(forKey: model) != nil {
                log.notice("mlflow agrees again", metadata: ["model": "\(model)"])
            }
        } catch is CancellationError {
            return
        } catch {
            // Once per trouble: it is looked at every second.
            let text = "\(error)"
            if told[model] != text { log.error("mlflow", metadata: ["model": "\(model)", "reason": "\(text)"]) }
            told[model] = text
        }
    }

    /// Brings both sides together: their change is taken over, ours is written; where both changed theirs holds.
    func synchronise(_ model: String) async throws {
        let consumer = "mlflow/\(client.settings.url)/\(model)"
        let local = try await registry.champion(model: model)
        let cursor = try await registry.cursor(of: consumer)
        let remote = try await client.version(of: "champion", model: model)
        if local.sequence > cursor, let champion = local.champion?.version, champion != remote {
            let before = try await championAt(cursor, model)
            guard remote == before || (remote == nil && before == nil) || cursor == 0 && remote == nil else {
                try await adopt(remote, model, consumer)
                throw Conflict(
                    description:
                        "the champion was to become '\(champion)', but somebody set it to '\(remote ?? "none")' on the "
                        + "server in the meantime: theirs holds, look at both")
            }
            try await write(local, model, consumer)
        } else if let remote, remote != local.champion?.version {
            try await adopt(remote, model, consumer)
        } else if local.sequence > cursor, remote != nil {
            try await write(local, model, consumer)
        }
    }

    /// The champion both sides agreed on last.
    private func championAt(_ sequence: Int64, _ model: String) async throws -> String? {
        try await registry.aliasHistory(model: model, alias: Self.slots[0]).last { $0.sequence <= sequence }?.to
    }

    private func write(_ state: ChampionState, _ model: String, _ consumer: String) async throws {
        let slots = [state.champion?.version, state.champion1?.version, state.champion2?.version]
        for (alias, version) in zip(Self.slots, slots) { try await client.set(alias, of: model, to: version) }
        let found = try await client.version(of: Self.slots[0], model: model)
        guard found == state.champion?.version else {
            throw Conflict(
                description:
                    "the alias champion was set to '\(state.champion?.version ?? "")' and reads '\(found ?? "none")': "
                    + "somebody else writes it too")
        }
        // Both sides agree from here on, whatever becomes of the tags.
        try await registry.advance(consumer, to: state.sequence)
        log.notice("mlflow is told", metadata: ["model": "\(model)", "champion": "\(state.champion?.version ?? "")"])
        for (alias, version) in zip(Self.slots, slots) {
            if let version { try await tag("holdfast.slot", alias, version: version, model: model) }
        }
        for quarantine in try await registry.quarantined(model: model) {
            let decision = try await registry.decisions(model: model).first { $0.sequence == quarantine.sequence }
            try await tag(
                "holdfast.quarantine", decision.map { "decision \($0.id)" } ?? quarantine.actor,
                version: quarantine.version, model: model)
            if let decision {
                try await tag("holdfast.decision", decision.reason, version: quarantine.version, model: model)
            }
        }
    }

    /// Tags are for people to read; a version that was deleted on the server takes none.
    private func tag(_ key: String, _ value: String, version: String, model: String) async throws {
        do {
            try await client.tag(key, value, version: version, model: model)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            log.warning(
                "mlflow took no tag",
                metadata: ["model": "\(model)", "version": "\(version)", "key": "\(key)", "reason": "\(error)"])
        }
    }

    /// Takes over the champion that the server names. Gates are ours: what is promoted there has passed theirs.
    private func adopt(_ version: String?, _ model: String, _ consumer: String) async throws {
        guard let version else { return }
        let now = clock.now()
        if !(try await registry.versions(model: model).contains { $0.version == version }) {
            _ = try await registry.registerVersion(
                model: model, version: version, source: try await client.source(of: version, model: model),
                origin: VersionOrigin(isElsewhere: true), actor: Self.actor, reason: "found on the MLflow server",
                at: now)
        }
        // People undo a rollback there by setting the alias back, which says that the version is sound.
        try await registry.clearQuarantine(
            model: model, version: version, actor: Self.actor, reason: "champion of the MLflow server", at: now)
        let state = try await registry.promote(
            model: model, version: version, force: true, actor: Self.actor, reason: "champion of the MLflow server",
            at: now)
        log.notice("mlflow moved the champion", metadata: ["model": "\(model)", "champion": "\(version)"])
        try await write(state, model, consumer)
    }
}
