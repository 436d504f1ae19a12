import Ledger
import Logging
import Registry
import Rules
import ServiceLifecycle
import Telemetry
import Values

/// Sees to it that a flip arrives: some time after a champion moved, enough of the fleet must serve it. Only fleets that
/// report are judged.
struct FleetWatch: Service {
    let registry: Registry
    let ledger: Ledger
    /// Least share of the fresh instances that must serve the champion.
    let share: Double
    /// How long a flip may take.
    let within: Span
    let receivers: [String]
    let externalURL: String
    let deliveries: ReceiverBells
    let metrics: PrometheusRegistry
    let clock: WallClock
    let log: Logger

    static let alertName = "FleetNotOnChampion"
    private static let interval = Duration.seconds(1)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var lags: [String: FleetLag] = [:]
            while !Task.isCancelled {
                do {
                    try await look(&lags)
                } catch is CancellationError {
                    return
                } catch {
                    log.error("the fleet cannot be watched", metadata: ["reason": "\(error)"])
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func look(_ lags: inout [String: FleetLag]) async throws {
        let now = clock.now()
        // The feed also ends the models that were deleted: they have no champion, and no fleet to ask for.
        for champion in try await registry.champions(after: 0) where champion.champion != nil {
            try await look(champion, at: now, &lags)
        }
    }

    private func look(_ champion: ChampionState, at now: Timestamp, _ lags: inout [String: FleetLag]) async throws {
        let fleet = try await registry.fleet(model: champion.model, at: now)
        guard let onChampion = fleet.shareOnChampion, let since = champion.since else { return }
        metrics.gauge(.fleetShare, ["model": champion.model]).set(onChampion)
        let name = Self.consumer(champion.model)
        var lag: FleetLag
        if let known = lags[champion.model] {
            lag = known
        } else {
            lag = FleetLag(told: try await registry.cursor(of: name))
        }
        let change = lag.on(
            sequence: champion.sequence, isBehind: onChampion < share, age: now - since, within: within)
        if let change {
            try await tell(champion, fleet, onChampion, change, number: lag.told, at: now)
            // After the deliveries, which have keys: what is told twice for a restart in between is one delivery.
            try await registry.advance(name, to: lag.told)
        }
        lags[champion.model] = lag
    }

    /// The cursor that counts what was told of a model's fleet, so that a page is resolved after a restart as well.
    static func consumer(_ model: String) -> String { "fleet/\(model)" }

    private func tell(
        _ champion: ChampionState, _ fleet: FleetStatus, _ onChampion: Double, _ change: FleetLag.Change,
        number: Int64, at now: Timestamp
    ) async throws {
        let version = champion.champion?.version ?? ""
        let behind = fleet.members.filter { $0.active != version }
        let names = behind.prefix(5).map(\.instance).joined(separator: ", ")
        let summary =
            change == .began
            ? "\(behind.count) of \(fleet.members.count) instances of \(champion.model) do not serve its champion "
                + "\(version) \(within) after it moved: \(names)\(behind.count > 5 ? ", …" : "")"
            : "the fleet of \(champion.model) serves its champion \(version)"
        log.warning("\(summary)", metadata: ["model": "\(champion.model)"])
        let since = champion.since ?? now
        let labels = ["alertname": Self.alertName, "model": champion.model, "severity": "page"]
        let alert = Alert(
            status: change == .began ? .firing : .resolved, at: now, labels: labels,
            annotations: ["summary": summary], startsAt: since, endsAt: change == .began ? nil : now,
            fingerprint: Fingerprint.hex(of: labels), segment: .all,
            context: .members(
                ("champion", champion.json), ("share", .number(onChampion)), ("threshold", .number(share))),
            revision: change == .began ? 1 : 2, model: champion.model, group: "registry", rule: Self.alertName,
            notify: nil, actions: [])
        for receiver in receivers {
            guard
                let entry = Outgoing.delivery(
                    [alert], to: receiver, externalURL: externalURL, suffix: "-\(champion.sequence)-\(number)", at: now)
            else { continue }
            try await ledger.add(entry)
        }
        deliveries.ring()
    }
}

/// One model's fleet against its champion, a value: behind for too long, and there again.
struct FleetLag: Sendable, Hashable {
    enum Change: Sendable, Hashable { case began, ended }

    private var sequence: Int64 = -1
    /// How often something was told: beginnings and ends in turn, so an odd number fires.
    private(set) var told: Int64
    private var isTold: Bool { told % 2 == 1 }

    init(told: Int64 = 0) { self.told = told }

    /// - Parameters:
    ///   - age: time since the champion moved.
    ///   - within: the time a flip may take.
    mutating func on(sequence: Int64, isBehind: Bool, age: Span, within: Span) -> Change? {
        if sequence != self.sequence {
            self.sequence = sequence
            // A flip that comes while the last one still lags goes on from there, under its own time.
            if isTold, age <= within { return nil }
        }
        if isBehind, !isTold, age > within {
            told += 1
            return .began
        }
        if !isBehind, isTold {
            told += 1
            return .ended
        }
        return nil
    }
}
