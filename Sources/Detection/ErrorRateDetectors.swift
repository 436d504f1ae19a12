#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

// Classical detectors of a change in an error rate, over windows of labelled rows instead of single rows: for people who know
// them. None keeps a promise of false alarms over many segments; `ConceptWatch` does.

/// Drift detection method (Gama, Medas, Castillo and Rodrigues 2004): the rate since the last change, plus its deviation, against
/// the least that it ever was.
package struct DDM: Sendable, Hashable, Codable {
    private var rows = 0.0
    private var errors = 0.0
    private var least = (rate: Double.infinity, deviation: Double.infinity)

    /// Fewer rows decide nothing.
    private static let minimumRows = 30.0

    package init() {}

    /// - Returns: whether the rate has risen by three deviations; then everything starts anew.
    package mutating func add(errors count: Double, of n: Double) -> Bool {
        guard n > 0 else { return false }
        rows += n
        errors += count
        guard rows >= Self.minimumRows else { return false }
        let rate = errors / rows
        let deviation = (rate * (1 - rate) / rows).squareRoot()
        if rate + deviation < least.rate + least.deviation { least = (rate, deviation) }
        guard rate + deviation > least.rate + 3 * least.deviation, least.deviation > 0 else { return false }
        self = DDM()
        return true
    }

    private enum CodingKeys: CodingKey { case rows, errors, rate, deviation }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        rows = try values.decode(Double.self, forKey: .rows)
        errors = try values.decode(Double.self, forKey: .errors)
        // Absent while they are infinite, which JSON cannot say.
        least.rate = try values.decodeIfPresent(Double.self, forKey: .rate) ?? .infinity
        least.deviation = try values.decodeIfPresent(Double.self, forKey: .deviation) ?? .infinity
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(rows, forKey: .rows)
        try values.encode(errors, forKey: .errors)
        if least.rate.isFinite {
            try values.encode(least.rate, forKey: .rate)
            try values.encode(least.deviation, forKey: .deviation)
        }
    }

    package static func == (a: DDM, b: DDM) -> Bool {
        a.rows == b.rows && a.errors == b.errors && a.least == b.least
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(rows)
        hasher.combine(errors)
    }
}

/// Page's test for a rise of a mean (Page 1954; Hinkley 1971): the sum of what each row errs over the mean so far, less a tolerance,
/// against the least it ever was.
package struct PageHinkley: Sendable, Hashable, Codable {
    private var rows = 0.0
    private var mean = 0.0
    private var sum = 0.0
    private var least = 0.0
    /// The rise that is tolerated, and the sum that is not.
    private let tolerance: Double
    private let threshold: Double

    package init(tolerance: Double = 0.005, threshold: Double = 50) {
        self.tolerance = tolerance
        self.threshold = threshold
    }

    /// - Returns: whether the rate has risen; then everything starts anew.
    package mutating func add(errors count: Double, of n: Double) -> Bool {
        guard n > 0 else { return false }
        // Against the mean before this window: its own rows must not hide what they show.
        if rows > 0 { sum += count - n * (mean + tolerance) }
        least = min(least, sum)
        mean = (mean * rows + count) / (rows + n)
        rows += n
        guard sum - least > threshold else { return false }
        self = PageHinkley(tolerance: tolerance, threshold: threshold)
        return true
    }
}

/// Adaptive windowing (Bifet and Gavaldà 2007): the past is cut wherever its older and newer part have means further apart than chance
/// allows. Keeps one bucket for each window it was given, at most `maximumBuckets`, the oldest merged.
package struct ADWIN: Sendable, Hashable, Codable {
    private struct Bucket: Sendable, Hashable, Codable {
        var rows: Double
        var errors: Double
    }

    private var buckets: [Bucket] = []
    private let delta: Double
    private static let maximumBuckets = 200

    package init(delta: Double = 0.002) { self.delta = delta }

    /// The rate of what it holds.
    package var mean: Double {
        let rows = buckets.reduce(0) { $0 + $1.rows }
        return rows > 0 ? buckets.reduce(0) { $0 + $1.errors } / rows : 0
    }

    /// - Returns: whether the rate has risen; older windows are forgotten whether it rose or fell.
    package mutating func add(errors count: Double, of n: Double) -> Bool {
        guard n > 0 else { return false }
        buckets.append(Bucket(rows: n, errors: count))
        if buckets.count > Self.maximumBuckets {
            buckets[1].rows += buckets[0].rows
            buckets[1].errors += buckets[0].errors
            buckets.removeFirst()
        }
        var hasRisen = false
        while let cut = cut() {
            hasRisen = hasRisen || cut.isRise
            buckets.removeFirst(cut.place)
        }
        return hasRisen
    }

    private func cut() -> (place: Int, isRise: Bool)? {
        let total = buckets.reduce(0) { $0 + $1.rows }
        let errors = buckets.reduce(0) { $0 + $1.errors }
        let rate = errors / total
        let chance = log(2 * log(max(total, 2)) / delta)
        var older = Bucket(rows: 0, errors: 0)
        for (place, bucket) in buckets.enumerated().dropLast() {
            older.rows += bucket.rows
            older.errors += bucket.errors
            let newer = total - older.rows
            let m = 1 / (1 / older.rows + 1 / newer)
            let allowed = (2 / m * rate * (1 - rate) * chance).squareRoot() + 2 / (3 * m) * chance
            let before = older.errors / older.rows
            let after = (errors - older.errors) / newer
            if abs(after - before) > allowed { return (place + 1, after > before) }
        }
        return nil
    }
}
