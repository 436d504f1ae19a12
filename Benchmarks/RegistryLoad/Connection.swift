import Glibc

/// One kept-alive HTTP/1.1 connection to this machine over a plain blocking socket: a request leaves in one write, and nothing
/// is read but what says where the answer ends. What it costs is two system calls a request, so that the server is what is
/// measured. Threads use one each.
struct Connection: ~Copyable {
    let socket: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)

    init(port: UInt16) throws(LoadError) {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        // The address outlives the call, and its size is the one that is given.
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw LoadError("port \(port): \(String(cString: strerror(errno)))") }
        var on: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(socket) }

    func send(_ request: [UInt8]) throws(LoadError) {
        let failed = request.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let sent = Glibc.send(socket, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
                if sent <= 0 { return true }
                rest = rest.dropFirst(sent)
            }
            return false
        }
        if failed { throw LoadError("the server closed the connection") }
    }

    /// Reads one whole answer and gives its body; anything but 200 is an error.
    @discardableResult
    mutating func receive() throws(LoadError) -> ArraySlice<UInt8> {
        var filled = 0
        var end: Int?
        while end == nil || filled < end ?? 0 {
            if filled == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
            let got = buffer.withUnsafeMutableBytes { bytes in
                recv(socket, bytes.baseAddress.map { $0 + filled }, bytes.count - filled, 0)
            }
            if got <= 0 { throw LoadError("the server closed the connection") }
            filled += got
            if end == nil { end = try Self.end(buffer[..<filled]) }
        }
        let body = Self.headEnd(buffer[..<filled]) ?? filled
        return buffer[body..<filled]
    }

    /// Where the answer ends; `nil` while its head is not whole.
    private static func end(_ bytes: ArraySlice<UInt8>) throws(LoadError) -> Int? {
        guard let head = headEnd(bytes) else { return nil }
        let status = String(decoding: bytes[9..<12], as: UTF8.self)
        var length: Int?
        var line = 0
        let name = Array("content-length:".utf8)
        for i in bytes[..<head].indices where bytes[i] == 0x0a {
            let field = bytes[line..<i]
            line = i + 1
            guard field.count > name.count, zip(field, name).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { continue }
            length = field.dropFirst(name.count).reduce(into: 0) {
                if $1 &- 0x30 < 10 { $0 = $0 * 10 + Int($1 - 0x30) }
            }
        }
        guard status == "200" else {
            throw LoadError("status \(status): \(String(decoding: bytes[head...].prefix(300), as: UTF8.self))")
        }
        guard let length else { throw LoadError("an answer without Content-Length") }
        return head + length
    }

    private static func headEnd(_ bytes: ArraySlice<UInt8>) -> Int? {
        var i = bytes.startIndex
        while i + 4 <= bytes.endIndex {
            if bytes[i] == 0x0d, bytes[i + 1] == 0x0a, bytes[i + 2] == 0x0d, bytes[i + 3] == 0x0a { return i + 4 }
            i += 1
        }
        return nil
    }
}

/// Why nothing could be measured.
struct LoadError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Nanoseconds of the clock that Python calls `perf_counter`: the same one in every process of this machine.
func monotonic() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
