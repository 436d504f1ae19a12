import Events
import Sketches
import Statistics
import TestSupport
import Testing
import Values
import Windows

/// What a segment's own choice of bins keeps and what it may lose.
struct GroupPlanTests {
    /// 20,000 rows of a long-tailed column with a heavy value, an integer one and two segments that differ.
    private static func reference() throws -> Reference {
        try ReferenceBuilderTests.build(ReferenceBuilderTests.table(lines())).reference
    }

    private static func lines() -> [String] {
        var random = SeededGenerator(seed: 831)
        var lines: [String] = []
        for i in 0..<20_000 {
            let segment = ["a", "b", "c"][i % 20 == 0 ? 2 : i % 2]
            let u = Double.random(in: 1e-9...1, using: &random)
            let long = i % 5 == 0 ? 0 : 1 / u
            let shifted = Double.random(in: 0...1, using: &random) + (segment == "b" ? 0.7 : 0)
            lines.append(
                #"{"model":"m","ts":\#(i),"prediction":\#(shifted),"segments":{"s":"\#(segment)"},"#
                    + #""features":{"long":\#(long),"whole":\#(Int.random(in: 0...40, using: &random)),"kind":"k\#(i % 9)"}}"#
            )
        }
        return lines
    }

    @Test func `rows are counted in their groups' own bins, as their reference coarsens to them`() throws {
        let reference = try Self.reference()
        let plans = GroupPlans(reference)
        let dimensions = reference.segmentations.flatMap(\.self)
        let schema = ModelSchema(
            model: "m",
            columns: reference.layout.columns.map { column in
                switch column.bins {
                case .numeric: .init(name: column.name, kind: .numeric)
                case .categorical(let bins):
                    .init(name: column.name, kind: .categorical(codes: bins.dictionary, unseen: bins.unseen))
                }
            }, dimensions: dimensions)
        var decoder = EventDecoder([schema])
        var accumulator = Accumulator(
            plans: plans, settings: .standard, dimensions: dimensions, segmentations: reference.segmentations)
        for line in Self.lines() {
            Array(line.utf8).withUnsafeBytes {
                decoder.decode($0, defaults: TopicDefaults(), now: nil) { Issue.record("refused: \($0)") }
            }
        }
        accumulator.add(decoder.batches[0], names: decoder, model: 0, sources: ["file"])
        var counted: [Segment: PackedProfile] = [:]
        for (key, packed) in accumulator.take(names: decoder, model: 0).panes.values.flatMap(\.self) {
            if counted[key.segment]?.merge(packed) == nil { counted[key.segment] = packed }
        }
        for group in reference.groups {
            let plan = plans.plan(for: group.segment)
            #expect(
                counted[group.segment]?.profile(plan.layout) == plans.counted(group.profile, as: group.segment),
                "\(group.segment)")
        }
    }

    @Test func `every group keeps its own and the common quantiles, and hides no more than 1/240 from ks`() throws {
        let reference = try Self.reference()
        let plans = GroupPlans(reference)
        for group in reference.groups {
            let plan = plans.plan(for: group.segment)
            let profile = plans.counted(group.profile, as: group.segment)
            for (c, column) in plan.layout.columns.enumerated() {
                guard case .numeric(let bins, _) = column.bins,
                    case .numeric(let fine, _) = reference.layout.columns[c].bins
                else {
                    #expect(column.bins == reference.layout.columns[c].bins)
                    continue
                }
                #expect(Set(bins.edges).isSubset(of: fine.edges) && bins.count <= 512)
                #expect(plan.cuts[c].map { bins.edges[$0] } == group.cuts[c].map { fine.edges[$0] })
                #expect(
                    plan.commonCuts[c].map { bins.edges[$0] } == reference.all.cuts[c].map { fine.edges[$0] })
                let counts = profile.column(column).bins
                let fineCounts = group.profile.column(reference.layout.columns[c]).bins
                #expect(counts.reduce(0, +) == fineCounts.reduce(0, +))
                let most = max(Double(fineCounts.max() ?? 0), Double(counts.reduce(0, +)) / 240)
                #expect(Double(counts.max() ?? 0) <= most, "\(group.segment) \(column.name)")
            }
        }
    }

    @Test func `counting by plan is counting in fine bins and adding up`() throws {
        let reference = try Self.reference()
        let plans = GroupPlans(reference)
        let dimensions = ["s"]
        let settings = WindowFixture.settings(pane: "1d", lateness: "1d")
        let schema = ModelSchema(
            model: "m",
            columns: reference.layout.columns.map { column in
                switch column.bins {
                case .numeric: .init(name: column.name, kind: .numeric)
                case .categorical(let bins):
                    .init(name: column.name, kind: .categorical(codes: bins.dictionary, unseen: bins.unseen))
                }
            }, dimensions: dimensions)
        var decoder = EventDecoder([schema])
        var ours = Accumulator(plans: plans, settings: settings, dimensions: dimensions, segmentations: [dimensions])
        var fine = Accumulator(
            plans: GroupPlans(reference.layout), settings: settings, dimensions: dimensions,
            segmentations: [dimensions])
        var random = SeededGenerator(seed: 832)
        // More rows than a 16-bit counter holds, most of them alike.
        for i in 0..<140_000 {
            let long = i % 11 == 0 ? "null" : i % 3 == 0 ? "0" : "\(1 / Double.random(in: 1e-9...1, using: &random))"
            let line =
                #"{"model":"m","ts":1,"prediction":0.5,"segments":{"s":"\#(["a", "b", "c", "new"][i % 4])"},"#
                + #""features":{"long":\#(long),"whole":7,"kind":"k1"}}"#
            Array(line.utf8).withUnsafeBytes {
                decoder.decode($0, defaults: TopicDefaults(), now: nil) { Issue.record("\($0.detail)") }
            }
            guard decoder.batches[0].count == 256 || i == 139_999 else { continue }
            ours.add(decoder.batches[0], names: decoder, model: 0, sources: ["f"])
            fine.add(decoder.batches[0], names: decoder, model: 0, sources: ["f"])
            decoder.removeAll(model: 0)
        }
        let counted = try #require(ours.take(names: decoder, model: 0).panes.values.first)
        let expected = try #require(fine.take(names: decoder, model: 0).panes.values.first)
        #expect(counted.keys.sorted() == expected.keys.sorted() && counted.count == 5)
        for (key, packed) in expected {
            let whole = plans.counted(packed.profile(reference.layout), as: key.segment)
            #expect(counted[key]?.profile(plans.plan(for: key.segment).layout) == whole, "\(key.segment)")
        }
    }
}
