package import Values

/// What the monitor makes of a champion.
package enum RollbackVerdict: String, Sendable, CaseIterable, Codable {
    /// Its own rows fail, by significance and by size, in every window asked for.
    case degrade
    /// Its own rows hold in the latest of them.
    case healthy
    /// It cannot be said: too few rows, or windows in a row, a metric that no single version has, an error of the monitor.
    case inconclusive
}

/// The measurements a rollback is judged by: the champion and its target side by side in the latest windows. A value,
/// stored with the decision, so that the same judgement can be made again from it.
package struct RollbackTrial: Codable, Sendable, Hashable {
    /// One version in one window.
    package struct Reading: Codable, Sendable, Hashable {
        package let version: String
        package let rows: Int64
        /// Of the trial's metric; `nil` where the window has none for this version.
        package let value: Double?
        /// Of the test that the distance is more than chance; `nil` where the metric has no test.
        package let p: Double?

        package init(version: String, rows: Int64, value: Double?, p: Double?) {
            self.version = version
            self.rows = rows
            self.value = value
            self.p = p
        }
    }

    /// How far an input column of the champion's rows lies from the reference.
    package struct Input: Codable, Sendable, Hashable {
        package let column: String
        package let psi: Double
        package let p: Double

        package init(column: String, psi: Double, p: Double) {
            self.column = column
            self.psi = psi
            self.p = p
        }
    }

    package struct Window: Codable, Sendable, Hashable {
        package let start: Timestamp
        package let end: Timestamp
        package let champion: Reading?
        package let target: Reading?
        /// The inputs that moved most, the worst first.
        package let inputs: [Input]

        package init(start: Timestamp, end: Timestamp, champion: Reading?, target: Reading?, inputs: [Input]) {
            self.start = start
            self.end = end
            self.champion = champion
            self.target = target
            self.inputs = inputs
        }
    }

    /// What the alert is about: an input, or what comes out of the model.
    package enum Subject: String, Codable, Sendable, CaseIterable { case input, output }

    /// A p-value below this is more than chance.
    package static let significance = 0.001
    /// An input whose PSI is at least this has changed (the customary lower bound of "moderate").
    package static let inputEffect = 0.1
    /// A target that is at least this share as bad as the champion is no better than it.
    package static let likeness = 0.5

    package var column: String
    package var segment: String
    package var subject: Subject
    package var metric: String
    /// The effect size: the rule's own limit; `nil` where the rule has none that can be asked of one version.
    package var threshold: Double?
    /// Whether the metric fails above the threshold, or below it.
    package var failsAbove: Bool
    package var windowsNeeded: Int
    package var rowsNeeded: Int64
    /// The latest windows, the oldest first.
    package var windows: [Window]
    /// What kept the monitor from measuring.
    package var errors: [String]

    package init(
        column: String, segment: String, subject: Subject, metric: String, threshold: Double?, failsAbove: Bool,
        windowsNeeded: Int, rowsNeeded: Int64, windows: [Window], errors: [String] = []
    ) {
        self.column = column
        self.segment = segment
        self.subject = subject
        self.metric = metric
        self.threshold = threshold
        self.failsAbove = failsAbove
        self.windowsNeeded = windowsNeeded
        self.rowsNeeded = rowsNeeded
        self.windows = windows
        self.errors = errors
    }
}

extension RollbackTrial {
    /// What one reading says; `nil` where it says nothing.
    func fails(_ reading: Reading?) -> Bool? {
        guard let reading, reading.rows >= rowsNeeded, let value = reading.value, let threshold else { return nil }
        let isBeyond = failsAbove ? value > threshold : value < threshold
        return isBeyond && (reading.p ?? 0) < Self.significance
    }

    /// The champion alone, whatever its target does.
    package func verdict(of champion: String) -> (verdict: RollbackVerdict, reason: String) {
        if let error = errors.first { return (.inconclusive, "the monitor could not measure: \(error)") }
        let latest = windows.suffix(windowsNeeded)
        if let window = latest.last, fails(window.champion) == false {
            return (
                .healthy,
                """
                the champion \(champion)'s own rows do not fail in the window that ends \(window.end.rfc3339): \
                \(metric) \(Self.text(window.champion?.value)), limit \(Self.text(threshold))
                """
            )
        }
        for window in latest where fails(window.champion) == nil {
            return (.inconclusive, silence(of: champion, in: window))
        }
        let inARow = latest.reversed().prefix { fails($0.champion) == true }.count
        guard inARow >= windowsNeeded else {
            return (
                .inconclusive,
                "only \(inARow) of \(windowsNeeded) windows in a row have failed so far: too early to tell"
            )
        }
        return (
            .degrade,
            """
            \(metric) of the champion \(champion) failed in \(inARow) windows in a row, the limit is \
            \(Self.text(threshold))
            """
        )
    }

    private func silence(of champion: String, in window: Window) -> String {
        guard let reading = window.champion, reading.rows > 0 else {
            return "the window that ends \(window.end.rfc3339) holds no rows of the champion \(champion)"
        }
        if reading.rows < rowsNeeded {
            return """
                the window that ends \(window.end.rfc3339) holds only \(reading.rows) rows of the champion \
                \(champion), \(rowsNeeded) are needed
                """
        }
        return "\(metric) cannot be asked of one version alone, so nothing shows that \(champion) is at fault"
    }

    /// Why the target would be no better: it fails on the same rows, or the inputs changed for every version alike.
    /// `unknown` tells what is missing to know it.
    enum TargetOpinion: Hashable {
        case better
        case noBetter(String)
        case unknown(String)
    }

    func opinion(of target: String) -> TargetOpinion {
        let latest = windows.suffix(windowsNeeded)
        let known = latest.filter { fails($0.target) != nil }
        if let bad = known.last(where: { isAsBad($0) }) {
            return .noBetter(
                """
                version \(target) fails as much in the same window (\(metric) \(Self.text(bad.target?.value)), the \
                champion's \(Self.text(bad.champion?.value))): the data is at fault, not the model
                """)
        }
        if !known.isEmpty { return .better }
        // Nobody scored the same rows with the target. Outputs that move while no input does are the model's doing;
        // inputs that move reach every version alike.
        if subject == .output {
            if let moved = latest.last?.inputs.first(where: { $0.p < Self.significance && $0.psi >= Self.inputEffect })
            {
                return .noBetter(
                    """
                    the input \(moved.column) changed in the same window (PSI \(Self.text(moved.psi))) and version \
                    \(target) would get the same rows: the data is at fault, not the model
                    """)
            }
            if latest.last?.inputs.isEmpty == false { return .better }
        }
        return .unknown(
            "no window holds \(rowsNeeded) rows of version \(target), so nothing shows that it would do better")
    }

    private func isAsBad(_ window: Window) -> Bool {
        if fails(window.target) == true { return true }
        // Below the limit but most of the way there, and not by chance: only distances have such a scale.
        guard failsAbove, let p = window.target?.p, p < Self.significance, let own = window.target?.value,
            let other = window.champion?.value
        else { return false }
        return own >= Self.likeness * other
    }

    /// Three decimals, enough to compare by eye.
    static func text(_ value: Double?) -> String {
        guard let value else { return "unknown" }
        let scaled = (value * 1_000).rounded() / 1_000
        return scaled.isFinite ? "\(scaled)" : "\(value)"
    }
}
