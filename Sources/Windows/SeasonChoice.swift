import Sketches
import Statistics

/// Which season a column has, judged on the reference rows: the finest division that differs by more than chance, and by
/// enough to matter.
enum SeasonChoice {
    /// p-value under which the cells of the reference are not alike.
    private static let level = 1e-4
    /// PSI of a cell against all rows, less what chance explains, rows weighted: less is no season worth the thinner reference.
    private static let leastEffect = 0.005
    /// Reference rows a cell of the whole model needs on average.
    private static let leastRows = 200.0

    /// - Parameter hours: by hour of the week, the counts of the column's bins.
    static func season(_ hours: [[UInt64]]) -> Season? {
        let rows = Double(hours.reduce(0) { $0 + $1.reduce(0, &+) })
        func differs(_ season: Season) -> Bool {
            rows >= leastRows * Double(season.cells) && isSeasonal(cells(hours, season))
        }
        let days = differs(.weekday)
        let ofDay = differs(.hour)
        let isWeekend =
            days && !isSeasonal(Array(cells(hours, .weekday)[..<5]))
            && !isSeasonal(Array(cells(hours, .weekday)[5...]))
        switch (days, ofDay) {
        case (false, false): return differs(.weekend) ? .weekend : nil
        case (true, false): return isWeekend ? .weekend : .weekday
        case (false, true): return .hour
        case (true, true):
            if !isWeekend, rows >= leastRows * Double(Season.weekHour.cells) { return .weekHour }
            return rows >= leastRows * Double(Season.weekendHour.cells) ? .weekendHour : .hour
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

    /// χ² of homogeneity over the cells, on bins expected to hold five rows in each.
    private static func isSeasonal(_ cells: [[UInt64]]) -> Bool {
        let used = cells.filter { $0.contains { $0 > 0 } }
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
        return psi - degrees / all > leastEffect
            && SpecialFunctions.chiSquareSurvival(chi2, degrees: degrees) < level
    }
}
