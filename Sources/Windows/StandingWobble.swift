import Events
import Sketches

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// How much alike the rows of one span are to the very value: readings of one hour, bookings of one tour. Where they are, a day that
/// has one value in half of its rows is a day like others.
struct StandingWobble {
    /// By row its value as a number from 0, −1 for rows without one and for values too rare to have a bin of their own.
    private let codes: [Int32]
    private let count: Int

    /// Fewer pairs of equal rows say nothing of how they are spread.
    private static let leastPairs = 5.0
    /// Standard errors of chance.
    private static let leastErrors = 3.7

    init(_ source: DataTable.Column, _ column: Layout.Column) {
        count = column.bins.count
        switch column.bins {
        case .numeric(let bins, _):
            codes = (0..<source.count).map { row in
                if case .number(let value) = source[row] { Int32(bins.index(of: value)) } else { -1 }
            }
        case .categorical(let bins):
            let dictionary = bins.dictionary
            codes = (0..<source.count).map { row in
                guard let bin = source.category(row).flatMap({ dictionary[$0] }), bin < bins.rest else { return -1 }
                return Int32(bin)
            }
        }
    }

    /// Intraclass correlation of values: the chance that two rows of a span have the same one beyond the chance that two of
    /// different spans do, ρ = (κ_within − κ_between)/(1 − κ_between); 0 where all of it may be chance.
    ///
    /// Chance is the law of equal pairs among n rows drawn one by one: mean C(n,2)·κ₂, variance
    /// C(n,2)(κ₂ − κ₂²) + n(n−1)(n−2)(κ₃ − κ₂²) with κ_j = Σ p^j.
    ///
    /// - Parameter spans: rows of each span.
    func correlation(_ spans: [[Int]]) -> Double {
        var totals = [Double](repeating: 0, count: count)
        var counts = [Double](repeating: 0, count: count)
        var (same, pairs, triples) = (0.0, 0.0, 0.0)
        for rows in spans {
            var seen: [Int] = []
            var n = 0.0
            for row in rows where codes[row] >= 0 {
                let code = Int(codes[row])
                if counts[code] == 0 { seen.append(code) }
                counts[code] += 1
                n += 1
            }
            pairs += n * (n - 1) / 2
            triples += n * (n - 1) * (n - 2)
            for code in seen {
                same += counts[code] * (counts[code] - 1) / 2
                totals[code] += counts[code]
                counts[code] = 0
            }
        }
        let n = totals.reduce(0, +)
        let others = n * (n - 1) / 2 - pairs
        guard pairs > 0, others > 0, same >= Self.leastPairs else { return 0 }
        let between = max(0, totals.reduce(0) { $0 + $1 * ($1 - 1) / 2 } - same) / others
        let square = totals.reduce(0) { $0 + ($1 / n) * ($1 / n) }
        let cube = totals.reduce(0) { $0 + ($1 / n) * ($1 / n) * ($1 / n) }
        let variance = pairs * (square - square * square) + triples * (cube - square * square)
        guard between < 1, same - pairs * square > Self.leastErrors * max(1, variance).squareRoot() else { return 0 }
        return min(0.9, max(0, (same / pairs - between) / (1 - between)))
    }
}
