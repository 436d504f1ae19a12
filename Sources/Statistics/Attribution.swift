package import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One segment's part in the shift of all traffic.
package struct Driver: Sendable, Hashable {
    package let segment: Segment
    /// The contribution as a share of the whole shift. Over all segments of one segmentation the shares add up to 1;
    /// one can exceed 1 where others move the other way.
    package let share: Double
    /// From having more or less traffic than in the reference.
    package let mix: Double
    /// From having other values than in the reference.
    package let within: Double
    package let standardError: Double
    /// `mix` + `within`, in the unit of PSI.
    package let contribution: Double

    package init(
        segment: Segment, share: Double, mix: Double, within: Double, standardError: Double, contribution: Double
    ) {
        self.segment = segment
        self.share = share
        self.mix = mix
        self.within = within
        self.standardError = standardError
        self.contribution = contribution
    }
}

/// Who drives the shift of one column.
package struct AttributionReport: Sendable, Hashable {
    /// Segments whose contribution is more than two standard errors from 0: the ones that add to the shift first,
    /// those with the best evidence first.
    package let drivers: [Driver]
    /// What is left of the segments' own shifts in all traffic, 0…1: below 0.3 segments moved in opposite directions
    /// and cancel. The least over the segmentations; `nil` where no segmentation shows a shift beyond noise.
    package let cancellation: Double?
    /// No segment apart from the first driver (one it shares no rows with) adds over a tenth of the shift, three standard errors from 0.
    package let isAlone: Bool

    package init(drivers: [Driver], cancellation: Double?, isAlone: Bool = false) {
        self.drivers = drivers
        self.cancellation = cancellation
        self.isAlone = isAlone
    }
}

/// Divides the PSI of all traffic among its segments (detection: "Who drives the shift").
///
/// With weights w, v of a segment in reference and window and its bins p, q, every segment contributes
/// Σ_b ω_b·(v·q_b − w·p_b), ω_b = ln(Q_b / P_b) of all traffic, and the contributions of a segmentation add up to the
/// PSI of all traffic exactly. Totals are Jeffreys-smoothed inside ω alone, so the sum is Σ ω_b·(Q_b − P_b) with raw
/// proportions. A rate is divided likewise, with ω = ±1 for the rows it counts and 0 for the others: the contributions
/// then add up to the size of its change. O(rows × bins).
package enum Attribution {
    /// What is divided among the segments.
    package enum Measure: Sendable, Hashable {
        /// The PSI of the valid values.
        case values
        /// The change of the null rate.
        case nulls
        /// The change of the share of values the reference does not have (categorical columns).
        case unseen

        /// The histograms of one side in the bins this measure is about.
        fileprivate func bins(_ comparison: Comparison) -> (reference: [UInt64], current: [UInt64]) {
            func split(_ counted: UInt64, _ total: UInt64) -> [UInt64] { [counted, total &- counted] }
            func sum(_ counts: [UInt64]) -> UInt64 { counts.reduce(0, &+) }
            switch self {
            case .values: return (comparison.reference, comparison.current)
            case .nulls:
                return (
                    [comparison.referenceNulls, sum(comparison.reference)],
                    [comparison.currentNulls, sum(comparison.current)]
                )
            case .unseen:
                return (
                    split(comparison.reference.last ?? 0, sum(comparison.reference)),
                    split(comparison.current.last ?? 0, sum(comparison.current))
                )
            }
        }
    }

    package static func drivers(
        column: String, version: String, in snapshot: Snapshot, limit: Int
    ) -> AttributionReport {
        drivers(
            among: snapshot.rows.filter { $0.column == column && $0.version == version }, of: .values, limit: limit)
    }

    /// - Parameter rows: every segment of one column and version, all traffic among them.
    package static func drivers(
        among rows: [SnapshotRow], of measure: Measure, limit: Int
    ) -> AttributionReport {
        let all = (rows.first { $0.segment.isAll }?.common).map(measure.bins)
        var segmentations: [[String]: [Part]] = [:]
        for row in rows where !row.segment.isAll {
            let bins = measure.bins(row.common)
            let part = Part(segment: row.segment, reference: bins.reference, current: bins.current)
            segmentations[row.segment.dimensions, default: []].append(part)
        }
        var scored: [(driver: Driver, evidence: Double)] = []
        var cancellation: Double?
        for (_, parts) in segmentations.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard let division = Division(parts, all: all, measure) else { continue }
            scored += division.drivers()
            if let ratio = division.cancellation() { cancellation = min(cancellation ?? 1, ratio) }
        }
        let ranked =
            scored
            .filter { $0.evidence > 2 }
            .sorted { a, b in
                let addsA = a.driver.share > 0
                let addsB = b.driver.share > 0
                if addsA != addsB { return addsA }
                let (first, second) = (weight(a), weight(b))
                if first != second { return first > second }
                return a.driver.segment < b.driver.segment
            }
        let isAlone = ranked.first.map { first in
            !ranked.contains {
                $0.driver.share > 0.1 && $0.evidence > 3 && areApart($0.driver.segment, first.driver.segment)
            }
        }
        return AttributionReport(
            drivers: ranked.prefix(max(0, limit)).map(\.driver), cancellation: cancellation, isAlone: isAlone ?? false)
    }

    /// What ranks a segment: the evidence, less of it for a segment that holds next to nothing of the whole. Of a part of a
    /// hundredth one may be quite sure, and the reader is helped by what holds half of it.
    private static func weight(_ scored: (driver: Driver, evidence: Double)) -> Double {
        scored.evidence * min(1, abs(scored.driver.share) / 0.05)
    }

    /// Whether two segments can have no row in common.
    private static func areApart(_ a: Segment, _ b: Segment) -> Bool {
        a.parts.contains { part in b[part.dimension].map { $0 != part.value } ?? false }
    }
}

/// A segment's histograms in the bins of all traffic; `segment` is `nil` for the traffic no row names.
private struct Part {
    let segment: Segment?
    let reference: [UInt64]
    let current: [UInt64]
}

/// A segment's weights and the means of ω over its bins.
private struct Means {
    let w: Double
    let v: Double
    let reference: Double
    let current: Double
    var middle: Double { (reference + current) / 2 }

    /// A segment without rows on one side has the other's bins there: it is then all mix.
    init(_ part: Part, _ omega: [Double], _ m: Double, _ n: Double) {
        let own = (reference: part.reference.total, current: part.current.total)
        w = own.reference / m
        v = own.current / n
        func mean(_ counts: [UInt64], _ total: Double) -> Double {
            zip(omega, counts).reduce(0) { $0 + $1.0 * (Double($1.1) / total) }
        }
        let p = own.reference > 0 ? mean(part.reference, own.reference) : nil
        let q = own.current > 0 ? mean(part.current, own.current) : nil
        reference = p ?? q ?? 0
        current = q ?? p ?? 0
    }
}

/// One segmentation of one column.
private struct Division {
    private let parts: [Part]
    private let reference: [UInt64]
    private let current: [UInt64]
    private let m: Double
    private let n: Double
    private let measure: Attribution.Measure

    /// `nil` where a side has no values or the rows do not share their bins.
    init?(_ named: [Part], all: (reference: [UInt64], current: [UInt64])?, _ measure: Attribution.Measure) {
        guard let first = named.first else { return nil }
        let bins = first.reference.count
        guard named.allSatisfy({ $0.reference.count == bins && $0.current.count == bins }) else { return nil }
        func sum(_ side: (Part) -> [UInt64]) -> [UInt64] {
            named.reduce(into: [UInt64](repeating: 0, count: bins)) { total, part in
                for (i, count) in side(part).enumerated() { total[i] &+= count }
            }
        }
        var reference = sum(\.reference)
        var current = sum(\.current)
        var parts = named
        // Segments that vanished, or beyond the limit on segments, have no row of their own: they are the rest of all
        // traffic, and without them the contributions would not add up.
        if let all, all.reference.count == bins, all.current.count == bins,
            zip(all.reference, reference).allSatisfy({ $0 >= $1 }), zip(all.current, current).allSatisfy({ $0 >= $1 })
        {
            let rest = Part(
                segment: nil, reference: zip(all.reference, reference).map { $0 - $1 },
                current: zip(all.current, current).map { $0 - $1 })
            reference = all.reference
            current = all.current
            if rest.reference.total > 0 || rest.current.total > 0 { parts.append(rest) }
        }
        m = reference.total
        n = current.total
        guard m > 0, n > 0 else { return nil }
        self.parts = parts
        self.reference = reference
        self.current = current
        self.measure = measure
    }

    /// ln(Q_b / P_b) of all traffic, or the sign of a rate's change, less its mean over the segments: M̄ of the design.
    ///
    /// A constant added to ω changes no sum, for Σ(v − w) = 0. With this one a segment that merely grows, having the
    /// bins all traffic has, contributes nothing.
    private func weights() -> [Double] {
        var omega: [Double]
        switch measure {
        case .values:
            let p = Smoothing.jeffreys.proportions(reference) ?? []
            let q = Smoothing.jeffreys.proportions(current) ?? []
            omega = zip(p, q).map { log($1 / $0) }
        case .nulls, .unseen:
            let rises = Double(current[0]) / n >= Double(reference[0]) / m
            omega = [rises ? 1 : -1, 0]
        }
        let mean = parts.reduce(0) { sum, part in
            let means = Means(part, omega, m, n)
            return sum + (means.w + means.v) / 2 * means.middle
        }
        return omega.map { $0 - mean }
    }

    /// Every named segment with |contribution| / standard error.
    func drivers() -> [(driver: Driver, evidence: Double)] {
        let omega = weights()
        var total = 0.0
        for b in omega.indices { total += omega[b] * (Double(current[b]) / n - Double(reference[b]) / m) }
        guard total > 0 else { return [] }
        return parts.compactMap { part in
            guard let segment = part.segment else { return nil }
            let means = Means(part, omega, m, n)
            let within = (means.v + means.w) / 2 * (means.current - means.reference)
            let mix = (means.v - means.w) * means.middle
            let contribution = mix + within
            var variance = 0.0
            for b in omega.indices {
                let spread = Double(part.current[b]) / n / n + Double(part.reference[b]) / m / m
                variance += omega[b] * omega[b] * spread
            }
            let error = variance.squareRoot()
            let driver = Driver(
                segment: segment, share: contribution / total, mix: mix, within: within,
                standardError: error, contribution: contribution)
            return (driver, error > 0 ? abs(contribution) / error : 0)
        }
    }

    /// The PSI of all traffic over the PSI of (segment, bin) together, both less what sampling noise adds to them.
    func cancellation() -> Double? {
        let noise = 1 / n + 1 / m
        let joint = Contingency(parts.flatMap(\.reference), parts.flatMap(\.current), merging: true)
        guard let joint, let jointP = joint.psiP, jointP < 0.001,
            let jointPSI = Distances.psi(joint.reference, joint.current, smoothing: .jeffreys),
            let marginal = Distances.psi(reference, current, smoothing: .jeffreys)
        else { return nil }
        let filled = zip(reference, current).count { $0 > 0 || $1 > 0 }
        let shift = jointPSI - Double(joint.reference.count - 1) * noise
        guard shift > 0 else { return nil }
        return min(1, max(0, (marginal - Double(filled - 1) * noise) / shift))
    }
}
