package import Values

/// Decides, anew before every attempt, which addresses a webhook may be delivered to. A name that was harmless an
/// hour ago can point into our own network now (DNS rebinding), so the answer is never kept.
package struct AddressGuard: Sendable {
    package enum Verdict: Sendable, Hashable {
        /// Connect to these addresses only, in this order.
        case vetted([IPAddress])
        case refused(String)
        case failed(String)
    }

    /// A name with more addresses than this is tried at the first few only.
    static let addressesTried = 4

    let lookup: HostLookup

    package init(lookup: HostLookup) { self.lookup = lookup }

    package func vet(_ url: WebhookURL, options: Receiver.Options, timeout: Span) async -> Verdict {
        do {
            try url.requireEncryption(options)
        } catch {
            return .refused(error.description)
        }
        let addresses: [IPAddress]
        if let literal = url.literal {
            addresses = [literal]
        } else {
            do {
                addresses = try await lookup.addresses(of: url.host, timeout: timeout)
            } catch {
                return .failed(error.description)
            }
        }
        // One bad address condemns the name: the next lookup could put it first.
        for address in addresses {
            if let refusal = Self.refusal(of: address, url, options) { return .refused(refusal) }
        }
        return .vetted(Array(addresses.prefix(Self.addressesTried)))
    }

    /// Why a URL could never be delivered to, as far as that is to be told without looking its name up.
    package static func problem(_ url: String, options: Receiver.Options) throws(ReceiverError) -> String? {
        let url = try WebhookURL(parsing: url)
        try url.requireEncryption(options)
        return url.literal.flatMap { refusal(of: $0, url, options) }
    }

    private static func refusal(of address: IPAddress, _ url: WebhookURL, _ options: Receiver.Options) -> String? {
        switch address.reach {
        case .global: nil
        case .local where options.allowPrivate: nil
        case .local where options.isTrusted && url.namesLocalAddress && isOurs(address, url): nil
        case .local: "\(url.redacted) leads to a private address: set allow_private for this receiver if it is meant to"
        case .forbidden: "\(url.redacted) leads to a reserved address, which is never delivered to"
        }
    }

    /// `localhost` permits loopback alone, whatever a resolver makes of the name; a literal permits itself.
    private static func isOurs(_ address: IPAddress, _ url: WebhookURL) -> Bool {
        url.literal == address || address.isLoopback
    }
}
