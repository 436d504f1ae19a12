import AsyncHTTPClient
import Events
import NIOCore
import NIOHTTP1
import Values

/// What a schema registry answered to one request.
struct SchemaAnswer: Sendable {
    /// A schema is text that somebody wrote; a larger answer is something else.
    private static let bodyBytesMaximum = 4 << 20
    private static let shownCharacters = 200

    enum Meaning: Equatable {
        /// The schema as it is registered, whatever it says: it is judged where it is used.
        case schema([UInt8])
        /// There is no schema of that number.
        case unknown(String)
        case failure(String)
    }

    private struct TimedOut: Error {}

    let status: Int
    let body: [UInt8]

    /// Makes the request; its body counts against the time too, so that one that drips for ever ends.
    static func fetch(_ request: HTTPClientRequest, timeout: Span) async throws -> SchemaAnswer {
        try await withThrowingTaskGroup(of: SchemaAnswer?.self) { group in
            group.addTask {
                let response = try await HTTPClient.shared.execute(
                    request, timeout: .microseconds(timeout.microseconds))
                let body = try await response.body.collect(upTo: bodyBytesMaximum)
                return SchemaAnswer(status: Int(response.status.code), body: Array(body.readableBytesView))
            }
            group.addTask {
                try await Task.sleep(for: .microseconds(timeout.microseconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() ?? nil else { throw TimedOut() }
            return answer
        }
    }

    /// Words for why there was no answer.
    static func words(for error: any Error) -> String {
        if error is TimedOut { return "no answer in time" }
        if let error = error as? HTTPClientError {
            switch error {
            case .deadlineExceeded, .readTimeout, .writeTimeout, .cancelled: return "no answer in time"
            case .connectTimeout: return "the connection could not be opened in time"
            case .remoteConnectionClosed: return "the connection was closed without an answer"
            default: return error.shortDescription
            }
        }
        if error is NIOTooManyBytesError { return "the answer is over \(bodyBytesMaximum) bytes long" }
        if let error = error as? IOError { return "network error \(error.errnoCode)" }
        return String("\(error)".prefix(shownCharacters))
    }

    func read() -> Meaning {
        let json = try? JSON(parsing: body)
        guard status == 200 else {
            let code = json?["error_code"]?.integerValue
            let message = json?["message"]?.stringValue.map { ": \($0.prefix(Self.shownCharacters))" } ?? ""
            // 404 without that code is some other server, or a wrong path: it may be mended any moment, too.
            return status == 404 && (code == nil || code == 40403)
                ? .unknown("it knows no such schema\(message)") : .failure("it answered \(status)\(message)")
        }
        guard let text = json?["schema"]?.stringValue else {
            return .failure("it answered 200, but with something that holds no schema")
        }
        return .schema(Array(text.utf8))
    }
}
