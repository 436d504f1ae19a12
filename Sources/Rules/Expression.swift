package import Statistics
package import Values

/// A rule's expression, parsed and checked for types. Offsets count Unicode scalars of the expression's text, for
/// messages.
package indirect enum Expression: Sendable {
    case number(Double)
    case selector(Selector)
    /// The same metrics of the reference rows.
    case reference(Expression)
    case absolute(Expression)
    case negated(Expression)
    case arithmetic(Arithmetic, Expression, Expression, Matching)
    case comparison(Comparator, Expression, Expression, Matching)
    case set(SetOperator, Expression, Expression, Matching)
    case aggregate(Aggregate, by: [Name], Expression)
    /// What the windows up to this one say together.
    case history(History, Expression)

    package struct Name: Sendable, Hashable {
        package var text: String
        package var offset: Int
    }

    package enum Arithmetic: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case modulo = "%"
        case power = "^"
    }

    package enum Comparator: String, Sendable {
        case equal = "=="
        case notEqual = "!="
        case greater = ">"
        case greaterOrEqual = ">="
        case less = "<"
        case lessOrEqual = "<="

        /// The same comparison with its sides exchanged.
        var mirrored: Comparator {
            switch self {
            case .equal, .notEqual: self
            case .greater: .less
            case .greaterOrEqual: .lessOrEqual
            case .less: .greater
            case .lessOrEqual: .greaterOrEqual
            }
        }

        func holds(_ a: Double, _ b: Double) -> Bool {
            switch self {
            case .equal: a == b
            case .notEqual: a != b
            case .greater: a > b
            case .greaterOrEqual: a >= b
            case .less: a < b
            case .lessOrEqual: a <= b
            }
        }
    }

    package enum SetOperator: String, Sendable {
        case and, or, unless
    }

    package enum Aggregate: String, Sendable, CaseIterable {
        case max, min, sum, avg, count
    }

    /// `avg_over(x, 24h)` and its kin: over the values that x had in the windows of the last `span`, this one included.
    package struct History: Sendable, Hashable {
        package enum Function: String, Sendable, CaseIterable {
            case average = "avg_over"
            case maximum = "max_over"
            case minimum = "min_over"
            /// The value now less the value `span` ago.
            case delta
        }

        package var function: Function
        package var span: Span
        /// The argument in one spelling: equal texts share what is remembered.
        package var text: String
        package var offset: Int

        /// How far back values are remembered. What `delta` compares with may be late by as much again, where windows
        /// are missing.
        var memory: Span { function == .delta ? span * 2 : span }
    }

    /// Which labels must agree for two instances to belong together.
    package enum Matching: Sendable {
        case all
        case on([String])
        case ignoring([String])
    }

    /// Whether the result is a plain number.
    package var isScalar: Bool {
        switch self {
        case .number: true
        case .selector, .aggregate, .comparison, .set, .history: false
        case .reference(let x), .absolute(let x), .negated(let x): x.isScalar
        case .arithmetic(_, let a, let b, _): a.isScalar && b.isScalar
        }
    }

    /// The selectors in it, left to right.
    package var selectors: [Selector] { places(inReference: false).map(\.selector) }

    /// Those of them that stand inside `reference(…)`.
    package var selectorsOfReference: [Selector] { places(inReference: false).filter(\.inReference).map(\.selector) }

    /// Those of them that ask for the window itself.
    package var selectorsOfWindow: [Selector] { places(inReference: false).filter { !$0.inReference }.map(\.selector) }

    private func places(inReference: Bool) -> [(selector: Selector, inReference: Bool)] {
        switch self {
        case .number: []
        case .selector(let selector): [(selector, inReference)]
        case .reference(let x): x.places(inReference: true)
        case .absolute(let x), .negated(let x), .aggregate(_, _, let x), .history(_, let x):
            x.places(inReference: inReference)
        case .arithmetic(_, let a, let b, _), .comparison(_, let a, let b, _), .set(_, let a, let b, _):
            a.places(inReference: inReference) + b.places(inReference: inReference)
        }
    }

    /// What it remembers of earlier windows, with what is remembered.
    var histories: [(history: History, of: Expression)] {
        switch self {
        case .number, .selector: []
        case .history(let history, let x): [(history, x)]
        case .reference(let x), .absolute(let x), .negated(let x), .aggregate(_, _, let x): x.histories
        case .arithmetic(_, let a, let b, _), .comparison(_, let a, let b, _), .set(_, let a, let b, _):
            a.histories + b.histories
        }
    }

    /// Whether it leaves instances out, which what is remembered must not.
    var filters: Bool {
        switch self {
        case .number, .selector: false
        case .comparison, .set: true
        case .reference(let x), .absolute(let x), .negated(let x), .aggregate(_, _, let x), .history(_, let x):
            x.filters
        case .arithmetic(_, let a, let b, _): a.filters || b.filters
        }
    }
}

/// `psi{column=~".+", version="14"} by (country)`: rows of a snapshot.
package struct Selector: Sendable {
    package enum Grouping: Sendable {
        /// Nothing said: the segment that is all traffic.
        case allTraffic
        /// One instance per value of this segmentation, its dimensions in any order.
        case dimensions([Expression.Name])
        /// `by (*)`: every configured segmentation.
        case every
    }

    package var metric: Metric
    package var offset: Int
    package var matchers: [LabelMatcher]
    package var grouping: Grouping

    /// Labels a selector knows that are not dimensions of a segmentation.
    package static let ownLabels = ["column", "version", "role", "model"]

    /// The dimensions a row's segment must have, exactly; `nil` for every segmentation. Filtering by a dimension asks
    /// for it: `psi{country="BR"}` is the segment, not a filter on all traffic that nothing could pass.
    package var dimensions: [Expression.Name]? {
        var names: [Expression.Name]
        switch grouping {
        case .every: return nil
        case .allTraffic: names = []
        case .dimensions(let list): names = list
        }
        for matcher in matchers
        where !Self.ownLabels.contains(matcher.label) && !(metric == .added_rate && matcher.label == "field") {
            if !names.contains(where: { $0.text == matcher.label }) {
                names.append(Expression.Name(text: matcher.label, offset: matcher.offset))
            }
        }
        return names
    }
}
