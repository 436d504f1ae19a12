/// `label="text"`, `!=`, `=~` or `!~`. Regular expressions are anchored at both ends and an absent label counts as
/// empty, as in Prometheus.
package struct LabelMatcher: Sendable {
    package enum Operator: String, Sendable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case notMatches = "!~"

        var isRegex: Bool { self == .matches || self == .notMatches }
    }

    package var label: String
    package var comparison: Operator
    package var text: String
    /// Where the label stands in the expression.
    package var offset: Int
    /// Where the text stands in the expression.
    package var textOffset: Int

    /// The one value that can pass, if there is only one.
    package var pinned: String? { comparison == .equal ? text : nil }

    /// Longest pattern a rule may use.
    static let maximumPattern = 1_000

    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    static func compile(_ pattern: String) throws -> Regex<AnyRegexOutput> {
        if let problem = PatternCheck.problem(pattern) { throw Refused(description: problem) }
        return try Regex(pattern).dotMatchesNewlines()
    }
}

/// A matcher ready for use in one evaluation: `Regex` is not `Sendable`, so it is compiled where it is used, once, and
/// its answers are remembered because a snapshot repeats the same few values in thousands of rows.
struct CompiledMatcher {
    let matcher: LabelMatcher
    private let regex: Regex<AnyRegexOutput>?
    private var answers: [String: Bool] = [:]

    init(_ matcher: LabelMatcher) {
        self.matcher = matcher
        // The parser refused patterns that do not compile; should one get here, it matches nothing.
        regex = matcher.comparison.isRegex ? try? LabelMatcher.compile(matcher.text) : nil
    }

    mutating func passes(_ value: String) -> Bool {
        switch matcher.comparison {
        case .equal: return value == matcher.text
        case .notEqual: return value != matcher.text
        case .matches, .notMatches:
            if let known = answers[value] { return known }
            let isMatch = regex.map { (try? $0.wholeMatch(in: value)) != nil } ?? false
            // `try?` flattens "no match" and "failed" into nil: both mean no match.
            let answer = isMatch == (matcher.comparison == .matches)
            answers[value] = answer
            return answer
        }
    }
}
