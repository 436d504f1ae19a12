import AsyncHTTPClient
import Foundation
import NIOCore

/// Words for why there was no answer, for logs and dead letters. They must not hold the URL: its path can be the
/// secret, and libraries put what they like into their errors.
enum ConnectionFailure {
    private static let textBytesMax = 200

    static func text(of error: any Error, url: WebhookURL) -> String {
        "\(url.redacted): \(reason(error, url: url))"
    }

    private static func reason(_ error: any Error, url: WebhookURL) -> String {
        if error is CancellationError { return "the receiver did not answer in time" }
        if let error = error as? HTTPClientError {
            switch error {
            case .deadlineExceeded, .readTimeout, .writeTimeout, .cancelled:
                return "the receiver did not answer in time"
            case .connectTimeout, .tlsHandshakeTimeout: return "the connection could not be opened in time"
            case .remoteConnectionClosed: return "the receiver closed the connection without an answer"
            default: return error.shortDescription
            }
        }
        if let error = error as? IOError {
            return error.errnoCode == ECONNREFUSED ? "connection refused" : "network error \(error.errnoCode)"
        }
        let text = String(String(describing: error).prefix(textBytesMax))
        return url.isSafe(toShow: text) ? text : String(describing: type(of: error))
    }
}
