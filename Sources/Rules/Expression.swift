package import Statistics

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
        case .selector, .aggregate, .comparison, .set: false
        case .reference(let x), .absolute(let x), .negated(let x): x.isScalar
        case .arithmetic(_, let a, let b, _): a.isScalar && b.isScalar
        }
    }

    /// The selectors in it, left to right, with whether they stand inside `reference(…)`.
    package var selectors: [Selector] {
        switch self {
        case .number: []
        case .selector(let selector): [selector]
        case .reference(let x), .absolute(let x), .negated(let x), .aggregate(_, _, let x): x.selectors
        case .arithmetic(_, let a, let b, _), .comparison(_, let a, let b, _), .set(_, let a, let b, _):
            a.selectors + b.selectors
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
        for matcher in matchers where !Self.ownLabels.contains(matcher.label) {
            if !names.contains(where: { $0.text == matcher.label }) {
                names.append(Expression.Name(text: matcher.label, offset: matcher.offset))
            }
        }
        return names
    }
}
