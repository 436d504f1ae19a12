import Events
import Sketches
import TestSupport
import Testing
import Values
import Windows

/// Counters and sums of many columns, whichever form of the loops runs.
struct CountFormTests {
    private static let settings = WindowFixture.settings(pane: "1d", lateness: "1d")
    /// Quanta that suit values up to a few, so that larger ones reach every bound of the sums.
    private static let exponent = 40

    private static func layout(numeric: Int) -> Layout {
        let columns = (0..<numeric).map { c -> (String, ColumnBins) in
            ("n\(c)", .numeric(NumericBins(edges: (0..<c * 40).map { Double($0) / 4 }), exponent: exponent))
        }
        return Layout(columns: columns + [("kind", .categorical(CategoryBins(categories: ["a", "b"])))])
    }

    /// Ordinary values, zeros, ones past 2^51, 2^52 and 2^55 quanta and past what a double can hold of them; `nil` for null.
    private static func value(_ random: inout SeededGenerator) -> Double? {
        let magnitude: Double? =
            switch Int.random(in: 0..<60, using: &random) {
            case 0: 0x1p11
            case 1: 0x1p12
            case 2: 0x1p13 + 0x1p-39
            case 3: 0x1p15
            case 4: 0x1p40
            case 5: .greatestFiniteMagnitude
            case 6: .leastNonzeroMagnitude
            case 7...10: 0
            case 11...20: nil
            case 21...30: Double(Int.random(in: 0...50, using: &random)) / 4
            default: Double.random(in: 0...70, using: &random)
            }
        let sign: Double = Bool.random(using: &random) ? 1 : -1
        return magnitude.map { sign * $0 }
    }

    @Test(arguments: [1, 3, 4, 6, 9], [CountForm.portable, .best])
    func `counters and sums are those of counting value by value`(_ numeric: Int, _ form: CountForm) throws {
        var random = SeededGenerator(seed: 841)
        let layout = Self.layout(numeric: numeric)
        let schema = ModelSchema(
            model: "m",
            columns: layout.columns.map { column in
                switch column.bins {
                case .numeric: .init(name: column.name, kind: .numeric)
                case .categorical(let bins):
                    .init(name: column.name, kind: .categorical(codes: bins.dictionary, unseen: bins.unseen))
                }
            }, dimensions: ["s"])
        var decoder = EventDecoder([schema])
        var accumulator = Accumulator(
            plans: GroupPlans(layout), settings: Self.settings, dimensions: ["s"], segmentations: [["s"]],
            scratch: CountScratch(form))
        var expected: [Segment: Profile] = [:]
        // So many that a segment has more rows of a batch than the squares of can be added up at once.
        for _ in 0..<(numeric == 4 ? 9_000 : 3_000) {
            var profile = Profile(layout)
            profile.rows = 1
            var features: [String] = []
            for column in layout.columns {
                guard case .numeric(let bins, let exponent) = column.bins, let m = column.momentsIndex else {
                    profile.counts[column.offset + 1] += 1
                    features.append(#""kind":"b""#)
                    continue
                }
                if let value = Self.value(&random) {
                    profile.counts[column.offset + bins.index(of: value)] += 1
                    profile.moments[m].add(value, scale: Moments.scale(exponent: exponent))
                    features.append(#""\#(column.name)":\#(value)"#)
                } else {
                    profile.counts[column.offset + column.code(.null)] += 1
                    features.append(#""\#(column.name)":null"#)
                }
            }
            // A segment that has most of the rows, one that has many, and some of which a batch has few.
            let segment = "s\(max(0, Int.random(in: 0..<100, using: &random) - 85) / 3)"
            expected[.all, default: Profile(layout)].merge(profile)
            expected[Segment([.init("s", segment)]), default: Profile(layout)].merge(profile)
            let line =
                #"{"model":"m","ts":1,"segments":{"s":"\#(segment)"},"features":{\#(features.joined(separator: ","))}}"#
            Array(line.utf8).withUnsafeBytes {
                decoder.decode($0, defaults: TopicDefaults(), now: nil) { Issue.record("refused: \($0.detail)") }
            }
        }
        accumulator.add(decoder.batches[0], names: decoder, model: 0, sources: ["f"])
        let counted = try #require(accumulator.take(names: decoder, model: 0).panes.values.first)
        #expect(counted.count == expected.count)
        for (key, packed) in counted {
            #expect(packed.profile(layout) == expected[key.segment], "seed \(random.seed) \(key.segment)")
        }
    }
}
