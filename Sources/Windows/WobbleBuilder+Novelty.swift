import Events
import Statistics
import Values

/// What a span of a reference has that the others had not, or not yet.
extension WobbleBuilder {
    /// The most of what is beyond all other spans, and of what was beyond the spans before when it came. Where rows come as if
    /// drawn one by one the two are much the same; where a season goes on or routes open, tomorrow is like the last weeks were to
    /// those before them.
    func novelty(_ part: Parts, _ rows: [Int], _ source: DataTable.Column, isNumeric: Bool) -> Wobble.Novelty {
        let among = Self.novelty(isNumeric ? outside(part, rows, source) : unseen(part, rows, source))
        let after = Self.novelty(isNumeric ? beyond(part, source) : unknown(part, source))
        return Wobble(novelty: among).union(Wobble(novelty: after)).novelty
    }

    private static func novelty(_ spans: [RateWobble.Span]) -> Wobble.Novelty {
        let n = spans.reduce(0) { $0 + $1.rows }
        guard spans.count >= leastSpans, n > 0 else { return .init() }
        let share = spans.reduce(0) { $0 + $1.hits } / n
        return .init(
            share: share,
            wobble: RateWobble.correlation(
                spans.map { .init(hits: $0.hits, rows: $0.rows, expected: share) }, level: level))
    }

    /// By span of the later half, the numbers outside the range of the spans before.
    private func beyond(_ part: Parts, _ source: DataTable.Column) -> [RateWobble.Span] {
        var (least, greatest) = (Double.infinity, -Double.infinity)
        return later(part) { rows in
            var span = RateWobble.Span(hits: 0, rows: 0, expected: 0)
            let before = (least: least, greatest: greatest)
            for row in rows {
                guard case .number(let value) = source[row] else { continue }
                span.rows += 1
                if value < before.least || value > before.greatest { span.hits += 1 }
                least = min(least, value)
                greatest = max(greatest, value)
            }
            return span
        }
    }

    /// By span of the later half, the rows of categories that no span before had.
    private func unknown(_ part: Parts, _ source: DataTable.Column) -> [RateWobble.Span] {
        var known: Set<String> = []
        return later(part) { rows in
            let categories = rows.compactMap { source.category($0) }
            let hits = categories.count { !known.contains($0) }
            known.formUnion(categories)
            return .init(hits: Double(hits), rows: Double(categories.count), expected: 0)
        }
    }

    /// Goes through the spans in order of time; gives those of the later half.
    private func later(_ part: Parts, _ take: ([Int]) -> RateWobble.Span) -> [RateWobble.Span] {
        let order = part.spans.indices.sorted {
            part.grid.starts[Int(part.spans[$0])] < part.grid.starts[Int(part.spans[$1])]
        }
        return Array(order.map { take(part.rows[$0]) }.dropFirst(order.count / 2))
    }

    /// By span, the numbers outside the range of all other spans.
    private func outside(_ part: Parts, _ rows: [Int], _ source: DataTable.Column) -> [RateWobble.Span] {
        // The two extreme spans at each end: the range of all but one span is of the others.
        var least = Extremes()
        var greatest = Extremes()
        for row in rows {
            guard case .number(let value) = source[row] else { continue }
            let span = part.grid.spans[row]
            least.add(-value, span)
            greatest.add(value, span)
        }
        var spans = part.spans.map { _ in RateWobble.Span(hits: 0, rows: 0, expected: 0) }
        for row in rows {
            let span = part.grid.spans[row]
            guard let i = part.place[span], case .number(let value) = source[row] else { continue }
            spans[i].rows += 1
            if -value > least.besides(span) || value > greatest.besides(span) { spans[i].hits += 1 }
        }
        return spans
    }

    /// By span, the rows of categories that no other span has.
    private func unseen(_ part: Parts, _ rows: [Int], _ source: DataTable.Column) -> [RateWobble.Span] {
        var only: [String: Int32?] = [:]
        for row in rows {
            guard let category = source.category(row) else { continue }
            let span = part.grid.spans[row]
            if let known = only[category] {
                if let known, known != span { only[category] = .some(nil) }
            } else {
                only[category] = .some(span)
            }
        }
        var spans = part.spans.map { _ in RateWobble.Span(hits: 0, rows: 0, expected: 0) }
        for row in rows {
            guard let i = part.place[part.grid.spans[row]], let category = source.category(row) else { continue }
            spans[i].rows += 1
            if let only = only[category], only != nil { spans[i].hits += 1 }
        }
        return spans
    }

    /// The largest value, and the largest of all other spans than its own.
    private struct Extremes {
        private var first = (value: -Double.infinity, span: Int32(-1))
        private var second = -Double.infinity

        mutating func add(_ value: Double, _ span: Int32) {
            if value > first.value {
                if span != first.span { second = first.value }
                first = (value, span)
            } else if span != first.span, value > second {
                second = value
            }
        }

        func besides(_ span: Int32) -> Double { span == first.span ? second : first.value }
    }
}
