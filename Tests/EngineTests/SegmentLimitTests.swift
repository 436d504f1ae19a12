import Events
import Sketches
import TestSupport
import Testing
import Values
import Windows

/// A hostile stream of segment values stays within its memory, loses no row, and says how many rows share a segment.
struct SegmentLimitTests {
    @Test func `a million different values take no more room than a thousand`() throws {
        let schema = ModelSchema(
            model: "m", columns: [.init(name: "x", kind: .numeric)], dimensions: ["s", "t"],
            knownValues: [["known"], []])
        let layout = Layout(columns: [("x", .numeric(NumericBins(edges: [0, 1]), exponent: 30))])
        var decoder = EventDecoder([schema])
        var accumulator = Accumulator(
            plans: GroupPlans(layout), settings: WindowFixture.settings(), dimensions: schema.dimensions,
            segmentations: [["s"], ["t"]])
        let rows = 1_000_000
        var most = 0
        for i in 0..<rows {
            let value = i % 1_000 == 0 ? "known" : "v\(i)"
            let line = #"{"model":"m","ts":0,"features":{"x":0.5},"segments":{"s":"\#(value)","t":"w\#(i % 3)"}}"#
            Array(line.utf8).withUnsafeBytes {
                decoder.decode($0, defaults: TopicDefaults(), now: nil) { Issue.record("\($0.detail)") }
            }
            guard decoder.batches[0].count == 1_000 else { continue }
            accumulator.add(decoder.batches[0], names: decoder, model: 0, sources: ["f"])
            decoder.removeAll(model: 0)
            most = max(most, accumulator.groupCount)
        }
        // All traffic; of s the known value, a thousand others and what they all share; of t three.
        #expect(most == 1 + 1 + 1_000 + 1 + 3)
        let overflow = decoder.takeCounters().overflow
        #expect(overflow == [[UInt64(rows - rows / 1_000 - 1_000), 0]])
        let counts = try #require(accumulator.take(names: decoder, model: 0).panes.values.first)
        func count(_ value: String) -> UInt64? {
            counts[GroupKey(version: "", segment: Segment([.init("s", value)]))]?.rows
        }
        #expect(count("known") == UInt64(rows / 1_000) && count("(other)") == overflow[0][0] && count("v1") == 1)
        #expect(counts[GroupKey(version: "", segment: .all)]?.rows == UInt64(rows))
    }

    @Test func `a text is no name: it shares the segment of the others, as a version too`() {
        var seen = EventFixture()
        let long = String(repeating: "x", count: 5_000)
        seen.decode(EventFixture.event(#""version":"\#(long)","prediction":1,"segments":{"region":"\#(long)"}"#))
        #expect(seen.segment(1) == "(other)" && seen.version == "(other)" && seen.rejections.isEmpty)
    }
}
