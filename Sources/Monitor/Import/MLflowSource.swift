import AsyncHTTPClient
import Events
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Values

/// Another MLflow server, read over REST. Reads are tried again where that can help.
struct MLflowSource: Sendable {
    /// What the server said instead of an answer.
    struct Failure: Error, CustomStringConvertible {
        let status: Int
        let description: String
    }

    /// Without a slash at its end.
    let url: String
    let username: String?
    /// A password where there is a user name, else a bearer token.
    let secret: String?

    private static let attempts = 4
    /// Lives as long as the program. It tells at once when nobody listens; how often to try again is decided here.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(5)))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()
    private static let answerBytes = 64 << 20

    func get(_ path: String, _ query: [(String, String)] = []) async throws -> JSON {
        try await json(request(path, query))
    }

    func post(_ path: String, _ body: JSON) async throws -> JSON {
        var request = request(path, [])
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(body.bytes)
        return try await json(request)
    }

    /// All items of a search that goes page by page.
    func all(_ path: String, _ key: String, _ body: [JSON.Member]) async throws -> [JSON] {
        var items: [JSON] = []
        var token: JSON?
        repeat {
            let page = try await post(path, .object(body + (token.map { [JSON.Member("page_token", $0)] } ?? [])))
            items += page[key]?.arrayValue ?? []
            token = page["next_page_token"].flatMap { $0.stringValue?.isEmpty == false ? $0 : nil }
        } while token != nil
        return items
    }

    /// As `all`, of a search that is asked by GET.
    func all(_ path: String, _ key: String, query: [(String, String)]) async throws -> [JSON] {
        var items: [JSON] = []
        var token: String?
        repeat {
            let page = try await get(path, query + (token.map { [("page_token", $0)] } ?? []))
            items += page[key]?.arrayValue ?? []
            token = page["next_page_token"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        } while token != nil
        return items
    }

    /// The bytes of an artifact, as they come.
    func download(_ path: String) async throws -> Pieces {
        let response = try await execute(request("/api/2.0/mlflow-artifacts/artifacts/" + Self.encode(path), []))
        return Pieces(body: response.body)
    }

    struct Pieces: AsyncSequence, Sendable {
        let body: HTTPClientResponse.Body

        struct Iterator: AsyncIteratorProtocol {
            var base: HTTPClientResponse.Body.AsyncIterator

            mutating func next() async throws -> [UInt8]? { try await base.next().map { Array($0.readableBytesView) } }
        }

        func makeAsyncIterator() -> Iterator { Iterator(base: body.makeAsyncIterator()) }
    }

    private func request(_ path: String, _ query: [(String, String)]) -> HTTPClientRequest {
        let text = query.map { "\(Self.encode($0.0))=\(Self.encode($0.1).replacing("/", with: "%2F"))" }
            .joined(separator: "&")
        var request = HTTPClientRequest(url: url + path + (text.isEmpty ? "" : "?" + text))
        request.headers.add(name: "user-agent", value: "Holdfast")
        if let username {
            request.setBasicAuth(username: username, password: secret ?? "")
        } else if let secret {
            request.headers.add(name: "authorization", value: "Bearer \(secret)")
        }
        return request
    }

    private func json(_ request: HTTPClientRequest) async throws -> JSON {
        let response = try await execute(request)
        let body = try await response.body.collect(upTo: Self.answerBytes)
        do {
            return try JSON(parsing: body.readableBytesView)
        } catch {
            throw Failure(
                status: 200, description: "\(url): the answer is not JSON: is this the address of an MLflow server?")
        }
    }

    private func execute(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        var wait = Duration.milliseconds(200)
        for attempt in 1... {
            do {
                let response = try await Self.client.execute(request, timeout: .seconds(120))
                if response.status == .ok { return response }
                let text = String(buffer: (try? await response.body.collect(upTo: 1 << 16)) ?? ByteBuffer())
                let failure = Failure(
                    status: Int(response.status.code),
                    description: "\(url) answered \(response.status.code): \(text.prefix(300))")
                guard response.status.code >= 500 || response.status.code == 429, attempt < Self.attempts else {
                    throw failure
                }
            } catch let error where !(error is Failure) && !(error is CancellationError) {
                guard attempt < Self.attempts else {
                    throw Failure(status: 0, description: "\(url) does not answer: \(error)")
                }
            }
            try await Task.sleep(for: wait)
            wait *= 3
        }
        throw Failure(status: 0, description: "\(url) does not answer")
    }

    /// Percent-encodes all but what a path may hold as it is.
    private static func encode(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                out += "%" + (hex.count == 1 ? "0" + hex : hex)
            }
        }
        return out
    }
}
