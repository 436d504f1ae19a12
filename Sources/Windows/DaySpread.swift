import Sketches

/// How much days differ that a season would have alike, as Pearson's χ² over its degrees of freedom: 1 where rows come as if drawn
/// one by one, more where the rows of a day are alike, as weather makes them. A season must stand out from that (an analysis of
/// variance), or four Mondays of rain are what Mondays are like.
struct DaySpread {
    /// χ² over degrees, and how many those are.
    struct Ratio {
        var value = 1.0
        var degrees = Double.infinity
    }

    /// Of days of one weekday; of days of one part of the week; of hours of the day, beyond what their days have in common.
    private(set) var ofWeekday = Ratio()
    private(set) var ofWeekPart = Ratio()
    private(set) var ofHour = Ratio()

    /// The hours of the days in which a group has rows; found once for all columns.
    struct Hours {
        fileprivate var keys: [(day: Int32, hour: UInt8)] = []
        /// By row of the group, its place in `keys`.
        private var places: [Int32] = []

        init(_ rows: [Int], days: [Int32], hours: [UInt8]) {
            var known: [Int64: Int32] = [:]
            places.reserveCapacity(rows.count)
            for row in rows {
                let key = Int64(days[row]) << 8 | Int64(hours[row])
                if let place = known[key] {
                    places.append(place)
                } else {
                    known[key] = Int32(keys.count)
                    places.append(Int32(keys.count))
                    keys.append((days[row], hours[row]))
                }
            }
        }

        /// Rows by hour and bin, of a column that puts each row into one of `bins`, or none.
        fileprivate func counts(bins: Int, _ bin: (Int) -> Int?) -> [[Double]] {
            var flat = [Double](repeating: 0, count: keys.count * bins)
            for (i, place) in places.enumerated() {
                if let bin = bin(i) { flat[Int(place) * bins + bin] += 1 }
            }
            return keys.indices.map { Array(flat[$0 * bins..<($0 + 1) * bins]) }
        }
    }

    /// Rows a bin needs to be expected to have in one day, or the ratio is of rare bins alone; and degrees of freedom that tell
    /// anything at all.
    private static let leastExpected = 1.0
    private static let leastDegrees = 5.0

    /// - Parameters:
    ///   - weekHours: the same rows by hour of the week.
    ///   - bin: of a row of the group, `nil` where it has no value.
    init(_ hours: Hours, weekHours: [[UInt64]], bin: (Int) -> Int?) {
        let counts = Array(zip(hours.keys, hours.counts(bins: weekHours.first?.count ?? 0, bin)))
        var days: [Int32: (weekday: Int, rows: [Double])] = [:]
        for (key, rows) in counts {
            days[key.day, default: (Int(key.hour) / 24, rows.map { _ in 0 })].rows.add(rows)
        }
        // In order, so that equal rows are equal sums.
        let inOrder = days.sorted { $0.key < $1.key }.map(\.value)
        ofWeekday = Self.nested(inOrder.map { ($0.weekday, $0.rows) })
        ofWeekPart = Self.nested(inOrder.map { ($0.weekday < 5 ? 0 : 1, $0.rows) })
        ofHour = Self.crossed(counts, days, SeasonChoice.cells(weekHours, .hour).map { $0.map(Double.init) })
    }

    /// Days within the cells of a season, each against all days of its cell.
    private static func nested(_ days: [(cell: Int, rows: [Double])]) -> Ratio {
        var (chi2, degrees) = (0.0, 0.0)
        for (_, members) in Dictionary(grouping: days, by: \.cell).sorted(by: { $0.key < $1.key })
        where members.count > 1 {
            guard var total = members.first?.rows else { continue }
            for member in members.dropFirst() { total.add(member.rows) }
            let all = total.reduce(0, +)
            let bins = total.indices.filter { total[$0] >= leastExpected * Double(members.count) }
            guard bins.count > 1, all > 0 else { continue }
            for member in members {
                let n = member.rows.reduce(0, +)
                for bin in bins {
                    let expected = total[bin] / all * n
                    chi2 += (member.rows[bin] - expected) * (member.rows[bin] - expected) / expected
                }
            }
            degrees += Double((members.count - 1) * (bins.count - 1))
        }
        return ratio(chi2, degrees)
    }

    /// Hours of each day against the same hours of all days, by as much as the whole day differs from them.
    private static func crossed(
        _ counts: [((day: Int32, hour: UInt8), [Double])], _ days: [Int32: (weekday: Int, rows: [Double])],
        _ hours: [[Double]]
    ) -> Ratio {
        let shares = hours.map { hour in
            let n = hour.reduce(0, +)
            return hour.map { n > 0 ? $0 / n : 0 }
        }
        let width = shares.first?.count ?? 0
        var usual: [Int32: [Double]] = [:]
        for (key, rows) in counts {
            let n = rows.reduce(0, +)
            usual[key.day, default: [Double](repeating: 0, count: width)].add(
                shares[Int(key.hour) % 24].map { $0 * n })
        }
        var (chi2, cells) = (0.0, 0.0)
        let total = days.values.reduce(into: [Double](repeating: 0, count: width)) { $0.add($1.rows) }
        let bins = total.indices.filter { total[$0] >= leastExpected * Double(max(1, days.count)) }
        guard bins.count > 1 else { return Ratio() }
        for (key, rows) in counts {
            guard let day = days[key.day]?.rows, let usual = usual[key.day] else { continue }
            let n = rows.reduce(0, +)
            let raw = bins.map { bin in
                usual[bin] > 0 ? shares[Int(key.hour) % 24][bin] * day[bin] / usual[bin] : 0
            }
            let sum = raw.reduce(0, +)
            guard sum > 0 else { continue }
            let seen = bins.reduce(0) { $0 + rows[$1] }
            guard seen > 0, n > 0 else { continue }
            for (bin, share) in zip(bins, raw) where share > 0 {
                let expected = share / sum * seen
                chi2 += (rows[bin] - expected) * (rows[bin] - expected) / expected
            }
            cells += 1
        }
        let used = Double(hours.count { $0.contains { $0 > 0 } })
        return ratio(chi2, (cells - Double(days.count) - used + 1) * Double(bins.count - 1))
    }

    private static func ratio(_ chi2: Double, _ degrees: Double) -> Ratio {
        degrees >= leastDegrees ? Ratio(value: max(1, chi2 / degrees), degrees: degrees) : Ratio()
    }
}

extension [Double] {
    fileprivate mutating func add(_ other: [Double]) {
        for i in indices { self[i] += other[i] }
    }
}
