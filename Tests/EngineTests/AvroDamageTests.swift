import Events
import TestSupport
import Testing
import Values

/// Data that are not what their schema says are refused, with the field and the byte.
struct AvroDamageTests {
    private static let type = AvroType.record(
        "E",
        [
            ("ts", .logical("timestamp-millis", .long)),
            (
                "features",
                .record(
                    "F",
                    [
                        ("amount", .optional(.double)), ("country", .string), ("count", .int), ("flag", .boolean),
                        ("kind", .enumeration("K", ["a", "b"])), ("list", .array(.double)), ("pairs", .map(.long)),
                        ("device", .union([.null, .string, .boolean])),
                    ])
            ), ("empties", .array(.null)), ("segments", .map(.string)), ("score", .double),
        ])
    private static let value = AvroValue.record([
        .whole(5_000),
        .record([
            .branch(1, .double(1.5)), .string("BR"), .whole(3), .boolean(true), .symbol(1), .array([.double(1)]),
            .map([("k", .whole(2))]), .branch(2, .boolean(true)),
        ]), .array([]), .map([("region", .string("n"))]), .double(0.5),
    ])
    /// Where the parts of the message begin: header 5, ts 5, amount 7, country 16, count 19, flag 20, kind 21, list 22, pairs 32,
    /// device 37, empties 39, segments 40, score 51.
    private static let message = AvroWriter.message(1, value, type)

    private static func seen(_ message: [UInt8]) -> EventFixture {
        var seen = EventFixture()
        seen.setSchema(1, type)
        #expect(seen.decodeAvro(message, model: "fraud") == .done)
        return seen
    }

    private static func replaced(_ at: Int, _ count: Int, _ bytes: [UInt8]) -> [UInt8] {
        var copy = message
        copy.replaceSubrange(at..<at + count, with: bytes)
        return copy
    }

    @Test func `the message is sound`() {
        let seen = Self.seen(Self.message)
        #expect(seen.batch.count == 1 && Self.message.count == 59 && seen.segment(1) == "n")
        #expect(seen.last("amount") == .number(1.5) && seen.last("device") == .code(2))
    }

    private static let long = [UInt8](repeating: 0xff, count: 9)

    @Test(arguments: [
        (replaced(7, 1, [4]), "field features.amount: a branch that the union does not have at byte 7"),
        (replaced(7, 1, [1]), "field features.amount: a branch that the union does not have at byte 7"),
        (replaced(37, 1, [6]), "field features.device: a branch that the union does not have at byte 37"),
        (replaced(16, 1, [0xfe, 1]), "field features.country: a length beyond the end of the data at byte 16"),
        (replaced(16, 1, [3]), "field features.country: a negative length at byte 16"),
        (replaced(17, 1, [0xff]), "field features.country: invalid UTF-8 at byte 17"),
        (replaced(19, 1, long + [2]), "field features.count: an integer of more than 64 bits at byte 19"),
        (replaced(5, 2, long + [0x80, 1]), "field ts: an integer of more than 64 bits at byte 5"),
        (replaced(38, 1, [2]), "field features.device: a boolean that is neither 0 nor 1 at byte 38"),
        (replaced(21, 1, [4]), "field features.kind: a symbol that the enum does not have at byte 21"),
        (replaced(21, 1, [1]), "field features.kind: a symbol that the enum does not have at byte 21"),
        (replaced(22, 1, [0xc8, 1]), "field features.list.*: the data ends within a number at byte 56"),
        (replaced(22, 1, long + [1]), "field features.list: an impossible number of items at byte 22"),
        (replaced(22, 1, [1, 1]), "field features.list: a block whose stated size does not fit at byte 22"),
        (replaced(40, 1, [1, 2]), "field segments: a block whose stated size does not fit at byte 51"),
        (Array(message.prefix(58)), "field score: the data ends within a number at byte 51"),
        (Array(message.prefix(5)), "field ts: the data ends within an integer at byte 5"),
        (message + [0], "bytes left over after the event at byte 59"),
    ])
    func `damage is named with its field and byte`(message: [UInt8], detail: String) {
        let seen = Self.seen(message)
        #expect(seen.reasons == [.malformedAvro] && seen.rejections.first?.detail == detail, "\(seen.rejections)")
        #expect(seen.batch.count == 0 && seen.counts.dropFirst(3).allSatisfy { $0 == 0 })
    }

    @Test func `counts of items without bytes, and blocks with their size, cost nothing`() {
        for bytes in [AvroWriter.whole(.max) + [0], AvroWriter.whole(-.max) + [0, 0], [2, 3, 0, 0]] {
            #expect(Self.seen(Self.replaced(39, 1, bytes)).batch.count == 1)
        }
        let sized = AvroWriter.whole(-1) + AvroWriter.whole(8) + [UInt8](repeating: 0, count: 8) + [0]
        #expect(Self.seen(Self.replaced(22, 10, sized)).batch.count == 1)
    }

    @Test(
        arguments: [
            ([], "but the message is empty"),
            (Array(#"{"model":"fraud"}"#.utf8), "but the message starts with '{' as JSON does"),
            ([0, 0, 0, 0], "but the message has 4 bytes"), ([1, 0, 0, 0, 1, 0], "but the message starts with byte 1"),
        ] as [([UInt8], String)])
    func `a message without the frame is refused`(message: [UInt8], detail: String) {
        let seen = Self.seen(message)
        #expect(seen.reasons == [.notFramed] && seen.rejections.first?.detail.hasSuffix(detail) == true)
        #expect(seen.rejections.first?.detail.contains("Avro with Confluent framing") == true)
    }

    @Test func `a rejected message leaves no segment value or version behind`() {
        let type = AvroType.record(
            "E",
            [
                ("version", .string), ("region", .string), ("ts", .logical("timestamp-millis", .long)),
                ("score", .double),
            ])
        var seen = EventFixture()
        seen.setSchema(1, type)
        func message(_ text: String) -> [UInt8] {
            AvroWriter.message(1, .record([.string(text), .string(text), .whole(5_000), .double(1)]), type)
        }
        for i in 0..<3_000 { seen.decodeAvro(message("r\(i)").dropLast(), model: "fraud") }
        #expect(seen.reasons.count == 3_000)
        seen.decodeAvro(message("last"), model: "fraud")
        #expect(seen.segment(1) == "last" && seen.version == "last")
    }

    @Test func `a mutated or truncated message is one row or one rejection`() {
        var random = SeededGenerator(seed: 77)
        var seen = EventFixture()
        seen.setSchema(1, Self.type)
        let spice: [UInt8] = [0, 1, 2, 3, 0x7f, 0x80, 0xff, 0xfe, 0x42]
        for round in 0..<100_000 {
            var message = Self.message
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 5..<message.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: message[at] = spice.randomElement(using: &random) ?? 0
                case 1: message[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: message.remove(at: at)
                case 3: message.insert(spice.randomElement(using: &random) ?? 0, at: at)
                default: message = Array(message.prefix(at + 1))
                }
                if message.count < 6 { break }
            }
            let before = (seen.batch.count, seen.rejections.count)
            let outcome = seen.decodeAvro(message, model: "fraud")
            let rows = seen.batch.count - before.0
            let refused = seen.rejections.count - before.1
            #expect(outcome == .done && rows + refused == 1, "seed \(random.seed) round \(round): \(message)")
        }
        #expect(seen.batch.count > 10_000 && seen.rejections.count > 10_000)
    }
}
