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
    /// The days of the week in windows of whole days; the hours of weekdays and weekends in shorter ones, for which a
    /// reference of a few weeks has too few rows of each hour of each day.
    case dayOrHour = "day_or_hour"

    /// Hours of a week.
    package static let hours = 168

    package var cells: Int {
        switch self {
        case .weekend: 2
        case .weekday: 7
        case .hour: 24
        case .weekendHour: 48
        case .weekHour, .dayOrHour: Self.hours
        }
    }

    /// The cell in which a reference counts the rows of an hour of the week.
    package func cell(ofHour hour: Int) -> Int {
        let day = hour / 24
        return switch self {
        case .weekend: day < 5 ? 0 : 1
        case .weekday: day
        case .hour: hour % 24
        case .weekendHour: (day < 5 ? 0 : 24) + hour % 24
        case .weekHour, .dayOrHour: hour
        }
    }

    /// The season by whose cells a window is compared, which are unions of this season's own.
    ///
    /// - Parameter covered: by hour of the week, the time the window spends in it.
    func comparing(_ covered: [Double]) -> Season {
        guard self == .dayOrHour else { return self }
        let isWholeDays = (0..<7).allSatisfy { day in
            let hours = covered[day * 24..<(day + 1) * 24]
            return (hours.max() ?? 0) - (hours.min() ?? 0) < 0.001
        }
        return isWholeDays ? .weekday : .weekendHour
    }

    /// For people: what the cells are.
    package var inWords: String {
        switch self {
        case .weekend: "weekdays and weekends"
        case .weekday: "days of the week"
        case .hour: "hours of the day"
        case .weekendHour: "hours of weekdays and weekends"
        case .weekHour: "hours of the week"
        case .dayOrHour: "days of the week and hours of the day"
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
        let alike = season.comparing(covered)
        var time = [Double](repeating: 0, count: alike.cells)
        var whole = time
        // By cell of the reference, the cell it is compared in.
        var place = [Int](repeating: 0, count: season.cells)
        for hour in 0..<Season.hours {
            let cell = alike.cell(ofHour: hour)
            place[season.cell(ofHour: hour)] = cell
            time[cell] += covered[hour]
            whole[cell] += 1
        }
        let share = zip(time, whole).map { $0 / $1 }
        guard let most = share.max(), let least = share.min(), most > 0, least < most * 0.999,
            var sum = cells.first.map({ _ in [Double](repeating: 0, count: cells[0].count) })
        else { return nil }
        for (cell, counts) in cells.enumerated() where share[place[cell]] > 0 {
            for i in sum.indices { sum[i] += Double(counts[i]) * share[place[cell]] / most }
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
