package import Values

/// The wobble of one column of one group, as measured over spans of several lengths.
package struct SpanWobbles: Sendable, Hashable {
    package var spans: [(length: Span, wobble: Wobble)]

    package init(_ spans: [(length: Span, wobble: Wobble)] = []) { self.spans = spans }

    package static func == (a: SpanWobbles, b: SpanWobbles) -> Bool {
        a.spans.elementsEqual(b.spans) { $0.length == $1.length && $0.wobble == $1.wobble }
    }

    package func hash(into hasher: inout Hasher) {
        for span in spans {
            hasher.combine(span.length)
            hasher.combine(span.wobble)
        }
    }

    /// The wobble of windows of a length: that of the longest spans they hold, or of what lasts longer than they do.
    package func wobble(window: Span) -> Wobble {
        let own = spans.map(\.length).filter { $0 <= window }.max() ?? .zero
        return spans.filter { $0.length >= own }.reduce(Wobble()) { sum, span in
            sum.union(span.wobble.scaled(by: Double(span.length.microseconds) / Double(max(1, window.microseconds))))
        }
    }
}

extension Reference {
    /// How much a column of a segment wobbles between windows of a length; where the segment has too few rows to tell, or none that
    /// can be told from chance, as much as in all traffic.
    package func wobble(_ segment: Segment, column: Int, window: Span) -> Wobble {
        let whole = all.wobble(column).wobble(window: window)
        guard !segment.isAll, let own = group(segment) else { return whole }
        return own.wobble(column).wobble(window: window).filled(from: whole)
    }
}
