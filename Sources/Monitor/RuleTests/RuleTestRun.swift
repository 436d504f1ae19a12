import Rules
import Sketches
import Statistics
import StrictYAML
import Values

/// Lets a test's windows pass by the rules, as the engine does, and compares what they say with what is expected.
struct RuleTestRun {
    private let rules: RuleSet
    private let test: RuleTest

    init(rules: RuleSet, test: RuleTest) {
        self.rules = rules
        self.test = test
    }

    func run() -> RuleTestReport.Test {
        let snapshots = RuleTestSnapshots(test)
        var state = ModelAlertState(model: test.model)
        var failures: [RuleTestReport.Failure] = []
        let last = test.expectations.map { index(of: $0) }.max() ?? 0
        let due = Dictionary(grouping: test.expectations, by: index)
        let sizes = rules.windowSizes(model: test.model)
        let references = rules.references(model: test.model).sorted { $0.rawValue < $1.rawValue }
        for index in 0...last {
            for size in sizes {
                let steps =
                    size.map { Int(($0.microseconds + test.every.microseconds - 1) / test.every.microseconds) } ?? 1
                var snapshot = snapshots.snapshot(index, steps: max(1, steps))
                let size = size ?? test.every
                state.complete(&snapshot, size: size)
                _ = rules.evaluate(
                    snapshot: snapshot, size: size, modelWindow: test.every, roles: test.roles, state: &state)
                // A test has one reference, so it stands for every one a rule may name; and its labels are all there.
                for reference in references {
                    _ = rules.evaluate(
                        snapshot: snapshot, against: reference, size: size, modelWindow: test.every,
                        roles: test.roles, state: &state)
                }
                _ = rules.evaluate(
                    performance: snapshot.onlyPerformance, at: snapshot.window.end, size: size,
                    modelWindow: test.every, roles: test.roles,
                    state: &state)
            }
            failures += (due[index] ?? []).compactMap { failure(of: $0, state) }
        }
        failures.sort { $0.place < $1.place }
        return RuleTestReport.Test(
            name: test.name, place: test.place, expectations: test.expectations.count, failures: failures)
    }

    /// The last window that has ended then.
    private func index(of expectation: RuleTest.Expectation) -> Int {
        Int(expectation.at.microseconds / test.every.microseconds)
    }

    private func failure(of expectation: RuleTest.Expectation, _ state: ModelAlertState) -> RuleTestReport.Failure? {
        let named = state.instances.values.filter { $0.rule == expectation.alert && $0.isActive }
            .sorted { Self.text($0.labels) < Self.text($1.labels) }
        let matching = named.filter { instance in
            let labels = Self.shownLabels(instance)
            return expectation.labels.allSatisfy { labels[$0.key] ?? "" == $0.value }
        }
        let isMet: Bool
        if expectation.state == .inactive {
            isMet = matching.isEmpty
        } else {
            let good = matching.filter { Self.matches($0, expectation) }
            isMet = expectation.count.map { $0 == good.count } ?? !good.isEmpty
        }
        guard !isMet else { return nil }
        let errors = state.errors.filter { $0.key.hasSuffix("/\(expectation.alert)") }.values.sorted()
        return RuleTestReport.Failure(
            place: expectation.place, at: expectation.at, alert: expectation.alert, expected: Self.text(expectation),
            actual: Self.actual(named, expectation) + errors.map { "the rule cannot be evaluated: \($0)" },
            silent: named.isEmpty ? silence(of: expectation.alert) : [])
    }

    /// What the rule asks for that no series of the test has.
    private func silence(of alert: String) -> [String] {
        let rows = test.series.map(\.row)
        let columns = Set(rows.map(\.column)).sorted().map { ($0, kind(of: $0)) }
        let segmentations = Set(rows.map { $0.segment.parts.map(\.dimension) }).subtracting([[]])
        let catalog = ModelCatalog(
            name: test.model, columns: columns, segmentations: segmentations.sorted { $0.lexicographicallyPrecedes($1) }
        )
        return rules.missing(for: alert, in: catalog).map { "\($0.place): \($0.message)" }
    }

    private func kind(of column: String) -> String {
        for series in test.series where series.row.column == column {
            if case .counts(let counts) = series.content { return counts.column.bins.kindName }
        }
        return test.kinds[column] ?? "numeric"
    }

    private static func matches(_ instance: AlertInstance, _ expectation: RuleTest.Expectation) -> Bool {
        let isInState =
            switch expectation.state {
            case .pending: instance.phase == .pending
            case .firing: instance.phase == .firing
            case .recovering: instance.isRecovering
            case .inactive: !instance.isActive
            }
        return isInState && (expectation.health.map { instance.health == $0 } ?? true)
            && expectation.annotations.allSatisfy { instance.annotations[$0.key] == $0.value }
    }

    private static func shownLabels(_ instance: AlertInstance) -> [String: String] {
        instance.labels.merging(["segment": instance.segment.description]) { own, _ in own }
    }

    private static func text(_ expectation: RuleTest.Expectation) -> String {
        let count = expectation.count.map { "\($0) × " } ?? ""
        let state = expectation.state == .inactive ? "none pending or firing" : expectation.state.rawValue
        var text = count + state
        if !expectation.labels.isEmpty { text += " " + Self.text(expectation.labels) }
        if let health = expectation.health { text += ", health \(health.rawValue)" }
        for (name, value) in expectation.annotations.sorted(by: { $0.key < $1.key }) {
            text += ", \(name): \"\(value)\""
        }
        return text
    }

    /// Instances that differ are shown with what the expectation asks of them.
    private static func actual(_ instances: [AlertInstance], _ expectation: RuleTest.Expectation) -> [String] {
        guard !instances.isEmpty else { return ["none pending or firing"] }
        return instances.prefix(10).map { instance in
            let state = instance.isRecovering ? "firing (recovering)" : instance.phase.rawValue
            var text = "\(state) \(Self.text(instance.labels.filter { $0.key != "alertname" }))"
            if instance.health != .ok || expectation.health != nil { text += ", health \(instance.health.rawValue)" }
            for name in expectation.annotations.keys.sorted() {
                text += ", \(name): \(instance.annotations[name].map { "\"\($0)\"" } ?? "absent")"
            }
            return text
        } + (instances.count > 10 ? ["and \(instances.count - 10) more"] : [])
    }

    private static func text(_ labels: [String: String]) -> String {
        "{" + labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ", ") + "}"
    }
}

extension Snapshot {
    fileprivate var onlyPerformance: Snapshot {
        Snapshot(
            model: model, window: window, revision: revision, versions: versions, referenceName: referenceName,
            rows: rows.filter { $0.column == SnapshotRow.performanceColumn })
    }
}
