import Foundation

/// Many connections that wait for one answer each, all seen by one thread as they become readable.
///
/// Says `ready` when all have asked. The answer's time is that of its first bytes, on the clock of `monotonic`.
func watch(_ request: Request, port: UInt16, count: Int) throws -> String {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(limit.rlim_max, rlim_t(count + 100))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var waiting: [pollfd] = []
    defer { for socket in waiting { close(abs(socket.fd)) } }
    for i in 0..<count {
        let connection = try Connection(port: port)
        try connection.send(request.template(thread: i % 100).bytes)
        // The connection closes its own descriptor when it goes out of scope; this one stays.
        let socket = dup(connection.socket)
        guard socket >= 0 else { throw LoadError("\(count) connections: \(String(cString: strerror(errno)))") }
        waiting.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0))
    }
    FileHandle.standardOutput.write(Data("ready\n".utf8))
    var times: [UInt64] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while times.count < count {
        guard poll(&waiting, nfds_t(count), 120_000) > 0 else {
            throw LoadError("\(count - times.count) connections were not answered in two minutes")
        }
        for i in waiting.indices where waiting[i].fd >= 0 && waiting[i].revents != 0 {
            let got = recv(waiting[i].fd, &buffer, buffer.count, 0)
            guard got > 12, buffer[9] == UInt8(ascii: "2"), buffer[11] == UInt8(ascii: "0") else {
                throw LoadError("answered: \(String(decoding: buffer[..<max(0, got)], as: UTF8.self))")
            }
            times.append(monotonic())
            // Those below zero are passed over.
            waiting[i].fd = -waiting[i].fd
        }
    }
    return "{\"answered_s\": [\(times.map { String(format: "%.6f", Double($0) / 1e9) }.joined(separator: ", "))]}"
}
