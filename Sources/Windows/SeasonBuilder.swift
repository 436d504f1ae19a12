import Events
import Sketches
import Values

/// Learns the seasons of a reference's columns, and its rows by time.
struct SeasonBuilder {
    private let table: DataTable
    /// Hour of the week of each row.
    private let hours: [UInt8]
    /// How often each hour of the week came.
    private let times: [Double]

    /// Rows need times, and a week of them: less says nothing of weekdays.
    /// - Returns: `nil` where they have too few.
    init?(_ table: DataTable, _ calendar: WindowCalendar, _ period: TimeRange?) {
        guard let period, period.length >= Span.hours(167), table.times.count == table.count,
            !table.times.contains(.distantPast)
        else { return nil }
        self.table = table
        hours = table.times.map { UInt8(calendar.weekHour(of: $0)) }
        // The hours of the first and the last row are taken to be whole.
        let hour = Span.hours(1).microseconds
        let first = Timestamp(microseconds: period.start.microseconds.flooredQuotient(by: hour) * hour)
        let last = Timestamp(microseconds: (period.end.microseconds.flooredQuotient(by: hour) + 1) * hour)
        times = calendar.weekHours(of: TimeRange(start: first, end: last))
    }

    /// Adds what the groups' rows say; gives the season of each column.
    func add(
        to groups: inout [Reference.Group], rows: [[Int]], _ layout: Layout, _ columns: [DataTable.Column]
    ) -> [Season?] {
        for (g, members) in rows.enumerated() {
            var week = [UInt64](repeating: 0, count: Season.hours)
            for row in members { week[Int(hours[row])] += 1 }
            groups[g].week = WeekRows(rows: week, times: times)
            groups[g].seasons = layout.columns.map { _ in nil }
        }
        let cuts = groups[0].cuts
        return layout.columns.indices.map { c in
            let bins = binned(columns[c], layout.columns[c], cuts[c])
            let hours = rows.map { counts($0, bins) }
            guard let season = SeasonChoice.season(hours.map { $0.map { Array($0.dropLast()) } }) else { return nil }
            for g in hours.indices {
                groups[g].seasons[c] = SeasonCounts(cells: SeasonChoice.cells(hours[g], season))
            }
            return season
        }
    }

    /// The common bin of each row, one past the last for nulls, `nil` for what is in none; and how many there are.
    private func binned(_ source: DataTable.Column, _ column: Layout.Column, _ cuts: [Int]) -> ([Int?], Int) {
        switch column.bins {
        case .numeric(let bins, _):
            let edges = NumericBins(edges: cuts.map { bins.edges[$0] })
            let places = (0..<table.count).map { row -> Int? in
                switch source[row] {
                case .number(let value): edges.index(of: value)
                case .hole(let hole): Self.isNull(hole) ? edges.count : nil
                case .text: nil
                }
            }
            return (places, edges.count)
        case .categorical(let bins):
            let dictionary = bins.dictionary
            let places = (0..<table.count).map { row -> Int? in
                if let category = source.category(row) { return dictionary[category] ?? bins.unseen }
                if case .hole(let hole) = source[row], Self.isNull(hole) { return bins.count }
                return nil
            }
            return (places, bins.count)
        }
    }

    private static func isNull(_ hole: Hole) -> Bool {
        switch hole {
        case .null, .missing, .absent: true
        case .invalid, .wrongType: false
        }
    }

    private func counts(_ rows: [Int], _ bins: ([Int?], Int)) -> [[UInt64]] {
        var counts = [[UInt64]](
            repeating: [UInt64](repeating: 0, count: bins.1 + 1), count: Season.hours)
        for row in rows {
            if let bin = bins.0[row] { counts[Int(hours[row])][bin] += 1 }
        }
        return counts
    }
}
