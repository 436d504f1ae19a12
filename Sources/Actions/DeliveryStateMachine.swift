package import Values

/// The life of one delivery: attempts until it is delivered, dead, or its receiver is gone. Time and chance are
/// parameters, so every path is tested without a clock or a socket; whoever keeps it does the sending.
package struct DeliveryStateMachine: Sendable, Hashable, Codable {
    package enum Limits {
        static let backoffBase = Span.seconds(1)
        static let backoffCap = Span.minutes(5)
        static let retryAfterCap = Span.hours(1)
        /// A wrong URL or key is mended by a person; asking every few seconds until then helps nobody.
        static let slowRetry = (shortest: Span.minutes(5), longest: Span.minutes(15))
        static let fallbackAfter = Span.minutes(5)
        /// After this long an undelivered alert is history.
        package static let lifetime = Span.hours(72)
    }

    /// Attempts made.
    package private(set) var attempts: Int
    package private(set) var firstAttempt: Timestamp?
    /// The last answer says that the configuration is wrong, not that the receiver is down.
    package private(set) var isMisconfigured = false

    package init(attempts: Int = 0, firstAttempt: Timestamp? = nil) {
        self.attempts = attempts
        self.firstAttempt = firstAttempt
    }

    /// - Parameter at: when the attempt was made.
    /// - Parameter random: in 0..<1; chooses the wait (full jitter: Brooker, "Exponential Backoff and Jitter", 2015).
    package mutating func on(_ result: DeliveryResult, at: Timestamp, random: Double) -> DeliveryAction {
        let first = firstAttempt ?? at
        firstAttempt = first
        attempts += 1
        isMisconfigured = Self.blamesConfiguration(result)
        if case .response(let status, _) = result {
            if (200..<300).contains(status) { return .delivered }
            if status == 410 {
                return .disableReceiver(reason: "the receiver answered 410 Gone: it no longer wants deliveries")
            }
        }
        if case .unacceptable = result { return .dead(reason: Self.reason(result)) }
        let expiry = first + Limits.lifetime
        guard at < expiry else {
            return .dead(reason: "not delivered in \(Limits.lifetime) (\(attempts) attempts): \(Self.reason(result))")
        }
        // One last attempt is made at the end of its life rather than none in the remainder.
        return .deliverAgain(at: min(at + wait(after: result, random: random), expiry))
    }

    /// True once a page should also be told through another receiver: this one has failed for five minutes, or never
    /// will work as it is configured.
    package func wantsFallback(at: Timestamp) -> Bool {
        guard let firstAttempt else { return false }
        return isMisconfigured || at - firstAttempt >= Limits.fallbackAfter
    }

    private func wait(after result: DeliveryResult, random: Double) -> Span {
        precondition((0..<1).contains(random), "random must lie in 0..<1")
        var asked = Span.zero
        if case .response(_, let retryAfter?) = result { asked = min(retryAfter, Limits.retryAfterCap) }
        if isMisconfigured {
            let (shortest, longest) = Limits.slowRetry
            return max(asked, Self.fraction(random, from: shortest, to: longest))
        }
        // 2^9 seconds are already beyond the cap; the bound keeps the shift defined after thousands of attempts.
        let doubled = Limits.backoffBase * (1 << Int64(min(attempts - 1, 9)))
        return max(asked, Self.fraction(random, from: .zero, to: min(Limits.backoffCap, doubled)))
    }

    private static func fraction(_ random: Double, from low: Span, to high: Span) -> Span {
        low + Span(microseconds: Int64(Double(high.microseconds - low.microseconds) * random))
    }

    private static func blamesConfiguration(_ result: DeliveryResult) -> Bool {
        switch result {
        case .response(let status, _): [401, 403, 404].contains(status)
        case .refused: true
        case .connectionError, .unacceptable: false
        }
    }

    /// For people: why the last attempt failed.
    package static func reason(_ result: DeliveryResult) -> String {
        switch result {
        case .response(let status, _) where (300..<400).contains(status):
            "the receiver answered \(status): redirects are not followed, configure the final URL"
        case .response(let status, _): "the receiver answered \(status)"
        case .unacceptable(let status):
            "the receiver answered \(status): it does not take this, however often it is sent"
        case .connectionError(let text), .refused(let text): text
        }
    }
}
