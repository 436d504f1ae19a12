import Detection
import Statistics
import StrictYAML
import Values

/// Reads one rule.
enum RuleReader {
    private static let keys = [
        "alert", "expr", "significance", "min_rows", "for", "keep_firing_for", "no_data", "labels", "annotations",
        "notify", "window", "against", "since", "labels_coverage", "inhibited_by", "actions",
    ]

    static func rule(
        _ value: YAMLValue, groupLabels: [String: Template], _ problems: inout ProblemCollector
    ) -> Rule? {
        let hints = [
            "record": "recording rules have no place here, write the expression into the alert",
            "budget": "a budget is its group's, beside `rules`",
            "limit": "a limit is its group's, beside `rules`",
        ]
        guard let mapping = value.mapping(allowed: keys, hints: hints, &problems) else { return nil }
        let nameValue = mapping.required("alert", &problems)
        let name = nameValue?.nonEmptyString(&problems)
        if name == RuleSet.limitAlert, let nameValue {
            problems.add("the name `\(RuleSet.limitAlert)` is the program's own: choose another", at: nameValue.place)
        }
        let expressionValue = mapping.required("expr", &problems)
        let source = expressionValue?.nonEmptyString(&problems)
        let expression = expressionValue.flatMap { Self.expression($0, source, &problems) }
        let significance = mapping["significance"].map { Self.significance($0, &problems) }
        let rows = mapping["min_rows"]?.int(in: 0...1_000_000_000, &problems)
        let hold = mapping["for"].map { Self.hold($0, &problems) }
        let keepFiring = mapping["keep_firing_for"].map { Self.hold($0, &problems) }
        let noData = mapping["no_data"].map { $0.enumeration(NoDataPolicy.self, &problems) }
        let labels = mapping["labels"].map { Self.labels($0, &problems) } ?? [:]
        let annotations = mapping["annotations"].map { Self.annotations($0, &problems) } ?? [:]
        let notify = mapping["notify"]?.strings(&problems)
        let window = mapping["window"]?.duration(in: Span.seconds(1)...Span.days(366), &problems)
        let against = mapping["against"]?.enumeration(FurtherReference.self, &problems)
        let since = mapping["since"].flatMap { Self.since($0, &problems) }
        let coverage = mapping["labels_coverage"]?.double(in: 0...1, &problems)
        var places = expressionValue.map {
            Rule.Places(
                name: nameValue?.place ?? mapping.place, expression: $0, receivers: namePlaces(mapping["notify"]),
                against: mapping["against"]?.place,
                unless: [], starters: [])
        }
        let inhibitedBy = mapping["inhibited_by"]?.strings(&problems) ?? []
        places?.unless += zip(inhibitedBy, namePlaces(mapping["inhibited_by"])).map { ($0, $1) }
        let actions = mapping["actions"].map { ActionReader.actions($0, &places, &problems) } ?? []
        guard let name, let source, let expression, let places else { return nil }
        return Rule(
            name: name, expression: expression, source: source, significance: (significance ?? nil) ?? .standard,
            minimumRows: UInt64(rows ?? 0), hold: (hold ?? nil) ?? .none, keepFiring: (keepFiring ?? nil) ?? .none,
            noData: (noData ?? nil) ?? .keepLast, labels: groupLabels.merging(labels) { _, own in own },
            annotations: annotations, notify: notify, window: window, against: against, sinceDeploy: since,
            labelsCoverage: coverage, inhibitedBy: inhibitedBy,
            actions: actions, places: places)
    }

    /// `{deploy: 6h}`.
    private static func since(_ value: YAMLValue, _ problems: inout ProblemCollector) -> Span? {
        if case .scalar(let scalar) = value.content, !scalar.isSecret {
            problems.add("expected since what, as in `{deploy: 6h}`, found `\(scalar.text)`", at: value.place)
            return nil
        }
        guard let mapping = value.mapping(allowed: ["deploy"], &problems) else { return nil }
        return mapping.required("deploy", &problems)?.duration(in: Span.seconds(1)...Span.days(366), &problems)
    }

    private static func namePlaces(_ value: YAMLValue?) -> [Place] {
        guard let value else { return [] }
        if case .list(let items) = value.content { return items.map(\.place) }
        return [value.place]
    }

    private static func expression(
        _ value: YAMLValue, _ source: String?, _ problems: inout ProblemCollector
    ) -> Expression? {
        guard let source else { return nil }
        do {
            let expression = try ExpressionParser.parse(source)
            let asked = expression.selectorsOfWindow.map(\.metric)
            if asked.contains(where: \.needsMaturity), let other = asked.first(where: { !$0.isPerformance }) {
                problems.add(
                    "performance is judged when the labels are in, `\(other.name)` when the window closes: no rule can ask for both, "
                        + "write two", at: value.place)
                return nil
            }
            return expression
        } catch {
            problems.add(error.message, at: value.place(ofCharacter: error.offset))
            return nil
        }
    }

    private static func significance(_ value: YAMLValue, _ problems: inout ProblemCollector) -> Significance? {
        guard let text = value.nonEmptyString(&problems) else { return nil }
        do {
            return try Significance(parsing: text)
        } catch {
            problems.add(error.message, at: value.place)
            return nil
        }
    }

    /// `2 windows`, `1 window` or a duration.
    static func hold(_ value: YAMLValue, _ problems: inout ProblemCollector) -> Hold? {
        guard let text = value.nonEmptyString(&problems) else { return nil }
        let words = text.split(separator: " ").map(String.init)
        if words.count == 2, words[1] == "window" || words[1] == "windows" {
            if let count = Int(words[0]), (0...100_000).contains(count) { return .windows(count) }
            problems.add("expected a number of windows from 0 to 100000, found `\(words[0])`", at: value.place)
            return nil
        }
        let expected = "expected a number of windows such as `2 windows`, or a duration such as `90m`"
        guard let span = Span(parsing: text) else {
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            let hint = digits.isEmpty ? "" : ": did you mean `\(digits) windows`?"
            problems.add("\(expected), found `\(text)`\(hint)", at: value.place)
            return nil
        }
        guard text.contains("w") || text.contains("y") else { return .duration(span) }
        let count = text.prefix { $0.isASCII && $0.isNumber }
        let windows = text == "\(count)w" ? "`\(count) windows` or " : ""
        problems.add("`\(text)` can be read in two ways: did you mean \(windows)`\(span)`?", at: value.place)
        return nil
    }

    private static let reserved = ["alertname", "model", "column", "version"]

    static func labels(_ value: YAMLValue, _ problems: inout ProblemCollector) -> [String: Template] {
        guard let mapping = value.anyMapping(&problems) else { return [:] }
        for entry in mapping.entries where reserved.contains(entry.key) {
            problems.add("the label `\(entry.key)` is the alert's own: choose another name", at: entry.keyPlace)
        }
        return templates(mapping, scope: .label, &problems)
    }

    private static func annotations(
        _ value: YAMLValue, _ problems: inout ProblemCollector
    ) -> [String: Template] {
        value.anyMapping(&problems).map { templates($0, scope: .annotation, &problems) } ?? [:]
    }

    private static func templates(
        _ mapping: YAMLMapping, scope: Template.Scope, _ problems: inout ProblemCollector
    ) -> [String: Template] {
        var out: [String: Template] = [:]
        for entry in mapping.entries {
            let isName = (try? /[a-zA-Z_][a-zA-Z0-9_]*/.wholeMatch(in: entry.key)) ?? nil
            if isName == nil || entry.key.hasPrefix("__") {
                problems.add(
                    "`\(entry.key)` is not a name: letters, digits and `_`, not starting with a digit or `__`",
                    at: entry.keyPlace)
            }
            guard let text = entry.value.string(&problems) else { continue }
            do {
                out[entry.key] = try TemplateParser.parse(text, scope: scope)
            } catch {
                problems.add(error.message, at: entry.value.place(ofCharacter: error.offset))
            }
        }
        return out
    }
}
