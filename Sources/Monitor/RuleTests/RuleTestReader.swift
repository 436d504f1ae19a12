import Rules
import Sketches
import Statistics
import StrictYAML
import Values

/// Reads one test.
enum RuleTestReader {
    private static let keys = [
        "name", "model", "every", "start", "smoothing", "columns", "series", "roles", "deploys", "expect",
    ]
    /// Windows of a test begin here unless it says otherwise: a Thursday.
    private static let standardStart = Timestamp(microseconds: 1_767_225_600_000_000)  // 2026-01-01T00:00:00Z

    static func test(
        _ value: YAMLValue, _ rules: RuleSet, _ problems: inout ProblemCollector
    ) -> RuleTest? {
        guard let mapping = value.mapping(allowed: keys, &problems) else { return nil }
        let name = mapping["name"]?.nonEmptyString(&problems) ?? "line \(value.place.line)"
        let model = self.model(mapping, rules, &problems)
        let every = mapping.required("every", &problems)?.duration(in: Span.seconds(1)...Span.days(366), &problems)
        let start = mapping["start"].flatMap { self.start($0, &problems) } ?? standardStart
        let smoothing = mapping["smoothing"].flatMap { self.smoothing($0, &problems) } ?? .jeffreys
        var columns = RuleTestColumns()
        columns.read(mapping["columns"], &problems)
        var series: [RuleTest.Series] = []
        for item in mapping.required("series", &problems)?.list(&problems) ?? [] {
            guard let read = RuleTestSeriesReader(columns: columns).series(item, &problems) else { continue }
            checkRepeats(read, series, item.place, &problems)
            series.append(read)
        }
        let roles = roles(mapping, start, &problems)
        var expectations: [RuleTest.Expectation] = []
        for item in mapping.required("expect", &problems)?.list(&problems) ?? [] {
            if let expectation = expectation(item, rules, every, &problems) { expectations.append(expectation) }
        }
        guard let every else { return nil }
        return RuleTest(
            name: name, model: model, every: every, start: start, smoothing: smoothing, kinds: columns.kinds,
            series: series, roles: roles, expectations: expectations, place: value.place)
    }

    private static func model(
        _ mapping: YAMLMapping, _ rules: RuleSet, _ problems: inout ProblemCollector
    ) -> String {
        let known = rules.groups.compactMap(\.model)
        guard let value = mapping["model"], let name = value.nonEmptyString(&problems) else {
            return known.first ?? "model"
        }
        if !rules.groups.isEmpty, !rules.groups.contains(where: { $0.holds(for: name) }) {
            problems.add(
                "no group of the rule files is for model `\(name)`\(Nearest.hint(for: name, among: known))",
                at: value.place)
        }
        return name
    }

    private static func start(_ value: YAMLValue, _ problems: inout ProblemCollector) -> Timestamp? {
        guard let text = value.nonEmptyString(&problems) else { return nil }
        if let time = Timestamp(rfc3339: text) { return time }
        problems.add("expected a time such as `2026-01-01T00:00:00Z`, found `\(text)`", at: value.place)
        return nil
    }

    private static func smoothing(_ value: YAMLValue, _ problems: inout ProblemCollector) -> Smoothing? {
        guard let text = value.nonEmptyString(&problems) else { return nil }
        do throws(SmoothingError) {
            return try Smoothing(parsing: text)
        } catch {
            problems.add("\(error)", at: value.place)
            return nil
        }
    }

    /// Two series that state the same number would contradict each other.
    private static func checkRepeats(
        _ new: RuleTest.Series, _ known: [RuleTest.Series], _ place: Place, _ problems: inout ProblemCollector
    ) {
        let isRepeated = known.contains { old in
            guard old.row == new.row else { return false }
            switch (old.content, new.content) {
            case (.counts, .counts): return true
            case (.values(let a), .values(let b)): return a.metric == b.metric
            default: return false
            }
        }
        if isRepeated { problems.add("this row and metric have a series already", at: place) }
    }

    /// `roles: {champion: "13", challenger: "15"}` from the start on, `deploys: [{at: 3h, version: "14"}]`.
    private static func roles(
        _ mapping: YAMLMapping, _ start: Timestamp, _ problems: inout ProblemCollector
    ) -> RoleHistory {
        var moves: [RoleHistory.Move] = []
        let names = RoleHistory.Role.allCases.map(\.rawValue)
        if let roles = mapping["roles"]?.mapping(allowed: names, &problems) {
            for entry in roles.entries {
                guard let role = RoleHistory.Role(rawValue: entry.key),
                    let version = entry.value.nonEmptyString(&problems)
                else { continue }
                // Long ago, so that it is no deploy of this test.
                moves.append(RoleHistory.Move(role: role, version: version, at: .distantPast))
            }
        }
        for item in mapping["deploys"]?.list(&problems) ?? [] {
            guard let deploy = item.mapping(allowed: ["at", "version"], &problems) else { continue }
            let at = deploy.required("at", &problems)?.duration(&problems)
            let version = deploy.required("version", &problems)?.nonEmptyString(&problems)
            guard let at, let version else { continue }
            moves.append(RoleHistory.Move(role: .champion, version: version, at: start + at))
        }
        return RoleHistory(moves)
    }

    private static func expectation(
        _ value: YAMLValue, _ rules: RuleSet, _ every: Span?, _ problems: inout ProblemCollector
    ) -> RuleTest.Expectation? {
        let keys = ["at", "alert", "state", "none", "labels", "annotations", "count", "health"]
        guard let mapping = value.mapping(allowed: keys, &problems) else { return nil }
        let at = mapping.required("at", &problems)?.duration(in: .zero...Span.days(3_660), &problems)
        let name = mapping.required("alert", &problems)?.nonEmptyString(&problems)
        if let name, let place = mapping["alert"]?.place { checkName(name, rules, place, &problems) }
        let none = mapping["none"]?.bool(&problems)
        var state = mapping["state"]?.enumeration(RuleTest.Expectation.State.self, &problems)
        if none != nil, mapping["state"] != nil {
            problems.add("`none` and `state` say the same in two ways: leave one out", at: mapping.keyPlace("none"))
        }
        if let none { state = none ? .inactive : .firing }
        if state == nil, mapping["state"] == nil {
            problems.add("`state` is missing: expected `state: firing`, or `none: true`", at: value.place)
        }
        let labels = mapping["labels"]?.anyMapping(&problems)?.texts(&problems) ?? [:]
        let annotations = mapping["annotations"]?.anyMapping(&problems)?.texts(&problems) ?? [:]
        let count = mapping["count"]?.int(in: 0...1_000_000, &problems)
        let health = mapping["health"]?.enumeration(AlertInstance.Health.self, &problems)
        if state == .inactive, !annotations.isEmpty || count != nil || health != nil {
            problems.add("an alert that is not there has no annotations, count or health", at: value.place)
        }
        guard let at, let name, let state else { return nil }
        if let every, at.microseconds / every.microseconds >= Int64(SeriesNotation.maximumValues) {
            problems.add("more than \(SeriesNotation.maximumValues) windows before this", at: value.place)
            return nil
        }
        return RuleTest.Expectation(
            at: at, alert: name, state: state, labels: labels, annotations: annotations, count: count, health: health,
            place: value.place)
    }

    private static func checkName(
        _ name: String, _ rules: RuleSet, _ place: Place, _ problems: inout ProblemCollector
    ) {
        let known = rules.rules.map(\.name)
        guard !known.contains(name), name != RuleSet.limitAlert, !known.isEmpty else { return }
        problems.add("unknown alert `\(name)`\(Nearest.hint(for: name, among: known))", at: place)
    }
}
