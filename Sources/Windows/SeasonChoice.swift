import Sketches
import Statistics

/// Which season a column has, judged on the reference rows: the finest division in which all traffic or a segment differs by
/// more than chance, and by enough to matter.
///
/// A segment may have a season that all traffic has not (its working days are another country's). Every group of the column
/// then has its cells, because segments are taken off each other: their references must be of the same times.
enum SeasonChoice {
    /// p-value under which the cells of the reference are not alike, shared by all groups of a column.
    private static let level = 1e-4
    /// PSI of a cell against all rows, less what chance explains, rows weighted: less is no season worth the thinner reference.
    private static let leastEffect = 0.005
    /// The same of a segment, for whose sake the reference of all others gets thinner too. Under it a season stays well
    /// inside what detectors accept as quiet.
    private static let leastSegmentEffect = 0.02
    /// Reference rows a cell of the group that differs needs on average.
    private static let leastRows = 200.0

    /// - Parameter groups: of all traffic and then of the segments, by hour of the week, the counts of the column's bins; and how
    ///   much days differ beside any season.
    static func season(_ groups: [(hours: [[UInt64]], spread: DaySpread)]) -> Season? {
        let traits = groups.enumerated().map { index, group in
            Traits(
                group.hours, group.spread, effect: index == 0 ? leastEffect : leastSegmentEffect,
                level: index == 0 ? level : level / Double(groups.count - 1))
        }
        guard let rows = traits.first?.rows else { return nil }
        let byDay = traits.filter(\.days)
        let isWeekend = byDay.allSatisfy(\.isWeekend)
        switch (!byDay.isEmpty, traits.contains { $0.ofDay }) {
        case (false, false): return traits.contains { $0.weekend } ? .weekend : nil
        case (true, false): return isWeekend ? .weekend : .weekday
        case (false, true): return .hour
        case (true, true):
            if isWeekend { return rows >= leastRows * Double(Season.weekendHour.cells) ? .weekendHour : .dayOrHour }
            return rows >= leastRows * Double(Season.weekHour.cells) ? .weekHour : .dayOrHour
        }
    }

    /// In which times the rows of one group differ.
    private struct Traits {
        let rows: Double
        let days: Bool
        let ofDay: Bool
        let weekend: Bool
        /// The days differ only between weekdays and weekends.
        let isWeekend: Bool

        init(_ hours: [[UInt64]], _ spread: DaySpread, effect: Double, level: Double) {
            let rows = Double(hours.reduce(0) { $0 + $1.reduce(0, &+) })
            self.rows = rows
            func isSeasonal(_ cells: [[UInt64]], _ ratio: DaySpread.Ratio) -> Bool {
                SeasonChoice.isSeasonal(cells, effect, level, ratio)
            }
            func differs(_ season: Season, _ ratio: DaySpread.Ratio) -> Bool {
                rows >= leastRows * Double(season.cells) && isSeasonal(cells(hours, season), ratio)
            }
            days = differs(.weekday, spread.ofWeekday)
            ofDay = differs(.hour, spread.ofHour)
            weekend = differs(.weekend, spread.ofWeekPart)
            isWeekend =
                days && !isSeasonal(Array(cells(hours, .weekday)[..<5]), spread.ofWeekday)
                && !isSeasonal(Array(cells(hours, .weekday)[5...]), spread.ofWeekday)
        }
    }

    /// The hours' counts added up by cell.
    static func cells(_ hours: [[UInt64]], _ season: Season) -> [[UInt64]] {
        var cells = [[UInt64]](
            repeating: [UInt64](repeating: 0, count: hours.first?.count ?? 0), count: season.cells)
        for (hour, counts) in hours.enumerated() {
            let cell = season.cell(ofHour: hour)
            for i in counts.indices { cells[cell][i] &+= counts[i] }
        }
        return cells
    }

    /// χ² of homogeneity over the cells, on bins expected to hold five rows in each, by that of days that should be alike.
    private static func isSeasonal(
        _ cells: [[UInt64]], _ effect: Double, _ level: Double, _ spread: DaySpread.Ratio
    ) -> Bool {
        let rows = cells.map { $0.reduce(0.0) { $0 + Double($1) } }
        // A few stray rows in a cell would leave no bin with five to expect in each.
        let stray = rows.reduce(0, +) / Double(max(1, rows.count { $0 > 0 })) / 10
        let used = zip(cells, rows).filter { $1 > 0 && $1 >= stray }.map(\.0)
        guard used.count > 1, let width = used.first?.count else { return false }
        let totals = (0..<width).map { bin in used.reduce(0.0) { $0 + Double($1[bin]) } }
        let sizes = used.map { Double($0.reduce(0, &+)) }
        let all = totals.reduce(0, +)
        guard let least = sizes.min(), all > 0 else { return false }
        let bins = totals.indices.filter { totals[$0] / all * least >= 5 }
        guard bins.count > 1 else { return false }
        var chi2 = 0.0
        var psi = 0.0
        for (cell, size) in zip(used, sizes) {
            for bin in bins {
                let expected = totals[bin] / all * size
                let difference = Double(cell[bin]) - expected
                chi2 += difference * difference / expected
                psi += difference * difference / expected / all
            }
        }
        let degrees = Double((used.count - 1) * (bins.count - 1))
        // χ²/n is PSI to first order; by chance it is degrees/n.
        guard psi - spread.value * degrees / all > effect else { return false }
        guard spread.value > 1 else { return SpecialFunctions.chiSquareSurvival(chi2, degrees: degrees) < level }
        return SpecialFunctions.fisherSurvival(chi2 / degrees / spread.value, degrees, spread.degrees) < level
    }
}
