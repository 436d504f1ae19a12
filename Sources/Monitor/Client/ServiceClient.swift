import AsyncHTTPClient
import Events
import Foundation
import NIOCore
import NIOHTTP1
package import Rules
package import Values

/// Asks a running service, for commands of people.
package struct ServiceClient: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let timeout = TimeAmount.seconds(20)
    private static let answerBytes = 64 << 20

    private let base: String
    private let token: String?

    /// - Parameters:
    ///   - url: where the service is; `nil` for where the configuration says, or 127.0.0.1:8080 without one.
    ///   - config: a configuration file, for the address and the first token.
    ///   - token: else HOLDFAST_TOKEN of the environment, else the configuration's.
    package init(url: String?, config: String?, token: String?) throws {
        let http = try config.map { try ConfigurationReader.read($0).http }
        let host = http.map { $0.host == "0.0.0.0" || $0.host == "::" ? "127.0.0.1" : $0.host } ?? "127.0.0.1"
        var base = url ?? "http://\(host.contains(":") ? "[\(host)]" : host):\(http?.port ?? 8080)"
        while base.hasSuffix("/") { base.removeLast() }
        self.base = base
        let given = token ?? ProcessInfo.processInfo.environment["HOLDFAST_TOKEN"]
        self.token = given.flatMap { $0.isEmpty ? nil : $0 } ?? http?.tokens.first
    }

    /// Open alerts, then the newest resolved ones.
    package func alerts(model: String?, resolved: Int) async throws -> [ShownAlert] {
        var path = "/v1/alerts?resolved=\(resolved)"
        if let model { path += "&model=\(Self.escaped(model))" }
        return (try await ask(.GET, path)["alerts"]?.arrayValue ?? []).map(ShownAlert.init)
    }

    package func silences() async throws -> [ShownSilence] {
        (try await ask(.GET, "/v1/silences")["silences"]?.arrayValue ?? []).map(ShownSilence.init)
    }

    /// - Returns: the new silence's id.
    package func silence(
        _ matchers: [Silence.Matcher], duration: Span, createdBy: String, comment: String
    ) async throws -> String {
        let body = JSON.members(
            ("matchers", .array(matchers.map(\.json))), ("duration", .string(duration.description)),
            ("createdBy", .string(createdBy)), ("comment", .string(comment)))
        return try await ask(.POST, "/v1/silences", body)["silenceID"]?.stringValue ?? ""
    }

    package func endSilence(_ id: String) async throws {
        _ = try await ask(.DELETE, "/v1/silences/\(Self.escaped(id))")
    }

    /// Reads `country=BR`, `alertname=~"Feature.*"`, `severity!=page` or `team!~x|y`, as Alertmanager's tools do.
    package static func matcher(_ text: String) -> Silence.Matcher? {
        guard let place = text.firstIndex(where: { $0 == "=" || $0 == "!" }) else { return nil }
        let rest = text[place...]
        let name = String(text[..<place]).trimmingCharacters(in: .whitespaces)
        for (symbol, isRegex, isEqual) in [
            ("=~", true, true), ("!~", true, false), ("!=", false, false), ("=", false, true),
        ]
        where rest.hasPrefix(symbol) {
            var value = String(rest.dropFirst(symbol.count)).trimmingCharacters(in: .whitespaces)
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
                value = String(value.dropFirst().dropLast())
            }
            let matcher = Silence.Matcher(name: name, value: value, isRegex: isRegex, isEqual: isEqual)
            return matcher.problem == nil ? matcher : nil
        }
        return nil
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    private func ask(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil) async throws -> JSON {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body.bytes))
        }
        let status: UInt
        let bytes: [UInt8]
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: Self.timeout)
            status = response.status.code
            bytes = Array(try await response.body.collect(upTo: Self.answerBytes).readableBytesView)
        } catch {
            let text = "\(error)"
            let reason = text.contains("refused") ? "connection refused" : text
            throw Failure(description: "\(base): the service does not answer (\(reason)): is it running there?")
        }
        let json = (try? JSON(parsing: bytes)) ?? .null
        guard status < 300 else {
            let message = json["error"]?["message"]?.stringValue ?? "status \(status)"
            throw Failure(description: "\(base)\(path.prefix { $0 != "?" }): \(message)")
        }
        return json
    }
}
