package import Values

/// Someone who is told of alerts: a name rules refer to, and how to reach them. Plain values, made by the
/// configuration; nothing here is checked until a sender is built from it.
package struct Receiver: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case webhook(Webhook)
        /// The service's own log.
        case log
    }

    /// An HTTP endpoint that takes alerts in some form; plainly, Alertmanager's webhook body signed as Standard Webhooks asks.
    package struct Webhook: Sendable, Hashable {
        /// A secret: chat services put their token in the path. Only `WebhookURL.redacted` may be shown.
        package var url: String
        /// `whsec_` and base64, or raw text; two while a key is rotated; none to send unsigned.
        package var secrets: [String]
        /// For the whole attempt: looking the name up, connecting, sending and reading the answer. At most five
        /// minutes: an attempt holds a connection, and a hung receiver is better tried anew.
        package var timeout: Span
        package var options: Options
        package var form: DeliveryForm

        package init(
            url: String, secrets: [String] = [], timeout: Span = .seconds(15), options: Options = Options(),
            form: DeliveryForm = .standard
        ) {
            self.url = url
            self.secrets = secrets
            self.timeout = timeout
            self.options = options
            self.form = form
        }

        func requireBoundedTimeout() throws(ReceiverError) {
            let longest = Span.minutes(5)
            guard timeout > .zero, timeout <= longest else { throw .invalidTimeout(longest: longest) }
        }
    }

    /// What the operator permits this receiver beyond the safe defaults. Comes from the configuration file only,
    /// never from the API: whoever can set these can make the service call into its own network.
    package struct Options: Sendable, Hashable {
        package var allowHTTP: Bool
        /// The host may resolve to loopback or private addresses. Link-local addresses (cloud metadata) stay refused.
        package var allowPrivate: Bool
        /// Whether the URL is the operator's own, who may name this machine or the private network by writing it down. The
        /// URL of a client of the API permits nothing by itself.
        package var isTrusted: Bool

        package init(allowHTTP: Bool = false, allowPrivate: Bool = false, isTrusted: Bool = true) {
            self.allowHTTP = allowHTTP
            self.allowPrivate = allowPrivate
            self.isTrusted = isTrusted
        }
    }

    package var name: String
    package var kind: Kind

    /// Whether it can be given an order, as to start a pipeline, and not only alerts.
    package var takesOrders: Bool {
        if case .webhook(let webhook) = kind { webhook.form.takesAnything } else { false }
    }

    /// Whether alerts that fire must be told again and again.
    package var forgets: Bool {
        if case .webhook(let webhook) = kind { webhook.form == .alertmanager } else { false }
    }

    package init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// Every reason why this receiver could not be used, for `holdfast check`; empty where it is sound.
    package var problems: [ReceiverError] {
        guard case .webhook(let webhook) = kind else { return [] }
        var found = [ReceiverError]()
        do {
            try WebhookURL(parsing: webhook.url).requireEncryption(webhook.options)
        } catch {
            found.append(error)
        }
        for secret in webhook.secrets {
            do {
                _ = try SigningKey(parsing: secret)
            } catch {
                found.append(error)
            }
        }
        do {
            try webhook.requireBoundedTimeout()
        } catch {
            found.append(error)
        }
        return found
    }
}

extension Receiver.Webhook: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Redacted, because values end up in log lines and test output by interpolation.
    package var description: String {
        let shown = (try? WebhookURL(parsing: url))?.redacted ?? "unreadable URL"
        return "webhook \(shown), \(secrets.count) key(s), timeout \(timeout)"
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["webhook": description]) }
}
