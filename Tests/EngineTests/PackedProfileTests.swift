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

    @Test func `bytes from outside are checked before they count as packed`() throws {
        var random = SeededGenerator(seed: 822)
        let bytes = Self.profile(&random).encode()
        #expect(try PackedProfile(checking: bytes, layout: Self.layout).bytes == bytes)
        #expect(throws: CodecError.self) { try PackedProfile(checking: bytes + [1], layout: Self.layout) }
        #expect(throws: CodecError.self) { try PackedProfile(checking: Array(bytes.dropLast()), layout: Self.layout) }
    }
}
