package import Values

/// How much a column's rows differ from one span of time to the next, beyond chance and beyond its season, although nothing is
/// wrong: days of rain, batches of a customer, hours in which a source is down. Zero where rows come as if drawn one by one.
package struct Wobble: Sendable, Hashable {
    /// τ² of the histogram: without a shift, PSI of a span with n rows against m is about (1/n + 1/m + τ²)·χ²_k.
    package var shift = 0.0
    /// Intraclass correlation ρ of nulls: their rate varies over spans by p(1 − p)·ρ.
    package var null = 0.0
    /// What a span has that all others had not: values outside their range, categories they do not have.
    package var novelty = Novelty()
    /// Spans it was measured on. What the reference itself knows is the mean of so many, and off by their wobble too; 0 where unknown.
    package var spans = 0.0

    package struct Novelty: Sendable, Hashable {
        /// Its share of the rows.
        package var share = 0.0
        /// Intraclass correlation.
        package var wobble = 0.0

        package init(share: Double = 0, wobble: Double = 0) {
            self.share = share
            self.wobble = wobble
        }
    }

    package init(shift: Double = 0, null: Double = 0, novelty: Novelty = Novelty(), spans: Double = 0) {
        self.shift = shift
        self.null = null
        self.novelty = novelty
        self.spans = spans
    }

    /// Nothing is known to wobble.
    package var isZero: Bool { shift == 0 && null == 0 && novelty == Novelty() }

    /// A variance per span as one per window, so that adding windows up gives at least what spans have: what lasts for a day is
    /// one observation however many windows look at it (long-run variance; Newey and West 1987), and what is over within the hour
    /// averages out of a day.
    func scaled(by factor: Double) -> Wobble {
        Wobble(
            shift: shift * factor, null: min(Self.most, null * factor),
            novelty: Novelty(share: novelty.share, wobble: min(Self.most, novelty.wobble * factor)),
            spans: spans * factor)
    }

    /// Correlations stay below 1.
    private static let most = 0.9

    /// The larger of each, on the fewer spans.
    func union(_ other: Wobble) -> Wobble {
        Wobble(
            shift: max(shift, other.shift), null: max(null, other.null),
            novelty: Novelty(
                share: max(novelty.share, other.novelty.share), wobble: max(novelty.wobble, other.novelty.wobble)),
            spans: spans > 0 && other.spans > 0 ? min(spans, other.spans) : max(spans, other.spans))
    }

    /// What is zero here, from another. What is new in a span is of few rows: a part knows at least what the whole does.
    func filled(from other: Wobble) -> Wobble {
        Wobble(
            shift: shift > 0 ? shift : other.shift, null: null > 0 ? null : other.null,
            novelty: union(other).novelty, spans: spans > 0 ? spans : other.spans)
    }
}

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
