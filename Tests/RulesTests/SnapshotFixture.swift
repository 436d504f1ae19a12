import Statistics
import StrictYAML
import Values

@testable import Rules

/// Builds small snapshots for rules to look at.
struct SnapshotFixture {
    static let origin = Timestamp(microseconds: 1_772_323_200_000_000)  // 2026-03-01T00:00:00Z
    static let hour = Span.hours(1)

    var model = "fraud"
    var rows: [SnapshotRow] = []

    mutating func add(
        _ column: String, _ metrics: [Metric: Double], in segment: [(String, String)] = [], version: String = "*",
        kind: String = "numeric", n: UInt64 = 1000, reference: [Metric: Double] = [:]
    ) {
        var values = MetricValues()
        // Everything is significant unless a test says otherwise.
        for test in [Metric.psi_p, .ks_p, .chi2_p] { values[test] = 1e-9 }
        for (metric, value) in metrics { values[metric] = value }
        var before = MetricValues()
        for (metric, value) in reference { before[metric] = value }
        let bins = Comparison(
            edges: [1], categories: [], reference: [600, 400], current: [n / 4, n - n / 4], referenceNulls: 10,
            currentNulls: 0)
        rows.append(
            SnapshotRow(
                version: version, segment: Segment(segment.map { Segment.Part($0.0, $0.1) }), column: column,
                kind: kind,
                n: n, null: 0, referenceN: 5000, referenceSegment: .all, metrics: values, referenceMetrics: before,
                comparison: bins, common: bins))
    }

    /// A row with histograms of its own, the same in the bins of all traffic.
    mutating func add(
        _ column: String, _ comparison: Comparison, _ metrics: [Metric: Double], before: [Metric: Double] = [:],
        in segment: [(String, String)] = [], version: String = "*", missing: UInt64 = 0, wrongType: UInt64 = 0
    ) {
        var values = MetricValues()
        for test in [Metric.psi_p, .ks_p, .chi2_p] { values[test] = 1e-9 }
        for (metric, value) in metrics { values[metric] = value }
        var reference = MetricValues()
        for (metric, value) in before { reference[metric] = value }
        var row = SnapshotRow(
            version: version, segment: Segment(segment.map { Segment.Part($0.0, $0.1) }), column: column,
            kind: comparison.categories.isEmpty ? "numeric" : "categorical",
            n: comparison.current.reduce(comparison.currentNulls, +), null: comparison.currentNulls,
            referenceN: comparison.reference.reduce(comparison.referenceNulls, +), referenceSegment: .all,
            metrics: values, referenceMetrics: reference, comparison: comparison, common: comparison)
        row.missing = missing
        row.wrongType = wrongType
        rows.append(row)
    }

    /// The snapshot of the `index`-th hour.
    func snapshot(_ index: Int, revision: Int = 1, size: Span = Self.hour, versions: [String] = ["14"]) -> Snapshot {
        let start = Self.origin + Self.hour * Int64(index)
        return Snapshot(
            model: model, window: TimeRange(start: start, end: start + size), revision: revision, versions: versions,
            referenceName: "fraud v14 reference", rows: rows)
    }

    static func build(_ body: (inout SnapshotFixture) -> Void) -> SnapshotFixture {
        var fixture = SnapshotFixture()
        body(&fixture)
        return fixture
    }
}

/// A rule set of one group with one rule per text, each the rule's keys in flow style.
func ruleSet(_ rules: String..., group: String = "") throws -> RuleSet {
    // A fixture's histograms do not belong to its metrics, so only rules that say so go by the evidence of histograms.
    let lines = rules.map { $0.contains("significance:") ? $0 : "\($0), significance: p(0.001)" }
        .map { "  - {\($0)}" }.joined(separator: "\n")
    return try RuleSet.load([("r.yaml", "groups:\n- name: g\n  \(group)\n  rules:\n\(lines)\n")])
}

/// Rules with their state, fed window by window.
struct Monitoring {
    var rules: RuleSet
    var state = ModelAlertState(model: "fraud")

    init(_ rules: RuleSet) { self.rules = rules }

    mutating func close(_ index: Int, _ fixture: SnapshotFixture) -> [Alert] {
        rules.evaluate(snapshot: fixture.snapshot(index), modelWindow: SnapshotFixture.hour, state: &state)
    }

    /// `firing FeatureDrift amount` for each transition.
    mutating func told(_ index: Int, _ fixture: SnapshotFixture) -> [String] {
        close(index, fixture).map { alert in
            [alert.status.rawValue, alert.rule, alert.labels["column"], alert.segment.isAll ? nil : "\(alert.segment)"]
                .compactMap { $0 }.joined(separator: " ")
        }
    }
}
