import Detection
import Rules
import Statistics
import Telemetry
import Values

/// Writes a rule's expression in PromQL over Holdfast's `/metrics`: `holdfast_drift{model, version, column, metric}` for what a window has
/// and `holdfast_reference` for what its reference has, all traffic only.
struct PrometheusExpression {
    /// What PromQL cannot say of these metrics.
    struct Inexpressible: Error {
        let message: String
    }

    private let rule: Rule
    private let model: String?
    private let every: Span
    /// What is left out, though the rule is still of use.
    private(set) var notes: [String] = []

    /// - Parameters:
    ///   - model: `nil` for every model.
    ///   - every: time between windows.
    init(_ rule: Rule, model: String?, every: Span) {
        self.rule = rule
        self.model = model
        self.every = every
    }

    mutating func text() throws(Inexpressible) -> String {
        try write(rule.expression, Context())
    }

    private struct Context {
        var isReference = false
        /// As ` offset 24h`.
        var offset = ""
        var metric: Metric?
    }

    private mutating func write(_ expression: Expression, _ context: Context) throws(Inexpressible) -> String {
        switch expression {
        case .number(let value): return Self.number(value)
        case .selector(let selector): return try write(selector, context)
        case .reference(let inner):
            var inside = context
            inside.isReference = true
            return try write(inner, inside)
        case .absolute(let inner): return "abs(\(try write(inner, context)))"
        case .negated(let inner): return "-(\(try write(inner, context)))"
        case .arithmetic(let op, let left, let right, let matching):
            let (a, b) = (try write(left, context), try write(right, context))
            return "(\(a) \(op.rawValue)\(modifiers(matching, left, right, groups: true)) \(b))"
        case .comparison(let op, let left, let right, let matching):
            let (a, b) = (try write(left, context), try write(right, context))
            let text = "(\(a) \(op.rawValue)\(modifiers(matching, left, right, groups: true)) \(b))"
            return try believed(text, op, left, right, context)
        case .set(.or, let left, let right, let matching):
            return try either(left, right, matching, context)
        case .set(let op, let left, let right, let matching):
            let (a, b) = (try write(left, context), try write(right, context))
            return "(\(a) \(op.rawValue)\(modifiers(matching, left, right, groups: false)) \(b))"
        case .aggregate(let op, let by, let inner):
            let labels = ["model"] + by.map(\.text)
            return "\(op.rawValue) by (\(labels.joined(separator: ", "))) (\(try write(inner, context)))"
        case .history(let history, let inner): return try write(history, inner, context)
        }
    }

    /// Of what can be one thing or another, the part that can be said is still of use.
    private mutating func either(
        _ left: Expression, _ right: Expression, _ matching: Expression.Matching, _ context: Context
    ) throws(Inexpressible) -> String {
        let first = said(left, context)
        let second = said(right, context)
        switch (first, second) {
        case (.success(let a), .success(let b)):
            return "(\(a) or\(modifiers(matching, left, right, groups: false)) \(b))"
        case (.success(let text), .failure(let missing)), (.failure(let missing), .success(let text)):
            note("one side of `or` is left out: \(missing.message)")
            return text
        case (.failure(let missing), .failure): throw missing
        }
    }

    private mutating func said(_ expression: Expression, _ context: Context) -> Result<String, Inexpressible> {
        do throws(Inexpressible) {
            return .success(try write(expression, context))
        } catch {
            return .failure(error)
        }
    }

    private mutating func write(
        _ history: Expression.History, _ inner: Expression, _ context: Context
    ) throws(Inexpressible) -> String {
        let now = try write(inner, context)
        switch history.function {
        case .delta:
            var before = context
            before.offset = " offset \(history.span)"
            return "(\(now) - \(try write(inner, before)))"
        case .average: return "avg_over_time((\(now))[\(history.span):\(every)])"
        case .maximum: return "max_over_time((\(now))[\(history.span):\(every)])"
        case .minimum: return "min_over_time((\(now))[\(history.span):\(every)])"
        }
    }

    private mutating func write(_ selector: Selector, _ context: Context) throws(Inexpressible) -> String {
        switch selector.grouping {
        case .every: throw Inexpressible(message: "`by (*)` looks at segments, which /metrics does not have")
        case .dimensions(let names):
            throw Inexpressible(
                message:
                    "`by (\(names.map(\.text).joined(separator: ", ")))` looks at segments, which /metrics does not have"
            )
        case .allTraffic: break
        }
        let metric = context.metric ?? selector.metric
        if metric.isPerformance { return try performance(selector, context) }
        let name = context.isReference ? MetricName.reference : .drift
        let whole = try series(selector, metric, name, context)
        guard rule.minimumRows > 0, metric != .count, context.metric == nil else { return whole }
        let rows = try series(selector, .count, .drift, context)
        return "(\(whole) and (\(rows) >= \(rule.minimumRows)))"
    }

    /// `holdfast_performance` of the last judged window; it has no columns.
    private mutating func performance(_ selector: Selector, _ context: Context) throws(Inexpressible) -> String {
        if context.isReference {
            throw Inexpressible(message: "`reference(\(selector.metric.name))` is not in /metrics")
        }
        var plain = selector
        plain.matchers.removeAll { $0.label == "column" }
        if rule.minimumRows > 0 {
            note("`min_rows` is not asked of `\(selector.metric.name)`, whose rows /metrics does not count")
        }
        return try series(plain, selector.metric, .performance, context)
    }

    private func series(
        _ selector: Selector, _ metric: Metric, _ name: MetricName, _ context: Context
    ) throws(Inexpressible) -> String {
        var labels: [String] = []
        if let model { labels.append("model=\(Self.quoted(model))") }
        let asksVersion = selector.matchers.contains { $0.label == "version" }
        if name == .reference || !asksVersion { labels.append("version=\"\(SnapshotRow.allVersions)\"") }
        for matcher in selector.matchers {
            switch matcher.label {
            case "version" where name == .reference: continue
            case "version", "column":
                labels.append("\(matcher.label)\(matcher.comparison.rawValue)\(Self.quoted(matcher.text))")
            case "role": throw Inexpressible(message: "`role` is not a label of /metrics")
            case let dimension:
                throw Inexpressible(message: "`\(dimension)` is a segment, which /metrics does not have")
            }
        }
        if asksVersion, name != .reference,
            !selector.matchers.contains(where: { $0.label == "version" && $0.pinned != nil })
        {
            labels.append("version!=\"\(SnapshotRow.allVersions)\"")
        }
        labels.append("metric=\(Self.quoted(metric.name))")
        let dropped = asksVersion && name != .reference ? "metric" : "metric, version"
        return "max without (\(dropped)) (\(name.rawValue){\(labels.joined(separator: ", "))}\(context.offset))"
    }

    /// A distance over a number is also to be more than noise.
    private mutating func believed(
        _ text: String, _ op: Expression.Comparator, _ left: Expression, _ right: Expression, _ context: Context
    ) throws(Inexpressible) -> String {
        let judged: Expression
        switch op {
        case .greater, .greaterOrEqual: judged = left
        case .less, .lessOrEqual: judged = right
        case .equal, .notEqual: return text
        }
        guard !context.isReference, rule.significance != .none else { return text }
        for selector in left.selectorsOfWindow + right.selectorsOfWindow
        where rule.significance == .edetector && selector.metric.hasDetectorOfItsOwn {
            note(
                selector.metric == .volume
                    ? "`volume` is over the reference here, not over what is usual lately"
                    : "`significance: edetector` cannot be said in PromQL of `\(selector.metric.name)`: the number alone decides"
            )
        }
        let distances = judged.selectors.filter { $0.metric.isDistance }
        guard !distances.isEmpty else { return text }
        guard case .p(let level) = rule.significance, !judged.isSummary else {
            note("`significance: \(rule.significance)` cannot be said in PromQL here: the number alone decides")
            return text
        }
        var out = text
        for distance in distances {
            var test = context
            test.metric = Significance.test(of: distance.metric)
            let p = try write(.selector(distance), test)
            let matching = modifiers(.all, judged, .selector(distance), groups: false)
            out = "(\(out) and\(matching) (\(p) < \(Self.number(level))))"
        }
        return out
    }

    /// As our own matching: `version` counts only where both sides range over versions, and the side with more keeps its labels.
    private func modifiers(
        _ matching: Expression.Matching, _ left: Expression, _ right: Expression, groups: Bool
    ) -> String {
        guard !left.isScalar, !right.isScalar else { return "" }
        switch matching {
        case .on(let names): return " on (\((["model"] + names).joined(separator: ", ")))"
        case .ignoring(let names): return " ignoring (\(names.joined(separator: ", ")))"
        case .all: break
        }
        let (a, b) = (left.asksVersion, right.asksVersion)
        let (rangesLeft, rangesRight) = (left.rangesOverVersions, right.rangesOverVersions)
        guard a || b, !(rangesLeft && rangesRight) else { return "" }
        let group = !groups ? "" : rangesLeft ? " group_left ()" : rangesRight ? " group_right ()" : ""
        return " ignoring (version)\(group)"
    }

    private mutating func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    /// A Go string literal.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
    }
}

extension Expression {
    fileprivate var asksVersion: Bool { selectors.contains { $0.matchers.contains { $0.label == "version" } } }

    fileprivate var rangesOverVersions: Bool {
        selectors.contains { selector in
            let matchers = selector.matchers.filter { $0.label == "version" }
            return !matchers.isEmpty && matchers.allSatisfy { $0.pinned == nil }
        }
    }

    /// It stands for several rows or windows, so no one test of a row judges it.
    fileprivate var isSummary: Bool {
        switch self {
        case .aggregate, .history: true
        case .number, .selector: false
        case .reference(let x), .absolute(let x), .negated(let x): x.isSummary
        case .arithmetic(_, let a, let b, _), .comparison(_, let a, let b, _), .set(_, let a, let b, _):
            a.isSummary || b.isSummary
        }
    }
}
