import Sketches
import TestSupport
import Testing

/// Profiles as bytes: a contract with yesterday's ledger.
struct ProfileCodecTests {
    private static let layout = ProfileTests.layout

    private static func profile() -> Profile {
        var profile = Profile(layout)
        profile.rows = 300
        profile.counts[0] = 1
        profile.counts[4] = 299
        profile.counts[layout.codeCount - 1] = 128
        profile.moments[0].add(-1.5, scale: Moments.scale(exponent: 20))
        return profile
    }

    @Test func `any profile survives its bytes`() throws {
        var random = SeededGenerator(seed: 41)
        for round in 0..<300 {
            let profile = ProfileTests.random(&random, rows: Int.random(in: 0...50, using: &random))
            let back = try Profile(decoding: profile.encode(), layout: Self.layout)
            #expect(back == profile, "seed \(random.seed) round \(round)")
        }
        var large = Profile(Self.layout)
        for i in large.counts.indices { large.counts[i] = .max - UInt64(i) }
        large.rows = .max
        large.moments[0].count = .max
        large.moments[0].sum = .min
        large.moments[0].sumOfSquares = .max
        large.moments[0].minimum = -.greatestFiniteMagnitude
        large.moments[0].maximum = .leastNonzeroMagnitude
        #expect(try Profile(decoding: large.encode(), layout: Self.layout) == large)
    }

    @Test func `format 1 is these bytes`() {
        // Version; rows; counters in all; moments; gap and value three times; one gap to the end; then the moments.
        let words: [UInt8] =
            [0, 0, 0xe8, 0xff, 0xff, 0xff, 0xff, 0xff] + [UInt8](repeating: 0xff, count: 8)
            + [0, 0, 0, 0, 0x40, 0x02, 0, 0] + [UInt8](repeating: 0, count: 8)
            + [0, 0, 0, 0, 0, 0, 0xf8, 0xbf, 0, 0, 0, 0, 0, 0, 0xf8, 0xbf]
        #expect(
            Self.profile().encode() == [1, 0xac, 0x02, 23, 2, 0, 1, 3, 0xab, 0x02, 17, 0x80, 0x01, 0, 1] + words + [0])
        #expect(Self.layout.codeCount == 23)
    }

    @Test func `cut short anywhere, or longer, the bytes are refused`() {
        let bytes = Self.profile().encode()
        for length in 0..<bytes.count {
            #expect(throws: CodecError.self) { try Profile(decoding: Array(bytes.prefix(length)), layout: Self.layout) }
        }
        #expect(throws: CodecError(reason: "bytes after the profile")) {
            try Profile(decoding: bytes + [0], layout: Self.layout)
        }
    }

    @Test func `another reference's profile and an unknown format are refused`() {
        let other = Layout(columns: [("amount", .numeric(NumericBins(edges: [1]), exponent: 3))])
        #expect(throws: CodecError(reason: "profile was written for another reference")) {
            try Profile(decoding: Self.profile().encode(), layout: other)
        }
        #expect(throws: CodecError(reason: "unknown profile format")) {
            try Profile(decoding: [2] + Self.profile().encode().dropFirst(), layout: Self.layout)
        }
        #expect(throws: CodecError(reason: "number too large")) {
            try Profile(decoding: [1] + [UInt8](repeating: 0xff, count: 11), layout: Self.layout)
        }
    }

    @Test func `damaged bytes throw or read as something, and never trap`() {
        var random = SeededGenerator(seed: 43)
        let source = ProfileTests.random(&random, rows: 40).encode()
        var refused = 0
        for _ in 0..<10_000 {
            var bytes = source
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[at] = [0, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
                case 2: bytes.remove(at: at)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                }
            }
            guard let read = try? Profile(decoding: bytes, layout: Self.layout) else {
                refused += 1
                continue
            }
            // What was read can be used: merged, summed up, written again.
            var sum = Profile(Self.layout)
            sum.merge(read)
            sum.merge(read)
            for moments in sum.moments {
                _ = moments.mean(exponent: 20)
                _ = moments.standardDeviation(exponent: 20)
            }
            _ = sum.encode()
        }
        #expect(refused > 1_000, "seed \(random.seed)")
    }
}
