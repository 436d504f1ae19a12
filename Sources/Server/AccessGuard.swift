import FoundationEssentials
import HTTPTypes
import Hummingbird

/// Who may ask: tokens, and requests that a person's browser was tricked into. Deny by default.
struct AccessGuard: Sendable {
    private let tokens: [(secret: [UInt8], role: Role, name: String)]
    /// Only a server on loopback can be the target of DNS rebinding; elsewhere its names are not known here.
    private let isLoopback: Bool

    init(_ configuration: ServerConfiguration) {
        tokens = configuration.tokens.map {
            let role = configuration.roles[$0] ?? .admin
            return (Array($0.utf8), role, configuration.names[$0] ?? "\(role)")
        }
        isLoopback = ServerConfiguration.isLoopback(configuration.host)
    }

    /// A name that another site points at 127.0.0.1 would make the browser treat us as that site (DNS rebinding), and a
    /// form on another site can post here (cross-site request forgery). Neither can hide its host or origin.
    func checkSender(_ request: Request) throws(Failure) {
        let host = request.head.authority ?? ""
        // Nearly all say so themselves, and are not taken apart.
        let isPlain = host.utf8.starts(with: "127.0.0.1:".utf8)
        if isLoopback, tokens.isEmpty, !isPlain, !host.isEmpty, !ServerConfiguration.isLoopback(Self.name(of: host)) {
            throw Failure(
                .misdirectedRequest, "wrong_host",
                "this server is for this machine: ask it as 127.0.0.1 or localhost, or configure http.tokens")
        }
        if request.method == .get || request.method == .head { return }
        if let origin = request.headers[.origin], origin != "http://\(host)", origin != "https://\(host)" {
            throw Failure(.forbidden, "cross_origin", "pages of another site may not change anything here")
        }
    }

    /// Who asks, and what the token lets them do.
    struct Caller: Sendable {
        /// The user name of Basic credentials, which is anyone's to choose: only the token counts.
        let user: String?
        /// Whose token it is; `nil` where there are no tokens and everybody is who they say.
        let name: String?
        let role: Role

        static let nobody = Caller(user: nil, name: nil, role: .viewer)
    }

    /// Without tokens, on this machine alone, everybody is an admin.
    func authenticate(_ request: Request) throws(Failure) -> Caller {
        let (user, secret) = Self.credentials(request.headers[.authorization])
        if tokens.isEmpty { return Caller(user: user, name: nil, role: .admin) }
        guard let secret, let (role, name) = owner(of: Array(secret.utf8)) else {
            var failure = Failure(
                .unauthorized, "unauthorized",
                "send one of the configured tokens: Authorization: Bearer TOKEN, or Basic with it as the password")
            // Two fields: some clients read only the first challenge of a joined one.
            failure.headers.append(HTTPField(name: .wwwAuthenticate, value: #"Bearer realm="holdfast""#))
            failure.headers.append(
                HTTPField(name: .wwwAuthenticate, value: #"Basic realm="holdfast", charset="UTF-8""#))
            throw failure
        }
        return Caller(user: user, name: name, role: role)
    }

    /// Looks at every byte of what was sent for every token, so that the time taken tells its length and nothing else.
    private func owner(of given: [UInt8]) -> (role: Role, name: String)? {
        var found: (role: Role, name: String)?
        for (token, role, name) in tokens {
            var difference = UInt(token.count ^ given.count)
            for i in given.indices { difference |= UInt(given[i] ^ token[i % token.count]) }
            if difference == 0, role >= found?.role ?? role { found = (role, name) }
        }
        return found
    }

    private static func credentials(_ header: String?) -> (user: String?, secret: String?) {
        guard let header, let space = header.firstIndex(of: " ") else { return (nil, nil) }
        let value = header[space...].drop { $0 == " " }
        switch header[..<space].lowercased() {
        case "bearer": return (nil, String(value))
        case "basic":
            guard let data = Data(base64Encoded: String(value)), let pair = String(validating: data, as: UTF8.self),
                let colon = pair.firstIndex(of: ":")
            else { return (nil, nil) }
            let user = String(pair[..<colon])
            return (user.isEmpty ? nil : user, String(pair[pair.index(after: colon)...]))
        default: return (nil, nil)
        }
    }

    /// The host of `host:port`, where an IPv6 address stands in brackets.
    private static func name(of authority: String) -> String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") { return String(authority[...end]) }
        return authority.split(separator: ":").first.map(String.init) ?? authority
    }
}
