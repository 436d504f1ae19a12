package import Detection
package import StrictYAML
package import Values

/// A length of time of a rule: counted in closed windows, or measured in event time.
package enum Hold: Sendable, Hashable {
    case windows(Int)
    case duration(Span)

    package static let none = Hold.windows(0)
}

extension Hold: CustomStringConvertible {
    package var description: String {
        switch self {
        case .windows(let n): "\(n) window\(n == 1 ? "" : "s")"
        case .duration(let span): span.description
        }
    }
}

/// What a rule makes of rows that are not there.
package enum NoDataPolicy: String, Sendable, CaseIterable {
    /// Nothing changes: missing data neither raises nor resolves.
    case keepLast = "keep_last"
    /// Missing data is the condition.
    case alert
    /// Missing data is as good as none of the condition.
    case ok
}

/// A reference beside the model's own: its own past (`against` of a rule and of a model).
package enum FurtherReference: String, Sendable, CaseIterable {
    /// Everything of some days before the window.
    case rolling
    /// The same hours of earlier weeks.
    case seasonal
    /// What the version before the newest saw.
    case previous
}

/// One alerting rule, validated. Immutable; what it has seen lives in `ModelAlertState`.
package struct Rule: Sendable {
    package let name: String
    package let expression: Expression
    /// The expression as written.
    package let source: String
    package let significance: Significance
    package let minimumRows: UInt64
    package let hold: Hold
    package let keepFiring: Hold
    package let noData: NoDataPolicy
    /// Rule labels over group labels.
    package let labels: [String: Template]
    package let annotations: [String: Template]
    package let notify: [String]?
    /// Another window size than the model's own.
    package let window: Span?
    /// Which of the model's further references its distances are from; `nil` for the reference itself.
    package let against: FurtherReference?
    /// Armed only in windows that lie, at least in part, this long after a change of the champion.
    package let sinceDeploy: Span?
    /// Share of a window's predictions that must have labels before its performance is judged, above 0 and up to 1.
    package let labelsCoverage: Double?
    /// Alerts of the same model that explain this one: while one of them is active for the column, in a segment that holds this one's,
    /// no instance of the rule begins.
    package let inhibitedBy: [String]
    package let actions: [ActionRequest]
    package let places: Places

    /// Where the parts of a rule stand, for what only a catalogue can check.
    package struct Places: Sendable {
        package var name: Place
        package var expression: YAMLValue
        package var receivers: [Place]
        package var against: Place?
        /// Alerts that `inhibited_by` and the guards of actions name.
        package var unless: [(name: String, place: Place)]
        /// Receivers that start pipelines.
        package var starters: [(name: String, place: Place)]
    }

    /// Changes with everything that decides which instances the rule has, and not with what it only tells.
    var identityHash: String {
        let labelTexts = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }
        let compared = against.map { ["against \($0.rawValue)"] } ?? []
        return Fingerprint.hex(of: [source, window?.description ?? "model"] + compared + labelTexts)
    }
}

/// Rules that share a model, labels, a budget and a limit.
package struct RuleGroup: Sendable {
    package let name: String
    /// `nil` holds for every model.
    package let model: String?
    package let limit: Int?
    package let budget: Budget?
    package let rules: [Rule]
    package let place: Place
    package let modelPlace: Place?

    /// How many false alerts its author accepts; what the e-detector spends. Fixed levels do not use it.
    package struct Budget: Sendable, Hashable {
        package let falseAlerts: Double
        package let per: Span

        /// One false alert a month, where a group says nothing.
        static let standard = Budget(falseAlerts: 1, per: .days(30))
    }

    package func holds(for model: String) -> Bool { self.model == nil || self.model == model }
}
