/// Where the HTTP side listens and who may use it.
///
/// Invariant: nothing beyond this machine is served without a token, and no token is empty.
package struct ServerConfiguration: Sendable {
    package let host: String
    /// 0 lets the system choose; `makeServer` tells which one it became.
    package let port: Int
    /// Without one there is no authentication, on loopback only.
    package let tokens: [String]
    /// What each of them is for; one without a role may do everything.
    package let roles: [String: Role]
    /// Whose each of them is; those of one role without a name are one person to approvals.
    package let names: [String: String]

    package init(
        host: String, port: Int, tokens: [String], roles: [String: Role] = [:], names: [String: String] = [:]
    ) throws(ServerConfigurationError) {
        guard !host.isEmpty else {
            throw ServerConfigurationError("http.listen has no host: write 127.0.0.1:8080")
        }
        guard (0...65_535).contains(port) else {
            throw ServerConfigurationError("http.listen: port \(port) is not one: choose 1 to 65535")
        }
        guard tokens.allSatisfy({ !$0.isEmpty }) else {
            throw ServerConfigurationError("http.tokens holds an empty token: remove it, or set its variable or file")
        }
        guard !tokens.isEmpty || Self.isLoopback(host) else {
            throw ServerConfigurationError(
                "http.listen: \(host) can be reached from other machines, so http.tokens must name at least one token; "
                    + "or listen on 127.0.0.1")
        }
        self.host = host
        self.port = port
        self.tokens = tokens
        self.roles = roles
        self.names = names
    }

    /// Whether a host name or address can mean only this machine.
    static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host.lowercased()) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

/// A configuration that cannot be served safely, with what to do about it.
package struct ServerConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String
    package var description: String { message }

    init(_ message: String) { self.message = message }
}
