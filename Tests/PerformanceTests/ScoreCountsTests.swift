import Sketches
import Statistics
import TestSupport
import Testing
import Values

/// How exact the order of scores is when there are too many to keep each.
struct ScoreCountsTests {
    @Test func `sixteen thousand different scores are exact`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 81)
            let scores = (0..<16_000).map { _ in Double.random(in: 0..<1, using: &random) }
            let sketch = PerformanceFixture.binary(scores.map { ($0, Double.random(in: 0..<1, using: &random) < $0) })
            #expect(sketch.scores.isExact)
            #expect(sketch.metrics[.auroc_error] == 0 && sketch.metrics[.aupr_error] == 0)
        }
    }

    @Test func `scores that many rows share stay apart among a hundred thousand others`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 82)
            var rows = (0..<100_000).map { _ -> (Double, Bool) in
                let score = Double.random(in: 0.3..<1, using: &random)
                return (score, Double.random(in: 0..<1, using: &random) < score)
            }
            // Near each other, and not alike.
            for (score, share) in [(0.001049, 0.3), (0.001050, 0.1), (0.001051, 0.6)] {
                rows += (0..<20_000).map { _ in (score, Double.random(in: 0..<1, using: &random) < share) }
            }
            rows.shuffle(using: &random)
            let sketch = PerformanceFixture.binary(rows)
            #expect(!sketch.scores.isExact)
            let shared = sketch.scores.entries.filter { sketch.scores.score(of: $0) < 0.1 }
            #expect(shared.count == 3 && shared.allSatisfy { !$0.isShared })
            let errors = (
                try #require(sketch.metrics[.auroc_error]), try #require(sketch.metrics[.aupr_error])
            )
            #expect(errors.0 < 0.0005 && errors.1 < 0.0005, "\(errors)")
            let bytes = sketch.encode()
            #expect(try PerformanceSketch(decoding: bytes).encode() == bytes)
            #expect(bytes.count < 80_000, "\(bytes.count)")
        }
    }

    @Test func `what older programs wrote of many scores is read as cells`() throws {
        // Two cells of level 44: format, task, five counts, no delays, level, number, then each cell's distance and counts.
        func signed(_ value: Int64) -> [UInt8] {
            var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
            var out: [UInt8] = []
            while rest >= 0x80 {
                out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            return out + [UInt8(rest)]
        }
        let keys = [0.3, 0.7].map { ScoreCounts.key(of: $0) >> 44 }
        var bytes: [UInt8] = [1, 0] + [4, 4, 0, 0, 2].flatMap(signed) + [0, 0, 44, 2]
        bytes += signed(keys[0]) + [2, 1, 1].flatMap(signed)
        bytes += signed(keys[1] - keys[0]) + [2, 1, 1].flatMap(signed)
        bytes += PerformanceSketch(.binary).encode().dropFirst(11)
        let read = try PerformanceSketch(decoding: bytes)
        #expect(read.scores.level == 44 && read.scores.entries.count == 2)
        #expect(read.scores.entries.allSatisfy { $0.isShared })
        #expect(read.metrics[.auroc_error] == 0.25)
        #expect(try PerformanceSketch(decoding: read.encode()) == read)
    }

    @Test func `a delay is read from within its bucket`() {
        var delays = DelayCounts()
        for minutes in 1...60 { delays.add(bucket: DelayCounts.bucket(.minutes(Int64(minutes)))) }
        let half = delays.quantile(0.5)?.seconds ?? 0
        #expect(abs(half - 1_800) < 60, "\(half)")
        #expect((delays.quantile(1)?.seconds ?? 0) >= 3_600)
        var instant = DelayCounts()
        instant.add(bucket: DelayCounts.bucket(.zero), times: 3)
        #expect(instant.quantile(0.5) == .zero && DelayCounts().quantile(0.5) == nil)
    }
}
