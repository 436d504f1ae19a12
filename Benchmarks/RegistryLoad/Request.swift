import Foundation

/// What is sent, as it came from the standard input.
struct Request: Sendable {
    let head: [UInt8]
    let body: [UInt8]

    init(_ data: Data) throws(LoadError) {
        guard let gap = data.range(of: Data("\r\n\r\n".utf8)) else { throw LoadError("the request has no empty line") }
        head = Array(data[..<gap.lowerBound])
        body = Array(data[gap.upperBound...])
    }

    /// Head and body as one, with the length that the body has once its places are filled.
    func template(thread: Int) -> Template {
        let length = Template(body, thread: thread).bytes.count
        let end = body.isEmpty ? "\r\n\r\n" : "\r\nContent-Length: \(length)\r\n\r\n"
        return Template(head + Array(end.utf8) + body, thread: thread)
    }
}
