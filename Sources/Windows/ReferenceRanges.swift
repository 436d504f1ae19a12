import Values

/// Which times of the past a moving reference is made of, for one window. Ranges begin and end at pieces of the history.
struct ReferenceRanges {
    let history: ReferenceHistory
    let window: TimeRange

    /// The last instant a reference may hold, for a column: the window's start, or where its alert began.
    private func end(_ column: String) -> Timestamp {
        let start = history.piece(window.start)
        return min(start, history.state.firing[column].map(history.piece) ?? start)
    }

    /// Ranges from the most alike to the most plentiful; a segment takes the first that holds enough of it.
    func candidates(_ reference: MovingReference, column: String) -> [[TimeRange]] {
        let end = end(column)
        let all = TimeRange(start: history.piece(end - reference.span), end: end)
        let ranges: [[TimeRange]]
        switch reference {
        case .rolling, .previousVersion: ranges = [[all]]
        case .seasonal:
            let days = Int64(reference.span.microseconds / Span.days(1).microseconds)
            let isWeekend = isWeekend(window.start)
            // A column that stands still looks back from where it stopped, by whole days.
            let earlier = (1...max(1, days + 7)).map { ($0, shifted(by: $0)) }.filter {
                $0.1.end <= end && $0.1.start >= all.start
            }
            ranges = [
                earlier.filter { $0.0 % 7 == 0 }.map(\.1),
                earlier.filter { self.isWeekend($0.1.start) == isWeekend }.map(\.1),
                earlier.map(\.1), [all],
            ]
        }
        let excluded = history.state.excluded[column] ?? []
        return ranges.map { $0.flatMap { Self.without(excluded, $0) } }
    }

    private func shifted(by days: Int64) -> TimeRange {
        let start = history.piece(window.start - .days(days))
        return TimeRange(start: start, end: max(start + history.grain, history.piece(window.end - .days(days))))
    }

    /// Days since 1970-01-01, a Thursday, by the model's calendar.
    private func isWeekend(_ time: Timestamp) -> Bool {
        let monday = history.calendar.range(of: .days(7), containing: time).start
        return time - monday >= .days(5)
    }

    private static func without(_ excluded: [TimeRange], _ range: TimeRange) -> [TimeRange] {
        excluded.reduce([range]) { parts, hole in
            parts.flatMap { part -> [TimeRange] in
                guard hole.start < part.end, hole.end > part.start else { return [part] }
                return [
                    TimeRange(start: part.start, end: hole.start), TimeRange(start: hole.end, end: part.end),
                ].filter { $0.start < $0.end }
            }
        }
    }
}
