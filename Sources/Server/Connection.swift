import Hummingbird
import NIOCore
import ServiceLifecycle

/// The connection that a request came on, as the server hands it to whoever answers.
struct ConnectionContext: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }
}

/// A connection, for answers that take long because they wait.
struct Connection: Sendable {
    let channel: any Channel
    let executor: LoopExecutor

    /// Waits for what `body` waits for, until the client leaves, the server stops or the task is cancelled: each cancels `body`.
    /// The request's body must have been left unread or be empty; the connection can carry another request afterwards.
    func whileOpen<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
        let task = Task(executorPreference: executor) { try await body() }
        Departure.onNext(of: channel) { task.cancel() }
        defer { Departure.onNext(of: channel, nil) }
        return try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await task.value
            } onGracefulShutdown: {
                task.cancel()
            }
        } onCancel: {
            task.cancel()
        }
    }
}

/// Sees that a client has closed its end of a connection, and tells whoever waits there for something else.
///
/// Its state belongs to the connection's event loop.
final class Departure: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Never

    private var isGone = false
    private var told: (@Sendable () -> Void)?

    /// - Parameter told: called once, at once where the client has left already; `nil` takes the last one back.
    static func onNext(of channel: any Channel, _ told: (@Sendable () -> Void)?) {
        let set: @Sendable () -> Void = {
            guard let handler = try? channel.pipeline.syncOperations.handler(type: Departure.self) else {
                // A closed channel has no handlers any more.
                told?()
                return
            }
            handler.told = told
            if handler.isGone { told?() }
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
