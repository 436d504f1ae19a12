import Values

/// `avg_over(x, 24h)`, `max_over`, `min_over`, `delta`.
extension ExpressionParser {
    /// Longer than this nobody waits for an alert to come into its own.
    private static let spans = Span.seconds(1)...Span.days(366)

    mutating func history(
        _ function: Expression.History.Function, at offset: Int
    ) throws(TextError) -> Expression {
        let name = function.rawValue
        if isInHistory { throw TextError("`\(name)` inside another look back: expected a metric", at: offset) }
        if isInReference {
            throw TextError("`\(name)` inside `reference`: the reference has no windows to look back on", at: offset)
        }
        isInHistory = true
        defer { isInHistory = false }
        try expect("(", "after `\(name)`")
        let start = index
        let inner = try or()
        let text = tokens[start..<index].map(\.spelling).joined(separator: " ")
        if inner.isScalar {
            throw TextError("`\(name)` needs a metric, found a number", at: tokens[start].offset)
        }
        if inner.filters {
            throw TextError(
                "`\(name)` looks back on values: expected no comparison, `and`, `or` or `unless` in it, compare "
                    + "afterwards: `\(name)(…) > 0.1`", at: tokens[start].offset)
        }
        try expect(",", "and a duration, as in `\(name)(psi, 24h)`")
        let span = try duration()
        try expect(")", "to close `\(name)`")
        return .history(
            Expression.History(function: function, span: span, text: text, offset: offset), inner)
    }

    private mutating func duration() throws(TextError) -> Span {
        guard case .duration(let text) = current.kind else {
            if case .number(let value) = current.kind {
                let hint =
                    value > 0 && value == value.rounded() && value < 1e6 ? ": did you mean `\(Int(value))h`?" : ""
                throw TextError(
                    "expected a duration such as `24h`, found \(current.inWords)\(hint)", at: current.offset)
            }
            throw unexpected("a duration such as `24h`")
        }
        guard let span = Span(parsing: text) else {
            throw TextError("expected a duration such as `24h`, found `\(text)`", at: current.offset)
        }
        guard !text.contains("w"), !text.contains("y") else {
            throw TextError(
                "expected a duration in days or smaller units, found `\(text)`: did you mean `\(span)`?",
                at: current.offset)
        }
        guard Self.spans.contains(span) else {
            throw TextError(
                "expected a duration from `\(Self.spans.lowerBound)` to `\(Self.spans.upperBound)`, found `\(text)`",
                at: current.offset)
        }
        index += 1
        return span
    }
}

extension Token {
    /// The word in one spelling.
    fileprivate var spelling: String {
        switch kind {
        case .number(let value): "\(value)"
        case .duration(let text), .name(let text), .symbol(let text): text
        case .string(let text): "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        case .end: ""
        }
    }
}
