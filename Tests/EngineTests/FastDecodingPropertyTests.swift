import Events
import Foundation
import TestSupport
import Testing
import Values

/// The fast way of reading events is proven by the general way.
struct FastDecodingPropertyTests {
    private static let count =
        ProcessInfo.processInfo.environment["HOLDFAST_DECODER_MESSAGES"].flatMap { Int($0) } ?? 200_000

    @Test func `generated, shuffled, mutated and truncated messages are read alike, fast or not`() async throws {
        let (different, rows, refused) = try await blocking { Self.compare() }
        #expect(different.isEmpty)
        #expect(rows > 5_000 && refused > 1_000, "the messages are of every kind")
    }

    /// - Returns: the first differences, and what the messages came to.
    private static func compare() -> (different: [String], rows: Int, refused: Int) {
        var generator = EventGenerator(seed: 1_905)
        var pair = DecoderPair(EventGenerator.schemas)
        let now = Fixture.time("2026-03-02T12:00:00Z")
        var different: [String] = []
        for round in 0..<Self.count {
            // A pair of its own now and then: numbers of versions and segments begin anew.
            if round % 50_000 == 0 { pair = DecoderPair(EventGenerator.schemas, after: pair) }
            let message = generator.message()
            let defaults =
                switch round % 7 {
                case 0: TopicDefaults(model: "pets", version: "a topic's version")
                case 1: TopicDefaults(model: "unheard of")
                case 2: TopicDefaults()
                default: TopicDefaults(model: "fraud", version: "9")
                }
            if let found = pair.decode(
                message, defaults: defaults, now: round % 3 == 0 ? now : nil, source: UInt16(round % 5))
            {
                different.append(
                    "seed \(generator.seed) round \(round): \(found): \(String(decoding: message, as: UTF8.self))")
                if different.count > 5 { break }
            }
        }
        return (different, pair.rows, pair.refused)
    }
}
