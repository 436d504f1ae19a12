package import Values

/// A webhook that a client of MLflow's interface made: who is told of which events.
///
/// Its URL and its secret are kept in the registry's file, the secret sealed, and are never printed: chat services put tokens
/// into URLs.
package struct StoredWebhook: Sendable, Hashable {
    package let id: String
    package var name: String
    /// What its maker says of it.
    package var about: String
    package var url: String
    package var secret: String?
    /// Whether it has a secret that no key at hand opens. Nothing may be sent to it then, as nothing could be signed.
    package internal(set) var isLocked = false
    /// `entity.action` in MLflow's words, such as `model_version.created`.
    package var events: [String]
    package var isActive: Bool
    package let createdAt: Timestamp
    /// Grows with every change.
    package var updatedAt: Timestamp

    package init(
        id: String, name: String, about: String = "", url: String, secret: String? = nil, events: [String],
        isActive: Bool = true, at: Timestamp
    ) {
        self.id = id
        self.name = name
        self.about = about
        self.url = url
        self.secret = secret
        self.events = events
        self.isActive = isActive
        createdAt = at
        updatedAt = at
    }

    /// Under which it stands in the table of how far the feed's readers have come.
    package var consumer: String { "mlflow-webhook/\(id)" }
}

extension StoredWebhook: CustomStringConvertible, CustomReflectable {
    package var description: String { "webhook \(id)" }
    package var customMirror: Mirror { Mirror(self, children: ["webhook": id]) }
}
