import Sketches
import TestSupport
import Testing

/// Packed counts merge to what the unpacked ones merge to, byte for byte, in any order.
struct PackedProfileTests {
    private static let layout = ProfileTests.layout

    private static func profile(_ random: inout SeededGenerator) -> Profile {
        var profile = Profile(layout)
        profile.rows = UInt64.random(in: 0...300, using: &random)
        for i in profile.counts.indices where Int.random(in: 0..<3, using: &random) == 0 {
            profile.counts[i] = UInt64.random(
                in: 0...(UInt64(1) << UInt64.random(in: 0...40, using: &random)), using: &random)
        }
        for i in profile.moments.indices where Bool.random(using: &random) {
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                profile.moments[i].add(Double.random(in: -1e6...1e6, using: &random), scale: 1024)
            }
        }
        return profile
    }

    @Test func `packed merges are the profiles' merges`() {
        var random = SeededGenerator(seed: 821)
        for round in 0..<500 {
            let parts = (0..<Int.random(in: 1...5, using: &random)).map { _ in Self.profile(&random) }
            var whole = Profile(Self.layout)
            var packed = PackedProfile(Profile(Self.layout))
            for part in parts { whole.merge(part) }
            for part in parts.shuffled(using: &random) { packed.merge(PackedProfile(part)) }
            #expect(packed.bytes == whole.encode(), "seed \(random.seed) round \(round)")
            #expect(packed.rows == whole.rows && packed.profile(Self.layout) == whole)
        }
    }

    @Test func `hot counters pack to the bytes of their profile`() {
        var random = SeededGenerator(seed: 823)
        let layout = Layout(columns: [
            ("few", .numeric(NumericBins(edges: [0.5]), exponent: 20)),
            ("many", .numeric(NumericBins(edges: (0..<701).map(Double.init)), exponent: 20)),
            ("kind", .categorical(CategoryBins(categories: ["a", "b"]))),
            ("more", .numeric(NumericBins(edges: (0..<334).map(Double.init)), exponent: 20)),
        ])
        // A column has one more counter than its layout says, which is not packed.
        let bases = layout.columns.enumerated().map { UInt32($1.offset + $0) }
        let lengths: [UInt16] = [1, 2, 0x7f, 0x80, 0x3fff, 0x4000, .max]
        for round in 0..<400 {
            let share = [1, 2, 10, 100, 2_000].randomElement(using: &random) ?? 1
            var hot = [UInt16](repeating: 7, count: layout.codeCount + layout.columns.count)
            var profile = Profile(layout)
            profile.rows = UInt64.random(in: 0...70_000, using: &random)
            for (c, column) in layout.columns.enumerated() {
                for code in 0..<column.codeCount {
                    let isZero = Int.random(in: 0..<share, using: &random) > 0
                    let count =
                        isZero
                        ? 0
                        : Bool.random(using: &random)
                            ? lengths.randomElement(using: &random) ?? 0 : UInt16.random(in: 0...300, using: &random)
                    hot[Int(bases[c]) + code] = count
                    profile.counts[column.offset + code] = UInt64(count)
                }
            }
            var valid: [UInt64] = []
            let packed = PackedProfile(rows: profile.rows, counts: hot, bases: bases, layout) {
                valid.append($1)
                return Moments()
            }
            #expect(packed.bytes == profile.encode(), "seed \(random.seed) round \(round)")
            #expect(valid == layout.columns.filter(\.bins.isNumeric).map { profile.column($0).valid })
        }
    }

    @Test func `bytes from outside are checked before they count as packed`() throws {
        var random = SeededGenerator(seed: 822)
        let bytes = Self.profile(&random).encode()
        #expect(try PackedProfile(checking: bytes, layout: Self.layout).bytes == bytes)
        #expect(throws: CodecError.self) { try PackedProfile(checking: bytes + [1], layout: Self.layout) }
        #expect(throws: CodecError.self) { try PackedProfile(checking: Array(bytes.dropLast()), layout: Self.layout) }
    }
}
