/// How versions of a model fare against each other on the windows that both answered in: their accuracies so far, and an interval of
/// the difference that holds at every moment at once, so one may look after each window and stop when it is decided.
package struct VersionComparison: Sendable, Hashable, Codable {
    package struct Verdict: Sendable, Hashable {
        package let version: String
        /// The version that was there first.
        package let against: String
        /// Accuracy less the other's.
        package let difference: Double
        package let interval: ClosedRange<Double>
        package let rows: Double
        package let rowsAgainst: Double

        /// `better`, `worse`, or `undecided` while the interval holds 0.
        package var conclusion: String {
            interval.lowerBound > 0 ? "better" : interval.upperBound < 0 ? "worse" : "undecided"
        }
    }

    private struct Totals: Sendable, Hashable, Codable {
        var errors = 0.0
        var rows = 0.0
        var errorsAgainst = 0.0
        var rowsAgainst = 0.0
    }

    private var incumbent: String?
    private var totals: [String: Totals] = [:]

    /// Windows in a row without a labelled row of the incumbent; absent in states of older programs.
    private var absent: Int?

    /// An incumbent that stays away so many windows is gone.
    private static let patience = 7
    /// Versions that are remembered, at most.
    private static let maximumVersions = 100

    package init() {}

    /// Takes the labelled rows of one window and how many of them each version got wrong.
    package mutating func observe(_ window: [(version: String, errors: Double, rows: Double)]) -> [Verdict] {
        let present = window.filter { $0.rows > 0 }
        guard let most = present.max(by: { $0.rows < $1.rows }) else { return [] }
        // A version that is gone is nobody's measure any more.
        guard let first = present.first(where: { $0.version == incumbent }) else {
            absent = (absent ?? 0) + 1
            guard incumbent == nil || absent ?? 0 >= Self.patience else { return [] }
            absent = nil
            incumbent = most.version
            totals = [:]
            return []
        }
        absent = nil
        let here = Set(present.map(\.version))
        if totals.count >= Self.maximumVersions {
            // Versions of long ago make room.
            totals = totals.filter { here.contains($0.key) }
        }
        return present.filter { $0.version != first.version }.compactMap { other in
            guard totals[other.version] != nil || totals.count < Self.maximumVersions else { return nil }
            var sum = totals[other.version] ?? Totals()
            sum.errors += other.errors
            sum.rows += other.rows
            sum.errorsAgainst += first.errors
            sum.rowsAgainst += first.rows
            totals[other.version] = sum
            return Self.verdict(other.version, first.version, sum)
        }
    }

    /// What the windows so far say of the versions of a window whose rows were in one of them.
    package func standing(_ versions: [String]) -> [Verdict] {
        guard let incumbent, versions.contains(incumbent) else { return [] }
        return versions.compactMap { version in
            version == incumbent ? nil : totals[version].map { Self.verdict(version, incumbent, $0) }
        }
    }

    private static func verdict(_ version: String, _ against: String, _ sum: Totals) -> Verdict {
        let difference = sum.errorsAgainst / sum.rowsAgainst - sum.errors / sum.rows
        // Half an error on each side: two versions without any must not look certain.
        let pooled = (sum.errors + sum.errorsAgainst + 0.5) / (sum.rows + sum.rowsAgainst + 1)
        let n = sum.rows * sum.rowsAgainst / (sum.rows + sum.rowsAgainst)
        let half = ConfidenceSequence.halfWidth(n: n, standardDeviation: (pooled * (1 - pooled)).squareRoot())
        return Verdict(
            version: version, against: against, difference: difference,
            interval: max(-1, difference - half)...min(1, difference + half), rows: sum.rows,
            rowsAgainst: sum.rowsAgainst)
    }
}
