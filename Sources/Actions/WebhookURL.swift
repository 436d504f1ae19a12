import Foundation

/// A webhook's address, taken apart once. The same parser (Foundation's) is what the HTTP client uses, so that the
/// host we vet and the host it connects to cannot differ.
package struct WebhookURL: Sendable {
    /// The whole URL, for the client only.
    let text: String
    let scheme: String
    /// Without the brackets of an IPv6 literal, in the case it was written in: the client compares it so.
    let host: String
    let user: String?
    let password: String?
    /// The address, where the host was written as one.
    let literal: IPAddress?

    package init(parsing text: String) throws(ReceiverError) {
        // A URL with white space or control characters could smuggle header lines; no valid one has any.
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }), let url = URL(string: text) else {
            throw .invalidURL
        }
        let scheme = url.scheme?.lowercased() ?? ""
        guard scheme == "https" || scheme == "http" else { throw .unsupportedScheme(scheme) }
        var host = url.host ?? ""
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw .missingHost }
        self.text = text
        self.scheme = scheme
        self.host = host
        user = url.user(percentEncoded: false)
        password = url.password(percentEncoded: false)
        literal = IPAddress(parsing: host)
    }

    /// The whole URL with a service's own path behind it, where that is not written out already, and what is asked of it.
    func text(path: String, query: String = "") -> String {
        guard !path.isEmpty, var parts = URLComponents(string: text) else { return text }
        var own = parts.percentEncodedPath
        while own.hasSuffix("/") { own.removeLast() }
        if !own.hasSuffix(path) {
            // Of an address that names the service's first path, the rest is appended.
            let common = path.indices.reversed().first { own.hasSuffix(path[..<$0]) && path[$0] == "/" }
            own += common.map { String(path[$0...]) } ?? path
        }
        parts.percentEncodedPath = own
        if !query.isEmpty { parts.percentEncodedQuery = query }
        return parts.string ?? text
    }

    /// All that may be shown of it. Neither user, path nor query: each can be the secret.
    package var redacted: String { literal?.isIPv6 == true ? "\(scheme)://[\(host)]/…" : "\(scheme)://\(host)/…" }

    /// The operator named this machine or a machine of the private network itself, by address or as `localhost`.
    var namesLocalAddress: Bool { literal.map { $0.reach == .local } ?? (host.lowercased() == "localhost") }

    /// Encryption may be left out only where the traffic stays local or the operator said so.
    func requireEncryption(_ options: Receiver.Options) throws(ReceiverError) {
        guard scheme == "https" || options.allowHTTP || options.isTrusted && namesLocalAddress else {
            throw .plainHTTP(redacted: redacted)
        }
    }

    /// Takes what must not be shown out of a text that came from elsewhere, such as a library's error.
    func isSafe(toShow message: String) -> Bool {
        guard let parts = URLComponents(string: text) else { return false }
        let secrets = [
            parts.path, parts.percentEncodedPath, parts.query, parts.percentEncodedQuery, user, password,
        ]
        return !secrets.compactMap { $0 }.contains { $0.count > 1 && message.contains($0) }
    }
}
