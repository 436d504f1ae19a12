package import Values

/// A row of the outbox that is due, as the sender needs it.
package struct PendingDelivery: Sendable, Hashable {
    /// `webhook-id`: the same on every attempt, so that a receiver can drop repeats.
    package var id: String
    /// The receiver's name.
    package var receiver: String
    package var body: [UInt8]
    /// The body, read, for receivers that want it in another form; `nil` where it is no JSON.
    package var message: JSON?
    /// Attempts made so far.
    package var attempts: Int
    package var firstAttempt: Timestamp?

    package init(
        id: String, receiver: String, body: [UInt8], message: JSON? = nil, attempts: Int = 0,
        firstAttempt: Timestamp? = nil
    ) {
        self.message = message
        self.id = id
        self.receiver = receiver
        self.body = body
        self.attempts = attempts
        self.firstAttempt = firstAttempt
    }
}

/// What became of one attempt: to be written to the outbox as it is.
package struct DeliveryOutcome: Sendable, Hashable {
    package var result: DeliveryResult
    package var action: DeliveryAction
    /// Attempts made, this one included.
    package var attempts: Int
    package var firstAttempt: Timestamp
    /// A page should also be told through another receiver now.
    package var wantsFallback: Bool

    package init(
        result: DeliveryResult, action: DeliveryAction, attempts: Int, firstAttempt: Timestamp, wantsFallback: Bool
    ) {
        self.result = result
        self.action = action
        self.attempts = attempts
        self.firstAttempt = firstAttempt
        self.wantsFallback = wantsFallback
    }

    /// The `outcome` label of `holdfast_notifications_total`: few values, whatever receivers answer.
    package var label: String {
        switch action {
        case .delivered: "delivered"
        case .deliverAgain: "retry"
        case .dead: "dead"
        case .disableReceiver: "disabled"
        }
    }
}
