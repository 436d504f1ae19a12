/// How much a column's rows differ from one span of time to the next, beyond chance and beyond its season, although nothing is
/// wrong: days of rain, batches of a customer, hours in which a source is down. Zero where rows come as if drawn one by one.
package struct Wobble: Sendable, Hashable {
    /// τ² of the histogram: without a shift, PSI of a span with n rows against m is about (1/n + 1/m + τ²)·χ²_k.
    package var shift = 0.0
    /// Intraclass correlation ρ of nulls: their rate varies over spans by p(1 − p)·ρ.
    package var null = 0.0
    /// What a span has that all others had not: values outside their range, categories they do not have.
    package var novelty = Novelty()
    /// Intraclass correlation ρ of values: how much oftener two rows of a span have the same one than two of different spans.
    package var standing = 0.0
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

    package init(
        shift: Double = 0, null: Double = 0, novelty: Novelty = Novelty(), standing: Double = 0, spans: Double = 0
    ) {
        self.shift = shift
        self.null = null
        self.novelty = novelty
        self.standing = standing
        self.spans = spans
    }

    /// Nothing is known to wobble.
    package var isZero: Bool { shift == 0 && null == 0 && novelty == Novelty() && standing == 0 }

    /// A variance per span as one per window, so that adding windows up gives at least what spans have: what lasts for a day is
    /// one observation however many windows look at it (long-run variance; Newey and West 1987), and what is over within the hour
    /// averages out of a day. Rows that stand at one value are no more alike in a part of a span than the span knows.
    package func scaled(by factor: Double) -> Wobble {
        Wobble(
            shift: shift * factor, null: min(Self.most, null * factor),
            novelty: Novelty(share: novelty.share, wobble: min(Self.most, novelty.wobble * factor)),
            standing: standing * min(1, factor),
            spans: spans * factor)
    }

    /// Correlations stay below 1.
    private static let most = 0.9

    /// The larger of each, on the fewer spans.
    package func union(_ other: Wobble) -> Wobble {
        Wobble(
            shift: max(shift, other.shift), null: max(null, other.null),
            novelty: Novelty(
                share: max(novelty.share, other.novelty.share), wobble: max(novelty.wobble, other.novelty.wobble)),
            standing: max(standing, other.standing),
            spans: spans > 0 && other.spans > 0 ? min(spans, other.spans) : max(spans, other.spans))
    }

    /// What is zero here, from another. What is new in a span is of few rows: a part knows at least what the whole does.
    package func filled(from other: Wobble) -> Wobble {
        Wobble(
            shift: shift > 0 ? shift : other.shift, null: null > 0 ? null : other.null,
            novelty: union(other).novelty, standing: standing > 0 ? standing : other.standing,
            spans: spans > 0 ? spans : other.spans)
    }
}
