import Statistics
import StrictYAML
import Values

/// Selectors.
extension ExpressionParser {
    mutating func selector(_ name: String, at offset: Int) throws(TextError) -> Selector {
        guard let metric = Metric(name: name) else { throw Self.unknownMetric(name, at: offset) }
        if isInReference, metric.isDistance || metric.isTest {
            throw TextError(
                "`\(name)` compares with the reference already: `reference(\(name))` says nothing", at: offset)
        }
        var selector = Selector(metric: metric, offset: offset, matchers: [], grouping: .allTraffic)
        if take("{") {
            while !take("}") {
                selector.matchers.append(try matcher())
                if !take(",") {
                    try expect("}", "or `,` after a label")
                    break
                }
            }
        }
        if current.kind == .symbol("[") {
            throw TextError(
                "ranges are not written like this: use `avg_over(\(name), 24h)`, or `window:` of the rule",
                at: current.offset)
        }
        if takeName("by") {
            let start = index
            if take("("), take("*") {
                try expect(")", "after `*`")
                selector.grouping = .every
            } else {
                index = start
                let dimensions = try names("after `by`")
                if let own = dimensions.first(where: { Selector.ownLabels.contains($0.text) }) {
                    throw TextError(
                        "`\(own.text)` is not a segment: every \(own.text) is an instance of its own already",
                        at: own.offset)
                }
                selector.grouping = dimensions.isEmpty ? .allTraffic : .dimensions(dimensions)
            }
        }
        return selector
    }

    private mutating func matcher() throws(TextError) -> LabelMatcher {
        let label = try label("a label such as `column`")
        let offset = current.offset
        if label == "model" {
            throw TextError("`model` belongs to the group: write `model:` there", at: offset)
        }
        index += 1
        guard case .symbol(let symbol) = current.kind, let op = LabelMatcher.Operator(rawValue: symbol) else {
            throw unexpected("`=`, `!=`, `=~` or `!~` after `\(label)`")
        }
        index += 1
        guard case .string(let text) = current.kind else { throw unexpected("a quoted text after `\(symbol)`") }
        let textOffset = current.offset
        if op.isRegex {
            guard text.count <= LabelMatcher.maximumPattern else {
                throw TextError("the regular expression is too long", at: textOffset)
            }
            do {
                _ = try LabelMatcher.compile(text)
            } catch {
                throw TextError("not a regular expression: `\(text)`", at: textOffset)
            }
        }
        if label == "role" { try Self.checkRole(op, text, at: textOffset) }
        index += 1
        return LabelMatcher(label: label, comparison: op, text: text, offset: offset, textOffset: textOffset)
    }

    private static func checkRole(_ op: LabelMatcher.Operator, _ text: String, at offset: Int) throws(TextError) {
        let roles = RoleHistory.Role.allCases.map(\.rawValue)
        var matcher = CompiledMatcher(
            LabelMatcher(label: "role", comparison: op, text: text, offset: offset, textOffset: offset))
        guard !roles.contains(where: { matcher.passes($0) }) else { return }
        throw TextError("unknown role `\(text)`\(Nearest.hint(for: text, among: roles))", at: offset)
    }

    private static func unknownMetric(_ name: String, at offset: Int) -> TextError {
        if Expression.Aggregate(rawValue: name) != nil {
            return TextError(
                "`\(name)` takes what it is about in parentheses, as in `\(name) by (country) (psi)`", at: offset)
        }
        if name == "not" {
            return TextError("there is no `not`: turn the comparison round, or write `a unless b`", at: offset)
        }
        return TextError(
            "unknown metric `\(name)`\(Nearest.hint(for: name, among: Metric.allCases.map(\.name)))", at: offset)
    }
}
