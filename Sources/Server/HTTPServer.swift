import Hummingbird
import HummingbirdCore
package import Logging
package import MLflow
import NIOCore
import NIOPosix
package import Registry
package import ServiceLifecycle
import Values

/// The HTTP side of the monitor as one service: API, pages and `/metrics` on one port.
///
/// - Parameters:
///   - mlflow: answers MLflow's clients, where they are served.
///   - onRunning: called once with the bound port, before the first request is answered.
package func makeServer(
    configuration: ServerConfiguration, service: some MonitorService, registry: Registry,
    mlflow: MLflowAPI? = nil, log: Logger,
    onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> some Service {
    let backend = Backend(service: service, registry: registry, mlflow: mlflow, telemetry: ServerTelemetry(log: log))
    // One thread is enough for what is quick, and everything else leaves it.
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let executor = LoopExecutor(loop)
    let dispatcher = Dispatcher(
        routes: RouteTable(Routes.all(backend)), access: AccessGuard(configuration), telemetry: backend.telemetry)
    // Above the longest long poll, so that only connections without a request are closed.
    let idle = TimeAmount.seconds(ChampionQuery.waitMaximum.microseconds / 1_000_000 + 15)
    let application = Application(
        responder: dispatcher,
        server: .http1(configuration: .init(additionalChannelHandlers: [Departure()], idleTimeout: idle)),
        configuration: ApplicationConfiguration(
            address: .hostname(configuration.host, port: configuration.port),
            availableConnectionsDelegate: MaximumAvailableConnections(Limits.connections)),
        onServerRunning: { channel in
            let port = channel.localAddress?.port ?? configuration.port
            backend.telemetry.running(host: configuration.host, port: port)
            await onRunning(port)
        },
        eventLoopGroupProvider: .shared(loop),
        logger: log)
    return LoopService(base: application, executor: executor)
}

/// What the routes look at. They own none of it.
struct Backend: Sendable {
    let service: any MonitorService
    let registry: Registry
    /// `nil` where MLflow's interface is not served.
    let mlflow: MLflowAPI?
    let telemetry: ServerTelemetry
}

/// What one request, or all of them together, may use.
enum Limits {
    static let connections = 12_000
    /// Of posted events.
    static let eventBytes = 32 << 20
    /// Of every other body.
    static let requestBytes = 64 << 10
    /// Of what MLflow's clients log at once; a dataset's profile alone may have 16 MB.
    static let mlflowBytes = 20 << 20
    /// Of a body that is read where its connection is; larger ones go to another thread.
    static let quickBytes = 16 << 10
    /// Of one artifact.
    static let artifactBytes: Int64 = 64 << 30
    static let snapshotWindows = 1_000
    static let resolvedAlerts = 1_000
}
