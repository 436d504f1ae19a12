package import Values

/// How much the figures of a model differ from one span of time to the next, beyond chance, although nothing is wrong: days of
/// bad weather, on which all flights are late together. Zero where labels come as if drawn one by one.
package struct PerformanceWobble: Sendable, Hashable {
    /// Variances between spans: of AUROC, of calibration in the large, of accuracy, of the mean error as a share of itself.
    package struct Figures: Sendable, Hashable {
        package var ranking = 0.0
        package var calibration = 0.0
        package var errors = 0.0
        package var distance = 0.0

        package init() {}

        package var isZero: Bool { self == Figures() }

        /// The larger of each, after `transform`.
        fileprivate func union(_ other: Figures) -> Figures {
            var all = self
            all.ranking = max(ranking, other.ranking)
            all.calibration = max(calibration, other.calibration)
            all.errors = max(errors, other.errors)
            all.distance = max(distance, other.distance)
            return all
        }

        fileprivate func scaled(by factor: Double) -> Figures {
            var all = self
            all.ranking *= factor
            all.calibration *= factor
            all.errors *= factor
            all.distance *= factor
            return all
        }

        fileprivate func filled(from other: Figures) -> Figures {
            var all = self
            if ranking == 0 { all.ranking = other.ranking }
            if calibration == 0 { all.calibration = other.calibration }
            if errors == 0 { all.errors = other.errors }
            if distance == 0 { all.distance = other.distance }
            return all
        }
    }

    /// Of one length of time, and how many spans of it there were.
    package struct Spans: Sendable, Hashable {
        package let length: Span
        package let count: Double
        package let figures: Figures

        package init(length: Span, count: Double, figures: Figures) {
            self.length = length
            self.count = count
            self.figures = figures
        }
    }

    package var spans: [Spans]

    package init(_ spans: [Spans] = []) { self.spans = spans }

    package var isZero: Bool { spans.allSatisfy(\.figures.isZero) }

    /// Labelled rows a span needs to be one, spans of which a variance can be told, and the p-value under which they are not alike.
    package static let leastRows: Int64 = 30
    package static let leastSpans = 8
    private static let level = 1e-4
    private static let leastOfClass: Int64 = 5
    /// The furthest of this share of spans tell of an incident, not of what is usual.
    private static let trimmed = 0.05

    /// Of windows of a length: that of the longest spans they hold, or of what lasts longer; and how many such windows were seen.
    package func figures(window: Span) -> (figures: Figures, windows: Double) {
        let own = spans.map(\.length).filter { $0 <= window }.max() ?? .zero
        return spans.filter { $0.length >= own }.reduce((Figures(), 0.0)) { sum, span in
            let factor = Double(span.length.microseconds) / Double(max(1, window.microseconds))
            let windows = span.count * factor
            return (
                sum.0.union(span.figures.scaled(by: factor)), sum.1 > 0 ? min(sum.1, windows) : windows
            )
        }
    }

    /// What spans of labelled rows say. O(spans × bins).
    ///
    /// - Parameter parts: by span, the part of the week it lies in, where windows are compared by it: what weekends always differ by is
    ///   then no wobble.
    package static func figures(_ spans: [PerformanceSketch], parts: [WeekPart?] = []) -> Figures {
        typealias Measured = PerformanceReference.Measured
        let spans = spans.indices.map { (sketch: spans[$0], part: $0 < parts.count ? parts[$0] : nil) }
        func measured(_ measure: (PerformanceSketch) -> Measured?) -> [(part: WeekPart?, measured: Measured)] {
            spans.compactMap { span in measure(span.sketch).map { (span.part, $0) } }
        }
        var found = Figures()
        found.ranking = variance(
            measured { min($0.positives, $0.labelled - $0.positives) >= leastOfClass ? Measured.ranking($0) : nil })
        found.calibration = variance(measured(Measured.calibration))
        found.errors = variance(measured(Measured.errors))
        let distances = measured(Measured.distance)
        let mean = distances.reduce(0) { $0 + $1.measured.value } / Double(max(1, distances.count))
        if mean > 0 { found.distance = variance(distances) / (mean * mean) }
        return found
    }

    /// The variance within parts of the week beyond that of sampling, 0 where all of it may be chance (Cochran's Q).
    private static func variance(_ spans: [(part: WeekPart?, measured: PerformanceReference.Measured)]) -> Double {
        let known = spans.filter { $0.measured.variance > 0 }
        let means = Dictionary(grouping: known, by: \.part).mapValues { part in
            part.reduce(0) { $0 + $1.measured.value / $1.measured.variance }
                / part.reduce(0) { $0 + 1 / $1.measured.variance }
        }
        let degrees = known.count - means.count
        guard known.count >= leastSpans, degrees > 0 else { return 0 }
        // Means are of the spans themselves, which are nearer to them than to the truth.
        let own = Double(known.count) / Double(degrees)
        let squares = known.map { span in
            let distance = span.measured.value - (means[span.part] ?? 0)
            return distance * distance
        }
        let q = zip(squares, known).reduce(0) { $0 + $1.0 / $1.1.measured.variance }
        guard SpecialFunctions.chiSquareSurvival(q, degrees: Double(degrees)) < level else { return 0 }
        let excess = zip(squares, known).map { $0 * own - $1.measured.variance }.sorted()
        let kept = excess.dropLast(Int((Double(excess.count) * trimmed).rounded(.up)))
        return max(0, kept.reduce(0, +) / Double(kept.count))
    }
}

extension PerformanceReference {
    /// How much windows of a length differ although nothing is wrong, and how many of them the reference is worth; where a segment has too
    /// few rows to tell, as much as all traffic.
    package func wobble(_ segment: Segment, window: Span) -> (figures: PerformanceWobble.Figures, windows: Double) {
        let whole = (wobbles[.all] ?? PerformanceWobble()).figures(window: window)
        guard !segment.isAll, let own = wobbles[segment]?.figures(window: window) else { return whole }
        return (own.figures.filled(from: whole.figures), own.windows > 0 ? own.windows : whole.windows)
    }
}
