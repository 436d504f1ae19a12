package import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The parts of a week in which a model may do differently, because other people use it or because what happens then is another thing.
package enum WeekPart: String, Sendable, CaseIterable {
    case weekdays, weekend

    /// - Parameter hour: of the week, 0 being Monday from midnight to one.
    package init(ofHour hour: Int) { self = hour < 120 ? .weekdays : .weekend }

    /// The part in which all of a window lies, `nil` where it has some of both.
    ///
    /// - Parameter covered: the time it spends in each hour of the week, Monday from midnight first.
    package init?(covered: [Double]) {
        let isWeekday = covered[..<120].contains { $0 > 0 }
        guard isWeekday != covered[120...].contains(where: { $0 > 0 }) else { return nil }
        self = isWeekday ? .weekdays : .weekend
    }
}

extension PerformanceReference {
    /// Labelled rows a part of a week needs to be compared with by itself.
    private static let leastPartRows: Int64 = 200
    /// Standard errors by which two parts differ by more than chance (p = 0.0001), and the least difference of AUROC or of rates, and of
    /// mean errors as a share, that is worth a thinner reference.
    private static let leastErrors = 3.9
    private static let leastDifference = 0.01
    private static let leastShare = 0.05

    /// Which groups are compared by the parts of the week: all with enough rows where all traffic does differently at weekends, else
    /// those that do.
    package static func seasonal(_ parts: [Segment: [WeekPart: PerformanceSketch]]) -> [Segment: [WeekPart:
        PerformanceSketch]]
    {
        let enough = parts.filter { group in
            WeekPart.allCases.allSatisfy { group.value[$0]?.labelled ?? 0 >= leastPartRows }
        }
        if let all = enough[.all], differ(all) { return enough }
        return enough.filter { differ($0.value) }
    }

    private static func differ(_ parts: [WeekPart: PerformanceSketch]) -> Bool {
        guard let a = parts[.weekdays], let b = parts[.weekend] else { return false }
        let pairs: [(Measured?, Measured?, least: Double)] = [
            (Measured.ranking(a), Measured.ranking(b), leastDifference),
            (Measured.calibration(a), Measured.calibration(b), leastDifference),
            (Measured.errors(a), Measured.errors(b), leastDifference),
            (Measured.distance(a), Measured.distance(b), leastShare * (a.errors.mae ?? 0)),
        ]
        return pairs.contains { a, b, least in
            guard let a, let b else { return false }
            let difference = abs(a.value - b.value)
            return difference > least && difference > leastErrors * (a.variance + b.variance).squareRoot()
        }
    }

    /// A figure of labelled rows and how sure it is.
    struct Measured {
        let value: Double
        let variance: Double

        static func ranking(_ sketch: PerformanceSketch) -> Measured? {
            let ranking = Ranking(sketch.scores)
            guard let auroc = ranking.auroc, let error = ranking.aurocStandardError else { return nil }
            return Measured(value: auroc.value, variance: error * error)
        }

        /// The share of positives over what scores say.
        static func calibration(_ sketch: PerformanceSketch) -> Measured? {
            guard let score = sketch.binary.meanScore else { return nil }
            return rate(Double(sketch.positives), of: Double(sketch.labelled), less: score)
        }

        static func errors(_ sketch: PerformanceSketch) -> Measured? {
            sketch.errorCounts.map { rate($0.errors, of: $0.rows, less: 0) }
        }

        static func distance(_ sketch: PerformanceSketch) -> Measured? {
            guard let mean = sketch.errors.mae, let root = sketch.errors.rmse else { return nil }
            return Measured(value: mean, variance: max(0, root * root - mean * mean) / Double(sketch.labelled))
        }

        private static func rate(_ hits: Double, of rows: Double, less: Double) -> Measured {
            let rate = (hits + 0.5) / (rows + 1)
            return Measured(value: hits / rows - less, variance: rate * (1 - rate) / rows)
        }
    }
}
