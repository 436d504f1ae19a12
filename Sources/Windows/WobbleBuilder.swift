import Events
import Sketches
import Statistics
import Values

/// Measures how much the rows of a reference differ from one span of time to the next.
///
/// Every span is compared with all others of the same season. Only what cannot be chance is kept, so rows that come as if drawn one
/// by one wobble by exactly nothing.
struct WobbleBuilder {
    private let table: DataTable
    private let grids: [Grid]
    private let sources: [DataTable.Column]
    private let standing: [StandingWobble]
    /// By row, its hour of the week.
    private let hours: [UInt8]

    /// The spans of one length.
    struct Grid {
        let length: Span
        /// By row, its span.
        let spans: [Int32]
        /// By span, the time it spends in each hour of the week.
        let covered: [[Double]]
        /// By span, its start.
        let starts: [Timestamp]
    }

    private static let week = Span.days(7)
    private static let lengths = [Span.hours(1), .days(1), week]
    /// Spans of which a variance can be told.
    static let leastSpans = 8
    /// Rows a span needs to be one of them.
    private static let leastRows = 30
    /// Spans with fewer rows than that tell something too, where there are many: rows a thin span needs, and how many spans.
    private static let leastThinRows = 2
    private static let leastThinSpans = 20
    /// p-value under which spans are not alike.
    static let level = 1e-4
    /// The largest of this share of spans tell of an incident, not of what is usual.
    private static let trimmed = 0.05

    /// - Returns: `nil` where rows have no times.
    init?(_ table: DataTable, _ calendar: WindowCalendar, _ layout: Layout, _ sources: [DataTable.Column]) {
        guard table.count > 0, table.times.count == table.count, !table.times.contains(.distantPast) else { return nil }
        self.table = table
        self.sources = sources
        standing = zip(sources, layout.columns).map { StandingWobble($0, $1) }
        hours = table.times.map { UInt8(calendar.weekHour(of: $0)) }
        grids = Self.lengths.map { Grid($0, table.times, calendar) }
    }

    func add(
        to groups: inout [Reference.Group], rows: [[Int]], _ seasons: [Season?], _ places: [RowPlaces]
    ) {
        for (g, members) in rows.enumerated() {
            let parts = grids.compactMap { Parts($0, members) }
            guard !parts.isEmpty else { continue }
            let group = groups[g]
            groups[g].wobbles = places.indices.map { c in
                let season = c < seasons.count ? seasons[c] : nil
                return SpanWobbles(
                    parts.map { part in
                        (part.grid.length, wobble(part, members, c, places[c], season, group.season(c)))
                    })
            }
        }
    }

    private func wobble(
        _ part: Parts, _ rows: [Int], _ column: Int, _ places: RowPlaces, _ season: Season?, _ cells: SeasonCounts?
    ) -> Wobble {
        let width = places.nulls + 1
        var counts = [[UInt64]](repeating: [UInt64](repeating: 0, count: width), count: part.spans.count)
        var total = [UInt64](repeating: 0, count: width)
        for row in rows {
            guard let place = places.places[row] else { continue }
            total[place] += 1
            if let i = part.place[part.grid.spans[row]] { counts[i][place] += 1 }
        }
        let others: [[UInt64]]
        if let season, let cells, part.grid.length >= Self.week {
            others = mixtures(part, rows, places, season, cells)
        } else {
            others = zip(counts, part.spans).map { own, span in
                var reference = total
                if let season, let cells, let alike = cells.reference(season, covered: part.grid.covered[Int(span)]) {
                    reference = alike
                }
                return Self.rest(reference, own)
            }
        }
        let nulls = zip(counts, others).map { own, others -> RateWobble.Span in
            let (n, m) = (own.reduce(0, +), others.reduce(0, +))
            return .init(
                hits: Double(own[width - 1]), rows: Double(n),
                expected: m > 0 ? Double(others[width - 1]) / Double(m) : 0)
        }
        return Wobble(
            shift: part.isThin ? thinShift(counts, others) : shift(counts, others),
            null: RateWobble.correlation(nulls, level: Self.level),
            novelty: novelty(part, rows, sources[column], isNumeric: places.isNumeric),
            standing: standing[column].correlation(part.rows), spans: Double(part.spans.count))
    }

    private static func rest(_ all: [UInt64], _ own: [UInt64]) -> [UInt64] {
        zip(all, own).map { $0 >= $1 ? $0 - $1 : 0 }
    }

    /// By span, the others' rows of the cells it has rows of, in its own proportions: a span of which days are missing is not like
    /// a whole one. Worth as many rows as a mixture of such parts is.
    private func mixtures(
        _ part: Parts, _ rows: [Int], _ places: RowPlaces, _ season: Season, _ cells: SeasonCounts
    ) -> [[UInt64]] {
        let width = places.nulls + 1
        var own = [[Int: [UInt64]]](repeating: [:], count: part.spans.count)
        for row in rows {
            guard let place = places.places[row], let i = part.place[part.grid.spans[row]] else { continue }
            let cell = season.cell(ofHour: Int(hours[row]))
            own[i][cell, default: [UInt64](repeating: 0, count: width)][place] += 1
        }
        return own.map { byCell in
            var shares = [Double](repeating: 0, count: width)
            var spread = 0.0
            var n = 0.0
            for (cell, counts) in byCell.sorted(by: { $0.key < $1.key }) {
                let others = Self.rest(cells.cells[cell], counts)
                let m = Double(others.reduce(0, +))
                let weight = Double(counts.reduce(0, +))
                guard m > 0 else { continue }
                n += weight
                spread += weight * weight / m
                for i in shares.indices { shares[i] += weight * Double(others[i]) / m }
            }
            guard n > 0, spread > 0 else { return [UInt64](repeating: 0, count: width) }
            return shares.map { UInt64(($0 * n / spread).rounded()) }
        }
    }

    /// τ²: the mean of PSI/k − 1/n − 1/m over spans without the largest, 0 where all of it may be chance.
    private func shift(_ counts: [[UInt64]], _ others: [[UInt64]]) -> Double {
        var excess: [Double] = []
        var (sum, degrees) = (0.0, 0.0)
        for (own, others) in zip(counts, others) {
            let (q, p) = (own.dropLast(), others.dropLast())
            let (n, m) = (Double(q.reduce(0, +)), Double(p.reduce(0, +)))
            guard n >= Double(Self.leastRows) / 2, m >= Double(Self.leastRows),
                let table = Contingency(Array(p), Array(q), merging: true), table.reference.count > 1,
                let psi = Distances.psi(table.reference, table.current, smoothing: .jeffreys)
            else { continue }
            let k = Double(table.reference.count - 1)
            let scale = 1 / n + 1 / m
            excess.append(psi / k - scale)
            sum += psi / scale
            degrees += k
        }
        guard excess.count >= Self.leastSpans, SpecialFunctions.chiSquareSurvival(sum, degrees: degrees) < Self.level
        else { return 0 }
        excess.sort()
        let kept = excess.dropLast(Int((Double(excess.count) * Self.trimmed).rounded(.up)))
        return max(0, kept.reduce(0, +) / Double(kept.count))
    }

    /// τ² of spans too thin for a distance each, as the intraclass correlation of bins: Pearson's X² of n rows that are alike by ρ is
    /// k·(1 + (n − 1)ρ) on average, however few they are. Rows that come in groups, as bookings of a tour do, are alike at once.
    private func thinShift(_ counts: [[UInt64]], _ others: [[UInt64]]) -> Double {
        let (totals, all) = Self.sum(others)
        let bins = totals.indices.filter { totals[$0] >= Self.leastShare * all }
        guard bins.count > 1, all > 0 else { return 0 }
        var (chi2, degrees, excess, pairs) = (0.0, 0.0, 0.0, 0.0)
        for (own, others) in zip(counts, others) {
            let p = bins.map { Double(others[$0]) }
            let q = bins.map { Double(own[$0]) }
            let (n, m) = (q.reduce(0, +), p.reduce(0, +))
            guard n >= Double(Self.leastThinRows), m >= Double(Self.leastRows), !p.contains(0) else { continue }
            let x = zip(q, p).reduce(0) { sum, pair in
                let expected = pair.1 / m * n
                return sum + (pair.0 - expected) * (pair.0 - expected) / expected
            }
            let k = Double(bins.count - 1)
            let alike = x / (1 + n / m)
            chi2 += alike
            degrees += k
            excess += alike / k - 1
            pairs += n - 1
        }
        guard degrees >= Double((bins.count - 1) * Self.leastThinSpans), pairs > 0,
            SpecialFunctions.chiSquareSurvival(chi2, degrees: degrees) < Self.level
        else { return 0 }
        return min(0.9, max(0, excess / pairs))
    }

    /// Bins with less than this are too rare for X² of a few rows.
    private static let leastShare = 0.04

    private static func sum(_ counts: [[UInt64]]) -> (totals: [Double], all: Double) {
        guard var totals = counts.first?.dropLast().map(Double.init) else { return ([], 0) }
        for other in counts.dropFirst() {
            for i in totals.indices { totals[i] += Double(other[i]) }
        }
        return (totals, totals.reduce(0, +))
    }

    /// The spans of one length in which a group has rows enough.
    struct Parts {
        let grid: Grid
        let spans: [Int32]
        let place: [Int32: Int]
        /// By span, its rows.
        let rows: [[Int]]
        /// Spans have a few rows each, and only all of them together say anything.
        let isThin: Bool

        init?(_ grid: Grid, _ rows: [Int]) {
            var counts: [Int32: Int] = [:]
            for row in rows { counts[grid.spans[row], default: 0] += 1 }
            var used = counts.filter { $0.value >= leastRows }
            isThin = used.count < leastSpans
            if isThin { used = counts.filter { $0.value >= leastThinRows } }
            spans = used.keys.sorted()
            guard spans.count >= (isThin ? leastThinSpans : leastSpans) else { return nil }
            self.grid = grid
            let place = Dictionary(spans.enumerated().map { ($1, $0) }, uniquingKeysWith: { a, _ in a })
            self.place = place
            var bySpan = [[Int]](repeating: [], count: spans.count)
            for row in rows { if let i = place[grid.spans[row]] { bySpan[i].append(row) } }
            self.rows = bySpan
        }
    }
}

extension WobbleBuilder.Grid {
    fileprivate init(_ length: Span, _ times: [Timestamp], _ calendar: WindowCalendar) {
        self.length = length
        var known: [Timestamp: Int32] = [:]
        var covered: [[Double]] = []
        var starts: [Timestamp] = []
        var range: TimeRange?
        var index: Int32 = 0
        spans = times.map { time in
            // Rows mostly come in order of time.
            if let range, time >= range.start, time < range.end { return index }
            let found = calendar.range(of: length, containing: time)
            range = found
            if let old = known[found.start] {
                index = old
            } else {
                index = Int32(covered.count)
                known[found.start] = index
                covered.append(calendar.weekHours(of: found))
                starts.append(found.start)
            }
            return index
        }
        self.covered = covered
        self.starts = starts
    }
}

/// How much a rate varies between spans, beyond what its binomial law lets expect.
enum RateWobble {
    private static let leastHits = 5.0
    private static let leastErrors = 3.7

    struct Span {
        var hits: Double
        var rows: Double
        /// The rate of all others.
        var expected: Double
    }

    /// Intraclass correlation by moments: X² of a span is 1 + (n_i − 1)ρ on average (Williams 1982). 0 where all of it may be
    /// chance.
    static func correlation(_ spans: [Span], level: Double) -> Double {
        let n = spans.reduce(0) { $0 + $1.rows }
        let hits = spans.reduce(0) { $0 + $1.hits }
        let p = hits / max(1, n)
        // A handful of hits says nothing of how they are spread.
        guard spans.count > 1, min(hits, n - hits) >= leastHits else { return 0 }
        let variance = p * (1 - p)
        var (chi2, spread, pairs) = (0.0, 0.0, 0.0)
        for span in spans where span.rows > 0 {
            let difference = span.hits / span.rows - span.expected
            chi2 += difference * difference * span.rows / variance
            // Of X² of a binomial: few hits make it wilder than χ² is.
            spread += 2 + (1 / variance - 6) / span.rows
            pairs += span.rows - 1
        }
        let degrees = Double(spans.count - 1)
        guard pairs > 0, SpecialFunctions.chiSquareSurvival(chi2, degrees: degrees) < level,
            chi2 - degrees > leastErrors * spread.squareRoot()
        else { return 0 }
        return min(0.9, max(0, (chi2 - degrees) / pairs))
    }
}
