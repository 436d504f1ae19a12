package import Values

/// One alert's life, a value: `inactive → pending → firing → (recovering) → resolved`, with Prometheus' semantics
/// (rules/alerting.go) in window time. Time is a parameter, IO is elsewhere.
package struct AlertInstance: Codable, Sendable, Hashable {
    package enum Phase: String, Codable, Sendable {
        case inactive, pending, firing
    }

    /// What can be said of the instance now.
    package enum Health: String, Codable, Sendable, CaseIterable {
        case ok, no_data, insufficient, late_labels, error
    }

    enum Input {
        case holds, clear
        /// Neither raises nor resolves.
        case unknown(Health)
    }

    enum Outcome: Equatable {
        case none, pending, firing, resolved
        /// No longer worth remembering, and nobody was told of it.
        case forgotten
    }

    package let labels: [String: String]
    package let segment: Segment
    package let group: String
    package let rule: String
    /// Of the rule's expression and labels when last seen; tells a vanished row from a changed rule.
    var ruleHash: String

    package private(set) var phase = Phase.inactive
    package var health = Health.ok
    /// End of the window in which the condition first held.
    package private(set) var activeAt: Timestamp
    /// Start of that window.
    package private(set) var changeStart: Timestamp
    /// When the window in which it had held long enough was judged.
    package private(set) var firedAt: Timestamp?
    package var annotations: [String: String] = [:]
    package var revision: Int
    /// With whom it is told together; known once somebody is told of it.
    var cause: AlertCause?

    /// Windows in a row in which the condition held.
    private var held = 0
    /// End of the first window without the condition, while firing.
    private var clearSince: Timestamp?
    private var clearWindows = 0
    /// Time and windows since the last change of direction in which nothing could be said: no evidence for either.
    private var unjudged = Span.zero
    private var unjudgedWindows = 0
    private var lastAt: Timestamp

    /// A pending instance whose rows stay away this many windows is forgotten, so that state stays bounded.
    static let pendingPatience = 64

    init(
        labels: [String: String], segment: Segment, group: String, rule: String, ruleHash: String, revision: Int,
        at: Timestamp
    ) {
        self.labels = labels
        self.segment = segment
        self.group = group
        self.rule = rule
        self.ruleHash = ruleHash
        self.revision = revision
        activeAt = at
        changeStart = at
        lastAt = at
    }

    /// The evidence says that the change began earlier than the window that raised it.
    mutating func note(changeStart start: Timestamp) { changeStart = min(changeStart, start) }

    /// A firing instance whose rows stay away this long is over: its column, segment or version is gone.
    static let patience = Span.days(30)

    /// It fires, and for longer than anybody waits nothing could be said of it.
    var isForsaken: Bool { phase == .firing && unjudged > Self.patience }

    package var isRecovering: Bool { phase == .firing && clearSince != nil }
    package var isActive: Bool { phase != .inactive }

    /// One closed window.
    /// - Parameter judgedAt: when it is looked at, where that is not at its end: a window waits for its labels.
    mutating func on(
        _ input: Input, window: TimeRange, hold: Hold, keepFiring: Hold, judgedAt: Timestamp? = nil
    ) -> Outcome {
        let at = window.end
        defer { lastAt = at }
        switch input {
        case .holds:
            health = .ok
            let outcome = onHolds(window, hold)
            if outcome == .firing { firedAt = judgedAt ?? at }
            return outcome
        case .clear:
            health = .ok
            return onClear(at, keepFiring)
        case .unknown(let why):
            health = why
            unjudged = unjudged + (at - lastAt)
            unjudgedWindows += 1
            guard phase == .pending, unjudgedWindows > Self.pendingPatience else { return .none }
            phase = .inactive
            return .forgotten
        }
    }

    private mutating func onHolds(_ window: TimeRange, _ hold: Hold) -> Outcome {
        switch phase {
        case .firing:
            clearSince = nil
            clearWindows = 0
            unjudged = .zero
            unjudgedWindows = 0
            return .none
        case .inactive:
            phase = .pending
            activeAt = window.end
            changeStart = window.start
            held = 1
            unjudged = .zero
            unjudgedWindows = 0
            return isLongEnough(hold, window.end) ? fire() : .pending
        case .pending:
            held += 1
            unjudgedWindows = 0
            return isLongEnough(hold, window.end) ? fire() : .none
        }
    }

    private func isLongEnough(_ hold: Hold, _ at: Timestamp) -> Bool {
        switch hold {
        case .windows(let count): held >= count
        case .duration(let span): (at - activeAt).microseconds - unjudged.microseconds >= span.microseconds
        }
    }

    private mutating func fire() -> Outcome {
        phase = .firing
        unjudged = .zero
        unjudgedWindows = 0
        return .firing
    }

    private mutating func onClear(_ at: Timestamp, _ keepFiring: Hold) -> Outcome {
        switch phase {
        case .inactive: return .none
        case .pending:
            phase = .inactive
            return .forgotten
        case .firing:
            if clearSince == nil {
                clearSince = at
                unjudged = .zero
            }
            clearWindows += 1
            let isKept =
                switch keepFiring {
                case .windows(let count): clearWindows <= count
                case .duration(let span):
                    clearSince.map { (at - $0).microseconds - unjudged.microseconds < span.microseconds } ?? false
                }
            if isKept { return .none }
            phase = .inactive
            return .resolved
        }
    }
}
