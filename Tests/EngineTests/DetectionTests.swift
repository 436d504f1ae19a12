import Detection
import Foundation
import TestSupport
import Testing
import Values

/// A target whose histogram, volume and faults a test decides: two dimensions of three values and their cross.
private struct Traffic {
    static let values = ["a", "b", "c"]
    static let shares = [0.5, 0.3, 0.2]
    static let reference = [Double](repeating: 1000, count: 10)
    var random: SeededGenerator

    /// One window: `fault` gives the bin shares of a finest cell, `nil` where nothing is wrong with it.
    mutating func window(rows: Int, fault: (String, String) -> [Double]?) -> [StreamWindow] {
        var counts: [Segment: [Double]] = [:]
        var references: [Segment: [Double]] = [:]
        for (i, x) in Self.values.enumerated() {
            for (j, y) in Self.values.enumerated() {
                let share = Self.shares[i] * Self.shares[j]
                let names = [
                    Segment.all, Segment([.init("x", x)]), Segment([.init("y", y)]),
                    Segment([.init("x", x), .init("y", y)]),
                ]
                let law = fault(x, y) ?? [Double](repeating: 0.1, count: 10)
                var cell = [Double](repeating: 0, count: 10)
                for _ in 0..<Int((Double(rows) * share).rounded()) {
                    var u = Double.random(in: 0..<1, using: &random)
                    var bin = 0
                    while bin < 9, u >= law[bin] {
                        u -= law[bin]
                        bin += 1
                    }
                    cell[bin] += 1
                }
                for name in names {
                    counts[name] = zip(counts[name] ?? cell.map { _ in 0 }, cell).map(+)
                    references[name] = zip(
                        references[name] ?? cell.map { _ in 0 }, Self.reference.map { $0 * share }
                    ).map(+)
                }
            }
        }
        return counts.keys.sorted().map { segment in
            StreamWindow(
                segment: segment,
                counts: .init(reference: references[segment] ?? [], current: counts[segment] ?? []),
                gate: { _, effect in effect > 0.1 })
        }
    }
}

struct DetectionTests {
    private static let limit = LogEvidence.limit(streams: 1000, windows: 720, budget: 1)
    private static let wrong = [0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.04, 0.03, 0.03]

    @Test func `ln I agrees with scipy to twelve digits`() throws {
        struct Golden: Decodable {
            let log_bessel: [[Double]]
        }
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/detection.json")
        for row in try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file)).log_bessel {
            let value = LogBessel.logI(row[0], row[1])
            #expect(agree(value, row[2], relative: 1e-12, absolute: 1e-12), "I_\(row[0])(\(row[1])): \(value)")
        }
    }

    @Test func `the confidence sequence has the width of the worked example`() {
        let half = ConfidenceSequence.halfWidth(n: 5000, standardDeviation: 0.45, alpha: 0.05)
        #expect(abs(half - 0.0202) < 5e-5)
        #expect(ConfidenceSequence.rate(count: 0, of: 100).contains(0))
    }

    @Test func `the limit of a thousand streams and hourly windows is that of the design`() {
        #expect(abs(Self.limit - 13.49) < 0.005)
    }

    @Test func `nothing opens where nothing changed`() async throws {
        try await blocking {
            var traffic = Traffic(random: SeededGenerator(seed: 7))
            var detector = TargetDetector(watch: .shift(isOrdered: true))
            var opened = 0
            for hour in 0..<300 {
                let verdicts = detector.observe(
                    start: Timestamp(microseconds: Int64(hour)), traffic.window(rows: 800) { _, _ in nil },
                    limit: Self.limit)
                opened += verdicts.count(where: \.isNew)
            }
            #expect(opened == 0, "seed \(traffic.random.seed)")
        }
    }

    @Test(arguments: [[:], ["x": "b"], ["y": "c"], ["x": "a", "y": "b"]] as [[String: String]])
    func `one alarm names the segment that changed, and ends within two windows of the change`(
        _ place: [String: String]
    ) async throws {
        try await blocking {
            var traffic = Traffic(random: SeededGenerator(seed: 11))
            var detector = TargetDetector(watch: .shift(isOrdered: true))
            let segment = Segment(place.sorted { $0.key < $1.key }.map { Segment.Part($0.key, $0.value) })
            var open: [[Segment]] = []
            for day in 0..<30 {
                let isWrong = (10..<20).contains(day)
                let windows = traffic.window(rows: 2000) { x, y in
                    isWrong && (place["x"] ?? x) == x && (place["y"] ?? y) == y ? Self.wrong : nil
                }
                let verdicts = detector.observe(
                    start: Timestamp(microseconds: Int64(day)), windows, limit: Self.limit)
                open.append(zip(windows, verdicts).filter { $1.isOpen }.map { $0.0.segment })
            }
            #expect(open[..<10].joined().isEmpty, "seed \(traffic.random.seed)")
            #expect(open[11..<20].allSatisfy { $0 == [segment] }, "\(open), seed \(traffic.random.seed)")
            #expect(open[22...].joined().isEmpty, "\(open), seed \(traffic.random.seed)")
        }
    }

    @Test func `what is written down and read back goes on to the same bytes`() async throws {
        try await blocking {
            var traffic = Traffic(random: SeededGenerator(seed: 3))
            var a = TargetDetector(watch: .shift(isOrdered: true))
            var b = a
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            for day in 0..<12 {
                let windows = traffic.window(rows: 1000) { x, _ in day > 4 && x == "b" ? Self.wrong : nil }
                let start = Timestamp(microseconds: Int64(day))
                let told = a.observe(start: start, windows, limit: Self.limit)
                let again = b.observe(start: start, windows, limit: Self.limit)
                #expect(told == again)
                b = try JSONDecoder().decode(TargetDetector.self, from: encoder.encode(b))
                #expect(a == b)
                #expect(try encoder.encode(a) == encoder.encode(b))
            }
        }
    }

    @Test func `another mix of parts that did not change is no shift of the whole`() {
        var detector = TargetDetector(watch: .shift(isOrdered: true))
        let low = [5.0, 4, 3, 2, 1, 1, 1, 1, 1, 1].map { $0 * 1000 }
        let high = Array(low.reversed())
        func stream(_ name: [Segment.Part], _ reference: [Double], _ current: [Double]) -> StreamWindow {
            StreamWindow(
                segment: Segment(name), counts: .init(reference: reference, current: current),
                gate: { _, effect in effect > 0.1 })
        }
        for day in 0..<10 {
            let a = low.map { $0 * 0.18 }
            let b = high.map { $0 * 0.02 }
            let verdicts = detector.observe(
                start: Timestamp(microseconds: Int64(day)),
                [
                    stream([], zip(low, high).map(+), zip(a, b).map(+)), stream([.init("x", "a")], low, a),
                    stream([.init("x", "b")], high, b),
                ], limit: Self.limit)
            let isOpen = verdicts.contains { $0.isOpen }
            #expect(!isOpen)
        }
    }
}
