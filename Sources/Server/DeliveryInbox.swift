import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import ServiceLifecycle

/// A webhook receiver on loopback that accepts every delivery: the on-call of the demo.
///
/// - Parameters:
///   - onRunning: told the port.
///   - onDelivery: told the headers (names in lower case) and the body of each request.
package func makeDeliveryInbox(
    log: Logger, onRunning: @escaping @Sendable (Int) async -> Void,
    onDelivery: @escaping @Sendable (_ headers: [String: String], _ body: [UInt8]) async -> Void
) -> some Service {
    let router = Router()
    router.post("/**") { request, _ -> Response in
        let body = try await request.body.collect(upTo: 4 << 20)
        var headers: [String: String] = [:]
        for field in request.headers { headers[field.name.canonicalName] = field.value }
        await onDelivery(headers, Array(buffer: body))
        return Response(status: .ok)
    }
    return Application(
        router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) }, logger: log)
}
