import NIOCore
import NIOPosix

/// An HTTP client made of little: it sends what it is told byte for byte, and shares no code with what it tests.
struct Client: Sendable {
    struct Answer: Sendable {
        let status: Int
        /// Names in lower case; repeated fields joined by `, `.
        let headers: [String: String]
        let body: String
    }

    let port: Int

    func get(_ path: String, _ headers: [(String, String)] = []) async throws -> Answer {
        try await send("GET", path, headers)
    }

    func post(_ path: String, _ body: String, _ headers: [(String, String)] = []) async throws -> Answer {
        try await send("POST", path, headers, body: body)
    }

    func send(
        _ method: String, _ path: String, _ headers: [(String, String)] = [], body: String? = nil
    ) async throws -> Answer {
        try await connected { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request(method, path, headers, body: body)))
            var all = ByteBuffer()
            for try await part in inbound { all.writeImmutableBuffer(part) }
            return Self.parse(String(buffer: all))
        }
    }

    /// Sends a request, runs `while waiting`, and leaves without reading an answer.
    func abandon(_ path: String, whileWaiting: @escaping @Sendable () async throws -> Void) async throws {
        try await connected { _, outbound in
            try await outbound.write(ByteBuffer(string: request("GET", path, [], body: nil)))
            try await whileWaiting()
        }
    }

    /// Sends the beginning of a request and leaves.
    func abandon(sending text: String) async throws {
        try await connected { _, outbound in try await outbound.write(ByteBuffer(string: text)) }
    }

    /// Asks for answers without a body, one after another on one connection: their statuses, as far as it carried them.
    func getEmpty(onOneConnection paths: [String]) async throws -> [Int] {
        try await connected { inbound, outbound in
            var parts = inbound.makeAsyncIterator()
            var statuses: [Int] = []
            for path in paths {
                try await outbound.write(ByteBuffer(string: request("GET", path, [], body: nil, stays: true)))
                var answer = ByteBuffer()
                while !answer.readableBytesView.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                    guard let part = try await parts.next() else { return statuses }
                    answer.writeImmutableBuffer(part)
                }
                statuses.append(Self.parse(String(buffer: answer)).status)
            }
            return statuses
        }
    }

    private func request(
        _ method: String, _ path: String, _ headers: [(String, String)], body: String?, stays: Bool = false
    ) -> String {
        var text = "\(method) \(path) HTTP/1.1\r\n"
        if !headers.contains(where: { $0.0.lowercased() == "host" }) { text += "Host: 127.0.0.1:\(port)\r\n" }
        if !stays { text += "Connection: close\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body, !headers.contains(where: { ["content-length", "transfer-encoding"].contains($0.0.lowercased()) }) {
            text += "Content-Length: \(body.utf8.count)\r\n"
        }
        return text + "\r\n" + (body ?? "")
    }

    private func connected<T: Sendable>(
        _ body:
            @escaping @Sendable (
                NIOAsyncChannelInboundStream<ByteBuffer>, NIOAsyncChannelOutboundWriter<ByteBuffer>
            ) async throws -> T
    ) async throws -> T {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { try await body($0, $1) }
    }

    private static func parse(_ text: String) -> Answer {
        // Split by scalars: to Swift, CR LF is one character.
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
            String(String.UnicodeScalarView($0.last == "\r" ? $0.dropLast() : $0))
        }
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var headers: [String: String] = [:]
        var i = 1
        while i < lines.count, !lines[i].isEmpty {
            let halves = lines[i].split(separator: ":", maxSplits: 1)
            if halves.count == 2 {
                let value = String(halves[1].drop { $0 == " " })
                headers.merge([halves[0].lowercased(): value]) { "\($0), \($1)" }
            }
            i += 1
        }
        return Answer(status: status, headers: headers, body: lines.dropFirst(i + 1).joined(separator: "\n"))
    }
}
