import Events
import Statistics
import Values

/// Measures how much the labelled rows of a reference differ from one span of time to the next.
struct PerformanceWobbleBuilder {
    private let grids: [Grid]
    private let pairs: [PerformancePair?]

    /// The spans of one length.
    private struct Grid {
        let length: Span
        /// By row, its span.
        let spans: [Int32]
        /// By span, the part of the week in which all of it lies.
        let parts: [Int32: WeekPart]
    }

    private static let lengths = [Span.days(1), .days(7)]

    /// - Returns: `nil` where rows have no times.
    init?(_ times: [Timestamp], _ pairs: [PerformancePair?], _ calendar: WindowCalendar) {
        guard !times.isEmpty, times.count == pairs.count, !times.contains(.distantPast) else { return nil }
        self.pairs = pairs
        grids = Self.lengths.map { length in
            let spans = calendar.spans(of: length, times)
            let firsts = Dictionary(zip(spans, times), uniquingKeysWith: { a, _ in a })
            return Grid(
                length: length, spans: spans,
                parts: firsts.compactMapValues {
                    WeekPart(covered: calendar.weekHours(of: calendar.range(of: length, containing: $0)))
                })
        }
    }

    /// - Parameters:
    ///   - rows: of one segment.
    ///   - empty: a sketch without rows.
    ///   - isByPart: the segment's windows are compared by the parts of the week.
    /// - Returns: `nil` where spans are alike, or there are too few to tell.
    func wobble(_ rows: [Int32], _ empty: PerformanceSketch, isByPart: Bool = false) -> PerformanceWobble? {
        let spans = grids.compactMap { grid -> PerformanceWobble.Spans? in
            var counts: [Int32: Int64] = [:]
            for row in rows { counts[grid.spans[Int(row)], default: 0] += 1 }
            let used = counts.filter { $0.value >= PerformanceWobble.leastRows }
            guard used.count >= PerformanceWobble.leastSpans else { return nil }
            var sketches = used.mapValues { _ in empty }
            for row in rows {
                if let pair = pairs[Int(row)] { sketches[grid.spans[Int(row)]]?.add(reference: pair) }
            }
            let sorted = sketches.sorted { $0.key < $1.key }
            let figures = PerformanceWobble.figures(
                sorted.map(\.value), parts: isByPart ? sorted.map { grid.parts[$0.key] } : [])
            return .init(length: grid.length, count: Double(used.count), figures: figures)
        }
        let wobble = PerformanceWobble(spans)
        return wobble.isZero ? nil : wobble
    }
}

extension WindowCalendar {
    /// By row, the span of this length it lies in, numbered as they first came.
    func spans(of length: Span, _ times: [Timestamp]) -> [Int32] {
        var known: [Timestamp: Int32] = [:]
        var range: TimeRange?
        var index: Int32 = 0
        return times.map { time in
            // Rows mostly come in order of time.
            if let range, time >= range.start, time < range.end { return index }
            let found = self.range(of: length, containing: time)
            range = found
            index = known[found.start] ?? Int32(known.count)
            known[found.start] = index
            return index
        }
    }
}
