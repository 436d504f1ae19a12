/// The times of a week that a column tells apart: rows of one cell are alike, and a window is compared with the cells it
/// covers. Hours are local, 0 is Monday from midnight to one.
package enum Season: String, Sendable, Hashable, CaseIterable {
    /// Monday to Friday, and the weekend.
    case weekend
    /// The seven days.
    case weekday
    /// The 24 hours of a day.
    case hour
    /// The hours of a day, apart for the weekend.
    case weekendHour = "weekend_hour"
    /// All 168 hours.
    case weekHour = "week_hour"

    /// Hours of a week.
    package static let hours = 168

    package var cells: Int {
        switch self {
        case .weekend: 2
        case .weekday: 7
        case .hour: 24
        case .weekendHour: 48
        case .weekHour: Self.hours
        }
    }

    package func cell(ofHour hour: Int) -> Int {
        let day = hour / 24
        return switch self {
        case .weekend: day < 5 ? 0 : 1
        case .weekday: day
        case .hour: hour % 24
        case .weekendHour: (day < 5 ? 0 : 24) + hour % 24
        case .weekHour: hour
        }
    }

    /// For people: what the cells are.
    package var inWords: String {
        switch self {
        case .weekend: "weekdays and weekends"
        case .weekday: "days of the week"
        case .hour: "hours of the day"
        case .weekendHour: "hours of weekdays and weekends"
        case .weekHour: "hours of the week"
        }
    }
}

/// The reference rows of one column of one group by the cells of its season, in the bins of all traffic.
package struct SeasonCounts: Sendable, Hashable {
    /// By cell: the bins, then the nulls.
    package var cells: [[UInt64]]

    package init(cells: [[UInt64]]) { self.cells = cells }

    /// The reference of a window that covers these hours of the week: the cells it covers, each in proportion, the most
    /// covered one whole. `nil` where it covers all alike, so that the whole reference is as good.
    ///
    /// - Parameter covered: by hour of the week, the time the window spends in it.
    package func reference(_ season: Season, covered: [Double]) -> [UInt64]? {
        var time = [Double](repeating: 0, count: season.cells)
        var whole = time
        for hour in 0..<Season.hours {
            let cell = season.cell(ofHour: hour)
            time[cell] += covered[hour]
            whole[cell] += 1
        }
        let share = zip(time, whole).map { $0 / $1 }
        guard let most = share.max(), let least = share.min(), most > 0, least < most * 0.999,
            var sum = cells.first.map({ _ in [Double](repeating: 0, count: cells[0].count) })
        else { return nil }
        for (cell, part) in zip(cells, share) where part > 0 {
            for i in sum.indices { sum[i] += Double(cell[i]) * part / most }
        }
        return sum.map { UInt64($0.rounded()) }
    }
}

/// The rows of a group by hour of the week, for how many to expect.
package struct WeekRows: Sendable, Hashable {
    /// Reference rows by hour of the week.
    package var rows: [UInt64]
    /// How often each hour of the week came in the reference's period.
    package var times: [Double]

    package init(rows: [UInt64], times: [Double]) {
        self.rows = rows
        self.times = times
    }

    /// Rows a window that covers these hours should have, `nil` where the reference never saw one of them.
    package func expected(covered: [Double]) -> Double? {
        var sum = 0.0
        for hour in 0..<Season.hours where covered[hour] > 0 {
            guard times[hour] > 0.5 else { return nil }
            sum += Double(rows[hour]) / times[hour] * covered[hour]
        }
        return sum
    }
}
