import HTTPTypes
import Hummingbird
import NIOCore
import Values

/// The few kinds of answers there are, each with its content type.
extension Response {
    init(_ bytes: some Collection<UInt8>, type: String, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func json(_ json: JSON, status: HTTPResponse.Status = .ok) -> Response {
        Response(json.bytes, type: ContentType.json, status: status)
    }

    static func html(_ text: String) -> Response {
        var response = Response(text.utf8, type: ContentType.html)
        response.headers[.contentSecurityPolicy] = PageAssets.contentSecurityPolicy
        return response
    }
}

enum ContentType {
    static let json = "application/json"
    static let jsonLines = "application/x-ndjson"
    static let eventStream = "text/event-stream"
    static let html = "text/html; charset=utf-8"
    static let svg = "image/svg+xml"
    /// As Prometheus asks for it.
    static let metrics = "text/plain; version=0.0.4; charset=utf-8"
}
