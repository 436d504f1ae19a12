import AsyncHTTPClient
import Events
import Foundation
import NIOCore
import NIOHTTP1
import Values

/// A running `holdfast serve` and its API.
final class Service: Sendable {
    let process: HoldfastProcess
    let port: Int

    /// Starts the service and waits until it answers.
    static func start(_ configuration: String) async throws -> Service {
        let process = try HoldfastProcess(["serve", "--config", configuration])
        let port = try await eventually("serve answers", .seconds(30)) { () -> Int? in
            if let status = process.status { throw TestFailure("serve ended with \(status): \(process.text)") }
            guard
                let line = process.text.split(separator: "\n").first(where: {
                    $0.contains("msg=serving") || $0.contains("msg=\"serving")
                }),
                let colon = line.range(of: "http://127.0.0.1:")
            else { return nil }
            return Int(line[colon.upperBound...].prefix { $0.isNumber })
        }
        return Service(process, port)
    }

    private init(_ process: HoldfastProcess, _ port: Int) {
        self.process = process
        self.port = port
    }

    func get(_ path: String) async throws -> (status: Int, body: [UInt8]) {
        let response = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)"), timeout: .seconds(20))
        return (Int(response.status.code), Array(try await response.body.collect(upTo: 512 << 20).readableBytesView))
    }

    func post(_ path: String, _ body: String) async throws -> (status: Int, json: JSON) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let bytes = Array(try await response.body.collect(upTo: 1 << 20).readableBytesView)
        return (Int(response.status.code), (try? JSON(parsing: bytes)) ?? .null)
    }

    /// The value of a metric, summed over its labels.
    func metric(_ name: String, _ labels: String = "") async throws -> Double {
        let text = String(decoding: try await get("/metrics").body, as: UTF8.self)
        return text.split(separator: "\n").filter { $0.hasPrefix(name) && (labels.isEmpty || $0.contains(labels)) }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    /// Lines of all snapshots, oldest window first.
    func snapshotLines(_ model: String) async throws -> [String] {
        let body = try await get("/v1/models/\(model)/snapshots?format=jsonl&limit=1000").body
        return String(decoding: body, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Ends the service as an operator does; its exit status.
    func stop() async throws -> Int32 {
        process.kill(SIGTERM)
        return try await process.waitForEnd(.seconds(15))
    }
}
