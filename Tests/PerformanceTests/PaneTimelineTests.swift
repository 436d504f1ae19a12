import Statistics
import TestSupport
import Testing
import Values

@testable import Windows

/// The sums a timeline keeps are those that a look at every pane would give, whatever came, aged and went in between.
struct PaneTimelineTests {
    private static let origin = Timestamp(microseconds: 1_772_366_400_000_000)

    private static func summary(_ random: inout SeededGenerator) -> PaneSummary {
        var summary = PaneSummary()
        summary.predictions = Int64.random(in: 0...9, using: &random)
        summary.labelled = Int64.random(in: 0...summary.predictions, using: &random)
        for side in summary.delays.indices {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let delay = Span.minutes(Int64.random(in: 0...3_000, using: &random))
                summary.delays[side].add(bucket: DelayCounts.bucket(delay))
            }
        }
        return summary
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `kept sums are those of a look at every pane`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var timeline = PaneTimeline()
        var known: [Timestamp: PaneSummary] = [:]
        var expired = Timestamp.distantPast
        var now = Self.origin
        for _ in 0..<400 {
            now = now + .minutes(Int64.random(in: 0...30, using: &random))
            if Int.random(in: 0..<40, using: &random) == 0 { now = now - .minutes(200) }
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let back = Int64.random(in: 0...400, using: &random)
                let start = Timestamp(microseconds: (now - .minutes(back)).microseconds / 300_000_000 * 300_000_000)
                let own = Self.summary(&random)
                known[start] = own
                timeline.set(start, end: start + .minutes(5), own)
            }
            if Int.random(in: 0..<20, using: &random) == 0 {
                let limit = now - .days(2)
                let gone = known.keys.filter { $0 + .minutes(5) <= limit }.sorted()
                #expect(timeline.forget(through: limit) == gone)
                for start in gone { known[start] = nil }
            }
            let limit = now - .hours(20)
            let lost = known.filter { $0.key + .minutes(5) <= limit && $0.key + .minutes(5) > expired }
            #expect(
                timeline.expire(through: limit) == (limit > expired ? lost.values.reduce(0) { $0 + $1.unlabelled } : 0))
            expired = max(expired, limit)
            let overdue = known.filter { $0.key + .minutes(5) <= expired }.values.reduce(0) { $0 + $1.unlabelled }
            #expect(timeline.overdue == overdue)
            #expect(timeline.unlabelled == known.values.reduce(0) { $0 + $1.unlabelled })
            for side in 0..<2 {
                let cohorts = known.map { DelayProcess.Cohort(age: now - $0.key, delays: $0.value.delays[side]) }
                #expect(timeline.delay(0.95, side: side, at: now) == DelayProcess(cohorts).quantile(0.95))
            }
            let by = now - .minutes(Int64.random(in: 0...2_000, using: &random))
            let shares = known.filter { $0.key <= by }.compactMap(\.value.coverage).sorted()
            #expect(timeline.coverage(startingBy: by) == (shares.isEmpty ? nil : shares[shares.count / 2]))
            let range = TimeRange(start: by, end: by + .hours(3))
            let within = known.filter { range.contains($0.key) }.values
            #expect(timeline.counts(range).predictions == within.reduce(0) { $0 + $1.predictions })
        }
    }
}
