import Values

/// When labels came, so that labels that stopped coming can be told from labels that come once a week.
struct LabelFlow: Codable, Sendable, Equatable {
    /// Event time of the newest label.
    private(set) var newest: Timestamp?
    /// The longest time between a label and the next newer one so far.
    private(set) var longest = Span.zero

    /// Takes labels in, in any order.
    mutating func note(_ times: some Sequence<Timestamp>) {
        for time in times.sorted() where time > newest ?? .distantPast {
            if let newest { longest = max(longest, time - newest) }
            newest = time
        }
    }

    /// How long no label had come at a time; `nil` before the first.
    func silence(at time: Timestamp) -> Span? { newest.map { max(.zero, time - $0) } }
}
