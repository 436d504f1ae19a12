package import Values

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// How long labels took, counted by length: eight buckets to a doubling, from one second to two years, so a quantile is right within
/// one eleventh.
package struct DelayCounts: Sendable, Hashable {
    package static let bucketCount = 26 * 8 + 2

    /// By bucket, only those with any.
    package private(set) var counts: [Int: Int64] = [:]

    package init() {}

    /// Labels that came before their prediction, or within a second, share the first bucket.
    package static func bucket(_ delay: Span) -> Int {
        let seconds = delay.seconds
        guard seconds >= 1 else { return 0 }
        return min(1 + Int(log2(seconds) * 8), bucketCount - 1)
    }

    /// The longest delay of each bucket.
    package static let ends = (0..<bucketCount).map { bucket in
        bucket == 0 ? Span.zero : Span(microseconds: Int64(exp2(Double(bucket) / 8) * 1e6))
    }

    package mutating func add(bucket: Int, times: Int64 = 1) {
        let count = (counts[bucket] ?? 0) + times
        counts[bucket] = count == 0 ? nil : count
    }

    package mutating func merge(_ other: DelayCounts) {
        for (bucket, count) in other.counts { add(bucket: bucket, times: count) }
    }

    package var total: Int64 { counts.values.reduce(0, +) }

    /// The delay that a share of the labels did not exceed, `nil` without labels; those of a bucket are taken as spread over it.
    package func quantile(_ share: Double) -> Span? {
        let total = Double(total)
        guard total > 0 else { return nil }
        var sum = 0.0
        for (bucket, count) in counts.sorted(by: { $0.key < $1.key }) {
            let wanted = share * total - sum
            sum += Double(count)
            guard sum >= share * total else { continue }
            guard bucket > 0, count > 0 else { return .zero }
            // Buckets are even in the logarithm.
            let part = min(1, max(0, wanted / Double(count)))
            return Span(microseconds: Int64(exp2((Double(bucket) - 1 + part) / 8) * 1e6))
        }
        return nil
    }
}

/// What is known of how labels arrive, from windows of different age: a young window has only its quick labels, so plain counts would
/// call the process quicker than it is.
///
/// The distribution is estimated from the longest delay down (Lagakos, Barraj and De Gruttola 1988, for truncated data): the share
/// of labels with a delay in bucket b among those with at most b, from windows old enough to have shown b. It says nothing of delays
/// longer than the oldest window's age.
package struct DelayProcess: Sendable {
    /// A cohort of predictions and how long ago they were made.
    package struct Cohort: Sendable {
        package let age: Span
        package let delays: DelayCounts
        package init(age: Span, delays: DelayCounts) {
            self.age = age
            self.delays = delays
        }
    }

    private var inBucket = [Int64](repeating: 0, count: DelayCounts.bucketCount)
    private var upToBucket = [Int64](repeating: 0, count: DelayCounts.bucketCount)

    package init(_ cohorts: [Cohort] = []) {
        for cohort in cohorts { add(cohort.delays, age: cohort.age) }
    }

    /// Adds a cohort by its age, or takes it out.
    package mutating func add(_ delays: DelayCounts, age: Span, times: Int64 = 1) {
        guard !delays.counts.isEmpty else { return }
        var below: Int64 = 0
        for bucket in 0..<DelayCounts.bucketCount {
            guard DelayCounts.ends[bucket] <= age else { break }
            let count = delays.counts[bucket] ?? 0
            below += count
            inBucket[bucket] += times * count
            upToBucket[bucket] += times * below
        }
    }

    /// A cohort has become old enough to show delays of one more bucket.
    package mutating func add(_ delays: DelayCounts, in bucket: Int) {
        guard !delays.counts.isEmpty else { return }
        inBucket[bucket] += delays.counts[bucket] ?? 0
        upToBucket[bucket] += delays.counts.reduce(0) { $1.key <= bucket ? $0 + $1.value : $0 }
    }

    /// The delay that a share of labels does not exceed, `nil` before any label was seen.
    package func quantile(_ share: Double) -> Span? {
        guard let last = inBucket.lastIndex(where: { $0 > 0 }) else { return nil }
        var within = 1.0
        for bucket in stride(from: last, through: 0, by: -1) {
            if upToBucket[bucket] > 0 {
                let below = within * (1 - Double(inBucket[bucket]) / Double(upToBucket[bucket]))
                if below < share { return DelayCounts.ends[bucket] }
                within = below
            }
        }
        return DelayCounts.ends[0]
    }
}
