import NIOCore
import Registry
import ServiceLifecycle
import Values

/// Champions as a stream of server-sent events: those that moved after a sequence, then each as it moves. Ends when the
/// server stops; readers come back with the id of the last event they saw.
struct ChampionEvents: AsyncSequence, Sendable {
    /// A connection without news is kept open by a comment this often; proxies end silent ones after about a minute.
    private static let heartbeat = Duration.seconds(15)

    let registry: Registry
    /// `nil` for every model.
    let model: String?
    let after: Int64

    func makeAsyncIterator() -> Iterator { Iterator(events: self, last: after) }

    struct Iterator: AsyncIteratorProtocol {
        let events: ChampionEvents
        var last: Int64
        var isConnected = false

        mutating func next() async throws -> ByteBuffer? {
            // At once, so that the reader knows that it is connected.
            guard isConnected else {
                isConnected = true
                return ByteBuffer(string: ": champions\n\n")
            }
            let (registry, after) = (events.registry, last)
            do {
                let states = try await cancelWhenGracefulShutdown {
                    try await registry.waitForChanges(after: after, timeout: heartbeat)
                }
                last = states.last?.sequence ?? last
                let own = states.filter { events.model == nil || $0.model == events.model }
                return ByteBuffer(string: own.isEmpty ? ": still here\n\n" : own.map(ChampionEvents.text).joined())
            } catch is CancellationError {
                return nil
            }
        }
    }

    private static func text(_ state: ChampionState) -> String {
        "id: \(state.sequence)\nevent: champion\ndata: \(state.json.text)\n\n"
    }
}
