import Logging
import Registry
import Rules
import ServiceLifecycle
import Synchronization
import Values

/// How the champions of the monitored models changed, kept in memory for the engine, which cannot wait for the registry.
///
/// The registry's feed is looked at once a second: a window closes long after the release that it shows.
final class ChampionHistory: Service {
    private struct State {
        var sequence: Int64 = 0
        var moves: [String: [ChampionMove]] = [:]
    }

    /// Changes kept for each model, the newest.
    private static let maximumMoves = 32
    private static let batch = 1_000

    private let registry: Registry
    private let models: [String]
    private let log: Logger
    private let state = Mutex(State())

    init(registry: Registry, models: [String], log: Logger) {
        self.registry = registry
        self.models = models
        self.log = log
    }

    /// Oldest first. Never waits.
    func moves(of model: String) -> [ChampionMove] { state.withLock { $0.moves[model] ?? [] } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await self.refresh()
                } catch is CancellationError {
                    return
                } catch {
                    self.log.warning("the champions' history cannot be read", metadata: ["reason": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Reads what is new.
    func refresh() async throws {
        while true {
            let sequence = state.withLock { $0.sequence }
            let events = try await registry.events(after: sequence, limit: Self.batch)
            guard let last = events.last else { return }
            let changed = Set(
                events.filter { [.promoted, .rolledBack, .aliasSet, .aliasDeleted].contains($0.kind) }.map(\.model))
            for model in models where changed.contains(model) {
                let moves = try await registry.aliasHistory(model: model, alias: "champion").suffix(Self.maximumMoves)
                state.withLock {
                    $0.moves[model] = moves.map { ChampionMove(from: $0.from, to: $0.to, at: $0.at) }
                }
            }
            state.withLock { $0.sequence = last.sequence }
            if events.count < Self.batch { return }
        }
    }
}
