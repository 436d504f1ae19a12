import Events
import Logging
import Registry
import Rules
import ServiceLifecycle
import Values

/// Keeps the rules informed of which versions serve as champion, challenger and shadow: all that the registry remembers of it, read again
/// when something happened there.
struct RoleWatch: Service {
    let registry: Registry
    let models: [String]
    /// By model: the registry's versions are told apart whatever else comes.
    let places: [String: NamePlaces]
    let book: RuleBook
    let log: Logger

    private static let pause = Duration.seconds(1)
    private static let batch = 1_000

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var sequence: Int64?
            let bell = Doorbell()
            while !Task.isCancelled {
                do {
                    sequence = try await look(after: sequence)
                } catch is CancellationError {
                    return
                } catch {
                    log.warning("roles of versions cannot be read", metadata: ["reason": "\(error)"])
                }
                await bell.wait(atMost: Self.pause)
            }
        }
    }

    /// Reads the roles of every model, before any window closes without them.
    func start() async throws { _ = try await look(after: nil) }

    private func look(after sequence: Int64?) async throws -> Int64 {
        guard let sequence else {
            // The events first: what happens meanwhile is then read twice rather than not at all.
            let newest = try await newest(after: 0)
            for model in models { try await read(model) }
            return newest
        }
        let events = try await registry.events(after: sequence, limit: Self.batch)
        for model in Set(events.map(\.model)) where models.contains(model) { try await read(model) }
        return events.last?.sequence ?? sequence
    }

    private func newest(after start: Int64) async throws -> Int64 {
        var sequence = start
        while let last = try await registry.events(after: sequence, limit: Self.batch).last?.sequence {
            sequence = last
        }
        return sequence
    }

    private func read(_ model: String) async throws {
        let moves = try await registry.aliasHistory(model: model).compactMap { move in
            RoleHistory.Role(rawValue: move.alias).map { RoleHistory.Move(role: $0, version: move.to, at: move.at) }
        }
        places[model]?.reserve(versions: try await registry.versions(model: model).map(\.version))
        book.setRoles(RoleHistory(moves), model: model)
    }
}
