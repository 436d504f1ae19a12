import Hummingbird
import NIOCore
import Registry
import ServiceLifecycle

/// The connection that a request came on, as the server hands it to whoever answers.
struct ConnectionContext: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }
}

/// A connection, for answers that take long because they wait.
struct Connection: Sendable {
    let channel: any Channel

    /// Waits for what `body` waits for, until the client leaves or the server stops: each ends the wait that `body` is given.
    /// The request's body must have been left unread or be empty; the connection can carry another request afterwards.
    func whileOpen<T>(_ body: (WaitEnd) async throws -> T) async throws -> T {
        let end = WaitEnd()
        // Told later than the wait lasts, it does nothing.
        Departure.onNext(of: channel) { end.end() }
        return try await withGracefulShutdownHandler {
            try await body(end)
        } onGracefulShutdown: {
            end.end()
        }
    }

    /// Whether the client has closed its end, or the connection is closed altogether.
    var isLeft: Bool {
        get async {
            guard channel.isActive else { return true }
            let channel = channel
            let answer = channel.eventLoop.submit {
                (try? channel.pipeline.syncOperations.handler(type: Departure.self))?.isGone ?? true
            }
            return (try? await answer.get()) ?? true
        }
    }
}

/// Sees that a client has closed its end of a connection, and tells whoever waits there for something else.
///
/// Its state belongs to the connection's event loop.
final class Departure: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Never

    fileprivate private(set) var isGone = false
    private var told: (@Sendable () -> Void)?

    /// - Parameter told: called once, at once where the client has left already; the last one given counts.
    static func onNext(of channel: any Channel, _ told: @escaping @Sendable () -> Void) {
        let set: @Sendable () -> Void = {
            guard let handler = try? channel.pipeline.syncOperations.handler(type: Departure.self) else {
                // A closed channel has no handlers any more.
                told()
                return
            }
            handler.told = told
            if handler.isGone { told() }
        }
        if channel.eventLoop.inEventLoop { set() } else { channel.eventLoop.execute(set) }
    }

    private func leave() {
        isGone = true
        told?()
        told = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }
}
