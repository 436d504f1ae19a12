import Detection
import TestSupport
import Testing
import Values

/// Alerts about rates end with their fault: within two windows after the evidence is gone.
struct AlertEndingTests {
    private static let limit = LogEvidence.limit(streams: 300, windows: 30, budget: 1)
    private static let monday = Timestamp(microseconds: 1_772_409_600_000_000)  // 2026-03-02T00:00:00Z

    /// One segment of a rate, a window a day.
    private final class Stream {
        var detector = TargetDetector(watch: .rate(isRise: true))
        var day: Int64 = 0
        /// The rule's number, which it asks of the window itself.
        let threshold: Double

        init(threshold: Double) { self.threshold = threshold }

        func observe(hits: Double, of n: Double, reference: (hits: Double, rows: Double)) -> Bool {
            day += 1
            let threshold = threshold
            return detector.observe(
                start: monday + .days(day),
                [
                    StreamWindow(
                        segment: .all,
                        counts: .init(
                            reference: [reference.rows - reference.hits, reference.hits], current: [n - hits, hits]),
                        gate: { _, _ in hits / n > threshold })
                ], limit: limit)[0].isOpen
        }
    }

    @Test func `what grew for days is no wobble: when it is gone it is gone`() {
        let stream = Stream(threshold: 0.05)
        var isOpen = false
        // Shares outside the range while a number grows to twice its size and stays.
        for hits in [0.0, 0, 0, 2, 15, 16, 34, 39, 28, 37, 9] {
            isOpen = stream.observe(hits: hits, of: 104, reference: (2, 3024))
        }
        #expect(isOpen)
        let closed = (1...6).first { _ in !stream.observe(hits: 0, of: 104, reference: (2, 3024)) }
        #expect(closed == 1, "\(String(describing: closed))")
    }

    @Test func `what comes and goes within a change still needs more than a window to be over`() {
        let stream = Stream(threshold: 0.05)
        for day in 0..<16 {
            _ = stream.observe(hits: day % 2 == 0 ? 52 : 6, of: 104, reference: (2, 3024))
        }
        #expect(stream.observe(hits: 0, of: 104, reference: (2, 3024)))
    }

    @Test(arguments: [30.0, 100, 400])
    func `a value that is stuck no longer is over at once, though a window that varies has none to compare`(n: Double) {
        let stream = Stream(threshold: 0.35)
        for _ in 0..<5 { _ = stream.observe(hits: 0, of: n, reference: (0, 10_000)) }
        // Half of the rows at a value that a tenth of the reference has.
        #expect(stream.observe(hits: (0.6 * n).rounded(), of: n, reference: (1000, 10_000)))
        #expect(!stream.observe(hits: 0, of: n, reference: (0, 10_000)))
    }

    @Test func `new values that the reference lets expect hold no alert, whatever the rule's number`() {
        var random = SeededGenerator(seed: 5)
        let stream = Stream(threshold: 0.03)
        func usual() -> Double { Double((0..<33).count { _ in Double.random(in: 0..<1, using: &random) < 0.07 }) }
        for _ in 0..<10 { #expect(!stream.observe(hits: usual(), of: 33, reference: (54, 969))) }
        for _ in 0..<4 { _ = stream.observe(hits: 33, of: 33, reference: (54, 969)) }
        let closed = (1...20).first { _ in !stream.observe(hits: 2, of: 33, reference: (54, 969)) }
        #expect(closed.map { $0 <= 2 } == true, "\(String(describing: closed))")
    }

    @Test(arguments: [(gap: Int64(5), isSame: false), (gap: 13, isSame: true)])
    func `three faults of one column are no weather`(gap: Int64, isSame: Bool) {
        var detector = TargetDetector(watch: .shift(isOrdered: true))
        var day: Int64 = 0
        func observe(_ current: [Double]) -> Bool {
            day += 1
            return detector.observe(
                start: Self.monday + .days(day),
                [
                    StreamWindow(
                        segment: .all,
                        counts: .init(reference: [Double](repeating: 4000, count: 10), current: current),
                        gate: { _, effect in effect > 0.1 })
                ], limit: Self.limit)[0].isOpen
        }
        let quiet = [Double](repeating: 40, count: 10)
        for _ in 0..<5 { #expect(!observe(quiet)) }
        // All rows in one bin, another one each time or the same after a while.
        for fault in 0..<4 {
            var stuck = [Double](repeating: 0, count: 10)
            stuck[isSame ? 4 : 2 * fault + 1] = 400
            #expect(observe(stuck) && observe(stuck))
            for _ in 0..<gap { #expect(!observe(quiet), "fault \(fault)") }
        }
    }
}
