import AsyncHTTPClient
import Events
import Foundation
import NIOCore
import NIOHTTP1
import Values

/// The few calls of MLflow's REST API that an external server is driven by.
struct MLflowClient: Sendable {
    /// Why a call did not do what it was asked, without credentials.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let timeout = Duration.seconds(10)
    private static let answerBytesMaximum = 4 << 20

    let settings: Configuration.MLflow

    /// The version an alias points at; `nil` where the model has no such alias or the server no such model.
    func version(of alias: String, model: String) async throws -> String? {
        let query = "?name=\(Self.escaped(model))&alias=\(Self.escaped(alias))"
        let (status, body) = try await call(.GET, "registered-models/alias" + query)
        if status == 200 { return body["model_version"]?["version"]?.stringValue }
        // An unknown alias is answered as a wrong parameter with 400, an unknown model as missing with 404.
        let code = body["error_code"]?.stringValue
        if code == "INVALID_PARAMETER_VALUE" || code == "RESOURCE_DOES_NOT_EXIST" { return nil }
        throw failure("GET registered-models/alias", status, body)
    }

    func source(of version: String, model: String) async throws -> String {
        let query = "?name=\(Self.escaped(model))&version=\(Self.escaped(version))"
        let (status, body) = try await call(.GET, "model-versions/get" + query)
        guard status == 200 else { throw failure("GET model-versions/get", status, body) }
        return body["model_version"]?["source"]?.stringValue ?? "models:/\(model)/\(version)"
    }

    /// - Parameter version: `nil` removes the alias.
    func set(_ alias: String, of model: String, to version: String?) async throws {
        let body = JSON.members(
            ("name", .string(model)), ("alias", .string(alias)), ("version", version.map { .string($0) }))
        try await done(version == nil ? .DELETE : .POST, "registered-models/alias", body)
    }

    func tag(_ key: String, _ value: String, version: String, model: String) async throws {
        let body = JSON.members(
            ("name", .string(model)), ("version", .string(version)), ("key", .string(key)), ("value", .string(value)))
        try await done(.POST, "model-versions/set-tag", body)
    }

    private func done(_ method: HTTPMethod, _ path: String, _ body: JSON) async throws {
        let (status, answer) = try await call(method, path, body)
        guard status == 200 else { throw failure("\(method.rawValue) \(path)", status, answer) }
    }

    private func call(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil) async throws -> (Int, JSON) {
        var request = HTTPClientRequest(url: "\(settings.url)/api/2.0/mlflow/\(path)")
        request.method = method
        request.headers.add(name: "user-agent", value: "Holdfast")
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body.bytes))
        }
        if let token = settings.token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let user = settings.username { request.setBasicAuth(username: user, password: settings.password ?? "") }
        do {
            let deadline = NIODeadline.now() + TimeAmount(Self.timeout)
            let response = try await HTTPClient.shared.execute(request, deadline: deadline)
            let bytes = try await response.body.collect(upTo: Self.answerBytesMaximum)
            return (Int(response.status.code), (try? JSON(parsing: Array(bytes.readableBytesView))) ?? .null)
        } catch let error where !(error is CancellationError) {
            throw Failure(description: "\(settings.url) does not answer: \(error)")
        }
    }

    private func failure(_ what: String, _ status: Int, _ body: JSON) -> Failure {
        let why = body["message"]?.stringValue ?? body["error_code"]?.stringValue ?? ""
        return Failure(description: "\(settings.url): \(what) was answered \(status) \(why.prefix(300))")
    }

    private static func escaped(_ text: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}
