package import Values

/// What one attempt came to, as far as the network can tell.
package enum DeliveryResult: Sendable, Hashable, Codable {
    /// The receiver answered. `retryAfter` is how long it asks us to wait, where it does.
    case response(status: Int, retryAfter: Span?)
    /// No answer: the text says why, without the URL.
    case connectionError(String)
    /// The receiver answered that it will never take this, whatever is tried.
    case unacceptable(status: Int)
    /// We did not try: the address is one we do not call. The text says what to change.
    case refused(String)
}

/// What to do after an attempt.
package enum DeliveryAction: Sendable, Hashable, Codable {
    case delivered
    case deliverAgain(at: Timestamp)
    /// Give up and keep it for a person: to be listed with its reason and replayed by hand.
    case dead(reason: String)
    /// The receiver says it is gone (410): stop sending to it altogether.
    case disableReceiver(reason: String)
}

/// Reads the `Retry-After` header (RFC 9110, 10.2.3): seconds, or a date in the one form senders may still use.
package enum RetryAfter {
    /// How long after `at`, never negative; `nil` where the text is neither form.
    package static func parse(_ text: String, at: Timestamp) -> Span? {
        let trimmed = text.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        if !trimmed.isEmpty, trimmed.utf8.allSatisfy({ (48...57).contains($0) }) {
            // More digits than a year of seconds needs: the caller caps it anyway.
            guard let seconds = Int64(trimmed), seconds <= 31_536_000 else { return .days(365) }
            return .seconds(seconds)
        }
        guard let date = httpDate(trimmed) else { return nil }
        return max(.zero, date - at)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func httpDate(_ text: String) -> Timestamp? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT",
            let month = months.firstIndex(of: String(words[2])), words[1].utf8.count == 2, words[3].utf8.count == 4
        else { return nil }
        let monthNumber = month + 1
        let twoDigits = monthNumber < 10 ? "0\(monthNumber)" : "\(monthNumber)"
        return Timestamp(rfc3339: "\(words[3])-\(twoDigits)-\(words[1])T\(words[4])Z")
    }
}
