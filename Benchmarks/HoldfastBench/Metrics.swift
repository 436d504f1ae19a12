#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads one number off a service's own page of metrics.
enum Metrics {
    /// Events of a topic that are counted durably; 0 while nobody answers.
    static func events(port: Int, topic: String) -> Int {
        guard port > 0 else { return 0 }
        let prefix = "holdfast_events_total{topic=\"\(topic)\""
        var total = 0
        for line in get("/metrics", port: port).split(separator: "\n") where line.hasPrefix(prefix) {
            total += line.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? 0
        }
        return total
    }

    /// CPU seconds of the workers by stage.
    static func stages(port: Int) -> [String: Double] {
        let name = "holdfast_worker_cpu_seconds_total"
        var seconds: [String: Double] = [:]
        for line in get("/metrics", port: port).split(separator: "\n") where line.hasPrefix(name) {
            guard let label = line.firstRange(of: "stage=\""),
                let value = line.split(separator: " ").last.flatMap({ Double($0) })
            else { continue }
            seconds[String(line[label.upperBound...].prefix { $0 != "\"" }), default: 0] += value
        }
        return seconds
    }

    private static func get(_ path: String, port: Int) -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return "" }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        guard write(descriptor, request, request.count) == request.count else { return "" }
        var answer = [UInt8]()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            answer += buffer.prefix(count)
        }
        return String(decoding: answer, as: UTF8.self)
    }
}
