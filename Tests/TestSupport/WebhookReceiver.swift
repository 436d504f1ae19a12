import COpenSSL
import Foundation
import Synchronization
package import Values

/// An HTTP endpoint on loopback that remembers what it was sent, for tests of deliveries. Plain sockets and a thread per
/// connection: it shares no code with what it tests. Not for anything but tests: it trusts its callers.
package final class WebhookReceiver: Sendable {
    /// How requests are answered.
    package enum Mode: Sendable {
        case ok
        case status(Int, headers: [String: String] = [:])
        /// The first `times` requests get the status, the others 200.
        case failing(times: Int, status: Int, headers: [String: String] = [:])
        /// Answers 200 after this long, or not at all if the caller leaves first.
        case slow(Span)
        /// Answers 200 and a body that has no end.
        case endless
        /// Answers 200 and promises a body that it does not send.
        case stalled
        /// Answers by path; `*` is every other one.
        case table([String: Answer])
    }

    /// A status and a body.
    package struct Answer: Sendable {
        package let status: Int
        package let body: String

        package init(_ status: Int, _ body: String) {
            self.status = status
            self.body = body
        }
    }

    package struct Request: Sendable {
        package let method: String
        package let path: String
        /// Names in lower case.
        package let headers: [String: String]
        package let body: [UInt8]

        package init(method: String, path: String, headers: [String: String], body: [UInt8]) {
            self.method = method
            self.path = path
            self.headers = headers
            self.body = body
        }

        package subscript(header: String) -> String? { headers[header] }

        /// True if a `v1` signature of the request fits the secret. Computed apart from the sender's code, so that a
        /// mistake there is not repeated here.
        package func isSigned(by secret: String) -> Bool {
            guard let id = headers["webhook-id"], let timestamp = headers["webhook-timestamp"],
                let given = headers["webhook-signature"]
            else { return false }
            let marker = "whsec_"
            let key =
                secret.hasPrefix(marker)
                ? Data(base64Encoded: String(secret.dropFirst(marker.count))).map { [UInt8]($0) } ?? []
                : [UInt8](secret.utf8)
            let text = [UInt8]("\(id).\(timestamp).".utf8) + body
            var digest = [UInt8](repeating: 0, count: 32)
            var length: UInt32 = 0
            guard HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &digest, &length) != nil else {
                return false
            }
            let expected = "v1," + Data(digest).base64EncodedString()
            return given.split(separator: " ").contains { $0 == expected }
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let port: UInt16
    private let listener: Int32
    private let shared: Shared

    package init(mode: Mode = .ok) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard listener >= 0 else { throw Failure(description: "socket: errno \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isListening else {
            close(listener)
            throw Failure(description: "cannot listen on 127.0.0.1: errno \(errno)")
        }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        let shared = Shared(mode: mode)
        self.shared = shared
        Thread.detachNewThread { shared.acceptLoop(listener) }
    }

    /// The accept loop sees the shutdown and closes the socket; connections end by themselves.
    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    package func url(path: String = "/hook") -> String { "http://127.0.0.1:\(port)\(path)" }

    package var requests: [Request] { shared.state.withLock { $0.requests } }

    /// Applies to requests that come from now on; the count of `failing` starts anew.
    package func answer(_ mode: Mode) {
        shared.state.withLock {
            $0.mode = mode
            $0.answered = 0
        }
    }

    /// The requests so far, once there are `count` of them; throws where they do not come within the deadline.
    @discardableResult
    package func waitFor(count: Int, deadline: Span = .seconds(10)) async throws -> [Request] {
        let shared = shared
        let inTime = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let id = shared.wait(count: count, continuation)
            guard let id else { return }
            DispatchQueue.global().asyncAfter(deadline: .now() + deadline.seconds) { shared.giveUp(id) }
        }
        let seen = requests
        guard inTime else {
            throw Failure(description: "\(seen.count) of \(count) requests came within \(deadline)")
        }
        return seen
    }
}

/// What the receiver's threads share. They hold this and not the receiver, so that dropping the receiver ends them.
private final class Shared: Sendable {
    struct Waiter {
        let id: Int
        let count: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    struct State {
        var mode: WebhookReceiver.Mode
        var requests: [WebhookReceiver.Request] = []
        var answered = 0
        var waiters: [Waiter] = []
        var nextWaiter = 0
    }

    static let requestBytesMax = 16 << 20

    let state: Mutex<State>

    init(mode: WebhookReceiver.Mode) { state = Mutex(State(mode: mode)) }

    /// The waiter's number, `nil` where there is nothing to wait for.
    func wait(count: Int, _ continuation: CheckedContinuation<Bool, Never>) -> Int? {
        let id: Int? = state.withLock { state in
            guard state.requests.count < count else { return nil }
            state.nextWaiter += 1
            state.waiters.append(Waiter(id: state.nextWaiter, count: count, continuation: continuation))
            return state.nextWaiter
        }
        if id == nil { continuation.resume(returning: true) }
        return id
    }

    func giveUp(_ id: Int) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }

    func acceptLoop(_ listener: Int32) {
        while true {
            let connection = accept(listener, nil, nil)
            if connection < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                close(listener)
                return
            }
            Thread.detachNewThread { [self] in
                serve(connection)
                close(connection)
            }
        }
    }

    private func serve(_ connection: Int32) {
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard let request = read(connection) else { return }
        let (mode, isEarly, ready) = state.withLock { state in
            state.requests.append(request)
            state.answered += 1
            var isEarly = false
            if case .failing(let times, _, _) = state.mode { isEarly = state.answered <= times }
            let count = state.requests.count
            let ready = state.waiters.filter { $0.count <= count }
            state.waiters.removeAll { $0.count <= count }
            return (state.mode, isEarly, ready)
        }
        for waiter in ready { waiter.continuation.resume(returning: true) }
        switch mode {
        case .ok: respond(connection, 200, [:])
        case .status(let status, let headers): respond(connection, status, headers)
        case .failing(_, let status, let headers): respond(connection, isEarly ? status : 200, isEarly ? headers : [:])
        case .slow(let delay):
            if !waitForCaller(connection, atMost: delay) { respond(connection, 200, [:]) }
        case .table(let answers):
            let answer = answers[request.path] ?? answers["*"] ?? WebhookReceiver.Answer(404, "{}")
            respond(connection, answer.status, [:], body: answer.body)
        case .endless:
            guard send(connection, [UInt8]("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".utf8)) else { break }
            let part = [UInt8](repeating: UInt8(ascii: "x"), count: 16 << 10)
            while send(connection, part) {}
        case .stalled:
            guard send(connection, [UInt8]("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".utf8)) else { break }
            waitForCaller(connection, atMost: .minutes(2))
        }
    }

    /// True if the caller left within that time. It sends nothing more, so readable means that it has.
    @discardableResult
    private func waitForCaller(_ connection: Int32, atMost limit: Span) -> Bool {
        var waiting = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, Int32(clamping: limit.microseconds / 1_000)) != 0
    }

    private func respond(
        _ connection: Int32, _ status: Int, _ headers: [String: String], body: String = "{}"
    ) {
        var head = "HTTP/1.1 \(status) Test\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        _ = send(connection, [UInt8]((head + "\r\n" + body).utf8))
    }

    private func send(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    /// Head, then as many bytes as `Content-Length` says; `nil` where that does not come.
    private func read(_ connection: Int32) -> WebhookReceiver.Request? {
        let separator = [UInt8]("\r\n\r\n".utf8)
        var received = [UInt8]()
        var part = [UInt8](repeating: 0, count: 64 << 10)
        var headEnd: Int?
        var length = 0
        var request = (method: "", path: "", headers: [String: String]())
        while received.count < Self.requestBytesMax {
            if headEnd == nil, let range = received.firstRange(of: separator) {
                headEnd = range.upperBound
                request = Self.head(String(decoding: received[..<range.lowerBound], as: UTF8.self))
                length = request.headers["content-length"].flatMap { Int($0) } ?? 0
            }
            if let headEnd, received.count >= headEnd + length {
                let body = [UInt8](received[headEnd..<headEnd + length])
                return WebhookReceiver.Request(
                    method: request.method, path: request.path, headers: request.headers, body: body)
            }
            let count = recv(connection, &part, part.count, 0)
            guard count > 0 else { return nil }
            received += part[..<count]
        }
        return nil
    }

    private static func head(_ text: String) -> (method: String, path: String, headers: [String: String]) {
        // "\r\n" is one Character in Swift, so the lines are split by that.
        let lines = text.split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        var headers = [String: String]()
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[line[..<colon].lowercased()] = value
        }
        return (String(words.first ?? ""), words.count > 1 ? String(words[1]) : "", headers)
    }
}
