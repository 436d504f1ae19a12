import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Values

/// The demo's operator, over the API like anybody else.
struct DemoClient {
    let port: Int

    func promote(_ model: String, _ version: String) async throws {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/v1/models/\(model)/promote")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        let body = JSON.members(("version", .string(version)), ("reason", "new release"), ("actor", "demo"))
        request.body = .bytes(ByteBuffer(bytes: body.bytes))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        guard response.status == .ok else {
            let text = try await response.body.collect(upTo: 1 << 16)
            throw Demo.Failure(description: "promote answered \(response.status.code): \(String(buffer: text))")
        }
    }
}
