import Events
import Sketches
import Values

/// Learns the seasons of a reference's columns, and its rows by time.
struct SeasonBuilder {
    private let table: DataTable
    /// Hour of the week of each row.
    private let hours: [UInt8]
    /// By row, its local day, numbered as they first came.
    private let days: [Int32]
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
        days = calendar.spans(of: .days(1), table.times)
        // The hours of the first and the last row are taken to be whole.
        let hour = Span.hours(1).microseconds
        let first = Timestamp(microseconds: period.start.microseconds.flooredQuotient(by: hour) * hour)
        let last = Timestamp(microseconds: (period.end.microseconds.flooredQuotient(by: hour) + 1) * hour)
        times = calendar.weekHours(of: TimeRange(start: first, end: last))
    }

    /// Adds what the groups' rows say; gives the season of each column.
    func add(
        to groups: inout [Reference.Group], rows: [[Int]], _ layout: Layout, _ places: [RowPlaces]
    ) -> [Season?] {
        for (g, members) in rows.enumerated() {
            var week = [UInt64](repeating: 0, count: Season.hours)
            for row in members { week[Int(hours[row])] += 1 }
            groups[g].week = WeekRows(rows: week, times: times)
            groups[g].seasons = layout.columns.map { _ in nil }
        }
        let spells = rows.map { DaySpread.Hours($0, days: days, hours: self.hours) }
        return layout.columns.indices.map { c in
            let hours = rows.map { counts($0, places[c]) }
            let choices = rows.indices.map { g in
                let values = hours[g].map { Array($0.dropLast()) }
                let spread = DaySpread(spells[g], weekHours: values) { i in
                    places[c].places[rows[g][i]].flatMap { $0 < places[c].nulls ? $0 : nil }
                }
                return (hours: values, spread: spread)
            }
            guard let season = SeasonChoice.season(choices) else { return nil }
            for g in hours.indices {
                groups[g].seasons[c] = SeasonCounts(cells: SeasonChoice.cells(hours[g], season))
            }
            return season
        }
    }

    private func counts(_ rows: [Int], _ places: RowPlaces) -> [[UInt64]] {
        var counts = [[UInt64]](
            repeating: [UInt64](repeating: 0, count: places.nulls + 1), count: Season.hours)
        for row in rows {
            if let bin = places.places[row] { counts[Int(hours[row])][bin] += 1 }
        }
        return counts
    }
}
