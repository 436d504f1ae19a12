package import Values

/// What is wrong with a receiver as it was configured. The text says what to change and never holds the URL or a secret.
package enum ReceiverError: Error, Hashable, Sendable, CustomStringConvertible {
    case invalidURL
    case unsupportedScheme(String)
    case missingHost
    case noAddress
    case plainHTTP(redacted: String)
    case emptySecret
    case invalidSecret
    case invalidTimeout(longest: Span)

    package var description: String {
        switch self {
        case .invalidURL:
            "the webhook URL cannot be read: write it as https://host/path, with special characters percent-encoded"
        case .unsupportedScheme(let scheme):
            "the webhook URL has scheme \"\(scheme)\": only https (and http where it is allowed) can be delivered to"
        case .noAddress: "the receiver has no address: it writes to the log"
        case .missingHost: "the webhook URL has no host: write it as https://host/path"
        case .plainHTTP(let redacted):
            "\(redacted) is not encrypted: use https, or set allow_http for this receiver"
        case .emptySecret: "the webhook secret is empty: give a whsec_… key, or leave the secret out to send unsigned"
        case .invalidSecret:
            "the webhook secret starts with whsec_ but what follows is not base64: copy it again in full"
        case .invalidTimeout(let longest): "the webhook timeout must be more than 0s and at most \(longest)"
        }
    }
}
