import Events
import TestSupport
import Testing
import Values

/// What Avro events are read as, beyond what they share with JSON.
struct AvroDecodingTests {
    private static let time = ("ts", AvroType.logical("timestamp-millis", .long))
    private static let noon = AvroValue.whole(1_772_366_400_250)

    /// A flat event of the model `fraud` with one more field.
    private static func flat(_ name: String, _ type: AvroType, _ value: AvroValue) -> EventFixture {
        .avro(.record([noon, value]), .record("Event", [time, (name, type)]), model: "fraud")
    }

    @Test func `the frame of a real serializer is read`() {
        var seen = EventFixture()
        seen.setSchema(
            1,
            .record(
                "Flat",
                [
                    ("id", .string), Self.time, ("score", .double), ("country", .optional(.string)),
                ]))
        let message: [UInt8] = [
            0x00, 0x00, 0x00, 0x00, 0x01, 0x04, 0x72, 0x31, 0x80, 0xd6, 0xc5, 0x97, 0xbf, 0x68, 0x5c, 0x8f, 0xc2, 0xf5,
            0x28, 0x5c, 0xe7, 0x3f, 0x02, 0x04, 0x42, 0x52,
        ]
        #expect(seen.decodeAvro(message, model: "fraud") == .done)
        #expect(seen.rejections.isEmpty && seen.last("prediction") == .number(0.73))
        #expect(seen.last("country") == .code(0) && seen.segment(0) == "BR" && seen.last("amount") == .hole(.missing))
        #expect(seen.times.first?.rfc3339.hasPrefix("20") == true)
    }

    @Test(
        arguments: [
            (.logical("timestamp-millis", .long), .whole(1_772_366_400_250), 1_772_366_400_250_000),
            (.logical("timestamp-micros", .long), .whole(1_772_366_400_250_001), 1_772_366_400_250_001),
            (.logical("timestamp-nanos", .long), .whole(1_772_366_400_250_001_999), 1_772_366_400_250_001),
            (.logical("timestamp-nanos", .long), .whole(-1), -1),
            (.logical("local-timestamp-millis", .long), .whole(5), 5_000),
            (.logical("local-timestamp-micros", .long), .whole(5), 5),
            (.logical("date", .int), .whole(20_513), 1_772_323_200_000_000),
            (.logical("unheard-of", .long), .whole(7), 7_000_000),
            (.long, .whole(1_772_366_400), 1_772_366_400_000_000),
            (.long, .whole(1_772_366_400_250), 1_772_366_400_250_000), (.int, .whole(-1), -1_000_000),
            (.double, .double(1_772_366_400.25), 1_772_366_400_250_000), (.float, .float(1.5), 1_500_000),
            (.string, .string("2026-03-01T13:00:00+01:00"), 1_772_366_400_000_000),
            (.union([.null, .string, .long]), .branch(2, .whole(3)), 3_000_000),
        ] as [(AvroType, AvroValue, Int64)])
    func `ts is a timestamp, a number or RFC 3339`(type: AvroType, value: AvroValue, microseconds: Int64) {
        let seen = EventFixture.avro(
            .record([value, .double(1)]), .record("E", [("ts", type), ("score", .double)]), model: "fraud")
        #expect(seen.times == [Timestamp(microseconds: microseconds)])
    }

    @Test(
        arguments: [
            (.logical("timestamp-millis", .long), .whole(.max)), (.logical("timestamp-micros", .long), .whole(.max)),
            (.long, .whole(.min)), (.double, .double(.nan)), (.double, .double(.infinity)),
            (.string, .string("yesterday")), (.union([.boolean, .long]), .branch(0, .boolean(true))),
        ] as [(AvroType, AvroValue)])
    func `a ts that is no time is refused`(type: AvroType, value: AvroValue) {
        let seen = EventFixture.avro(
            .record([value, .double(1)]), .record("E", [("ts", type), ("score", .double)]), model: "fraud")
        #expect(seen.reasons == [.badTimestamp])
    }

    @Test(
        arguments: [
            (.double, .double(12.5), .number(12.5)), (.double, .double(.nan), .hole(.invalid)),
            (.double, .double(-.infinity), .hole(.invalid)), (.float, .float(.infinity), .hole(.invalid)),
            (.float, .float(0.5), .number(0.5)), (.int, .whole(-7), .number(-7)),
            (.long, .whole(.max), .number(9_223_372_036_854_775_808)),
            (.long, .whole(9_007_199_254_740_993), .number(9_007_199_254_740_992)),
            (.boolean, .boolean(true), .hole(.wrongType)), (.string, .string("1"), .hole(.wrongType)),
            (.string, .string("NaN"), .hole(.invalid)), (.enumeration("S", ["inf"]), .symbol(0), .hole(.invalid)),
            (.bytes, .bytes([1]), .hole(.wrongType)), (.fixed("X", 2), .bytes([1, 2]), .hole(.wrongType)),
            (.array(.double), .array([.double(1)]), .hole(.wrongType)),
            (.map(.double), .map([("a", .double(1))]), .hole(.wrongType)),
            (.record("In", [("x", .double)]), .record([.double(1)]), .hole(.wrongType)),
            (.optional(.double), .branch(0, .null), .hole(.null)), (.null, .null, .hole(.null)),
            (.logical("date", .int), .whole(3), .number(3)),
            (.decimal(.bytes, precision: 4, scale: 2), .bytes([0x04, 0xe2]), .number(12.5)),
            (.decimal(.bytes, precision: 4, scale: 2), .bytes([0xff]), .number(-0.01)),
            (.decimal(.bytes, precision: 4, scale: 2), .bytes([]), .number(0)),
            (.decimal(.fixed("D", 3), precision: 6, scale: 1), .bytes([0x00, 0x00, 0x07]), .number(0.7)),
            (
                .decimal(.bytes, precision: 40, scale: 3), .bytes([UInt8](repeating: 0x7f, count: 16)),
                .number(1.694739631331733e35)
            ),
            (
                .decimal(.bytes, precision: 40, scale: 0), .bytes([0xff] + [UInt8](repeating: 0, count: 8)),
                .number(-18_446_744_073_709_551_616)
            ),
            (.decimal(.bytes, precision: 999, scale: 0), .bytes([UInt8](repeating: 1, count: 131)), .hole(.invalid)),
            (.decimal(.bytes, precision: 2, scale: 3), .bytes([1]), .hole(.wrongType)),
        ] as [(AvroType, AvroValue, EventFixture.Value)])
    func `a numeric feature is a number or says why not`(
        type: AvroType, value: AvroValue, expected: EventFixture.Value
    ) {
        #expect(Self.flat("amount", type, value).last("amount") == expected)
    }

    @Test(
        arguments: [
            (.string, .string("BR"), .code(0), "BR"), (.string, .string("Sa\u{303}o"), .code(4), "Sa\u{303}o"),
            (.boolean, .boolean(true), .code(3), "true"), (.long, .whole(1), .code(2), "1"),
            (.double, .double(1), .code(2), "1"), (.float, .float(1), .code(2), "1"),
            (.double, .double(.nan), .hole(.invalid), "nan"), (.int, .whole(7), .code(7), "7"),
            (.enumeration("S", ["XX", "US"]), .symbol(1), .code(1), "US"), (.null, .null, .hole(.null), nil),
            (.decimal(.bytes, precision: 4, scale: 2), .bytes([100]), .code(2), "1"),
            (
                .uuid("U"), .bytes(Array(0..<16)), .code(7), "00010203-0405-0607-0809-0a0b0c0d0e0f"
            ),
            (.logical("uuid", .string), .string("US"), .code(1), "US"), (.bytes, .bytes([66]), .hole(.wrongType), nil),
            (.string, .string("a text of more than sixteen bytes"), .code(7), "a text of more than sixteen bytes"),
            (.string, .string("NaN"), .hole(.invalid), "NaN"),
        ] as [(AvroType, AvroValue, EventFixture.Value, String?)])
    func `a categorical feature is its text, and a segment, too`(
        type: AvroType, value: AvroValue, expected: EventFixture.Value, segment: String?
    ) {
        let seen = Self.flat("country", type, value)
        #expect(seen.rejections.isEmpty && seen.last("country") == expected && seen.segment(0) == segment)
    }

    /// Where there is nothing behind a text, it is looked up in another way.
    @Test func `a text at the end of a message is the same one when it comes again`() {
        var seen = EventFixture()
        let type = AvroType.record("Event", [Self.time, ("country", .string)])
        seen.setSchema(1, type)
        let alphabet = Array("abcdefghijklmnopq")
        // Of each length, and two that differ in nothing but their first or last byte.
        let texts = (0...alphabet.count).flatMap { count in
            [
                String(alphabet.prefix(count)), "é" + String(alphabet.prefix(count)),
                String(alphabet.prefix(count)) + "z",
            ]
        }
        for text in texts + texts {
            let message = AvroWriter.message(1, .record([Self.noon, .string(text)]), type)
            seen.decodeAvro(message, model: "fraud")
            #expect(seen.segment(0) == text)
        }
        #expect(seen.rejections.isEmpty && seen.batch.count == 2 * texts.count)
    }

    @Test func `an unknown schema changes nothing, and the message can be brought again`() {
        let type = AvroType.record("E", [Self.time, ("region", .string), ("version", .string), ("score", .double)])
        let message = AvroWriter.message(
            70_000, .record([Self.noon, .string("new"), .string("9"), .double(0.5)]), type)
        var seen = EventFixture()
        let before = seen.counts
        #expect(seen.decodeAvro(message, model: "fraud") == .needsSchema(70_000))
        #expect(seen.counts == before && !seen.decoder.knowsSchema(70_000))
        seen.setSchema(70_000, type)
        #expect(seen.decoder.knowsSchema(70_000) && seen.decodeAvro(message, model: "fraud") == .done)
        #expect(seen.batch.count == 1 && seen.segment(1) == "new" && seen.version == "9")
    }

    @Test func `a schema that cannot carry events is remembered with its reason`() {
        var seen = EventFixture()
        seen.setSchema(3, .record("E", [("ts", .boolean), ("score", .double)]))
        #expect(seen.decoder.knowsSchema(3) && seen.decodeAvro(AvroWriter.frame(3, [1])) == .done)
        #expect(seen.reasons == [.badSchema])
        #expect(
            seen.rejections.first?.detail
                == "schema 3: field ts: boolean, where ts is RFC 3339 text, a timestamp or a number")
        seen.setSchema(3, .record("E", [Self.time, ("score", .double)]))
        seen.decodeAvro(
            AvroWriter.message(3, .record([Self.noon, .double(1)]), .record("E", [Self.time, ("s", .double)])),
            model: "fraud")
        #expect(seen.batch.count == 1, "a schema given again replaces the first")
    }

    @Test func `messages of several models and schemas may follow each other`() {
        let named = AvroType.record(
            "N", [("model", .optional(.string)), Self.time, ("prediction", .union([.double, .string]))])
        let bare = AvroType.record("B", [Self.time, ("prediction", .string)])
        var seen = EventFixture()
        seen.setSchema(1, named)
        seen.setSchema(2, bare)
        for i in 0..<20 {
            let model = ["fraud", "pets", "nobody"][i % 3]
            seen.decodeAvro(
                AvroWriter.message(1, .record([.branch(1, .string(model)), Self.noon, .branch(0, .double(1))]), named))
            seen.decodeAvro(
                AvroWriter.message(1, .record([.branch(0, .null), Self.noon, .branch(1, .string("cat"))]), named),
                model: i % 2 == 0 ? "pets" : "fraud")
            seen.decodeAvro(AvroWriter.message(2, .record([Self.noon, .string("dog")]), bare), model: "pets")
            seen.decodeAvro(AvroWriter.message(2, .record([Self.noon, .string("dog")]), bare))
        }
        #expect(seen.batch.count == 17 && seen.petBatch.count == 37)
        #expect(seen.reasons.filter { $0 == .unknownModel }.count == 6)
        #expect(seen.reasons.filter { $0 == .noModel }.count == 20)
        #expect(EventFixture.value(seen.petBatch, 0, row: 36) == .code(1))
    }

    @Test(
        arguments: [
            ([("score", .branch(0, .null)), ("value", .branch(1, .double(2)))], .number(2)),
            ([("value", .branch(1, .double(2))), ("score", .branch(0, .null))], .number(2)),
            ([("value", .branch(1, .double(2))), ("score", .branch(1, .double(3)))], .number(3)),
            ([("score", .branch(1, .double(3))), ("value", .branch(1, .double(2)))], .number(3)),
            ([("score", .branch(1, .double(3))), ("value", .branch(0, .null))], .number(3)),
            ([("score", .branch(0, .null)), ("value", .branch(0, .null))], .hole(.null)),
            ([("label", .branch(1, .double(3)))], .hole(.missing)),
        ] as [([(String, AvroValue)], EventFixture.Value)])
    func `a null output leaves the next one to count`(outputs: [(String, AvroValue)], value: EventFixture.Value) {
        let type = AvroType.record("P", outputs.map { ($0.0, .optional(.double)) })
        let seen = Self.flat("prediction", type, .record(outputs.map(\.1)))
        #expect(seen.last("prediction") == value)
    }

    @Test func `aliases name parts and features where no field does`() {
        var seen = EventFixture()
        seen.setSchema(
            1,
            #"""
            {"type":"record","name":"E","namespace":"a.b","fields":[
             {"name":"event_time","aliases":["ts"],"type":{"type":"long","logicalType":"timestamp-millis"}},
             {"name":"p","aliases":["score"],"type":"double"},{"name":"sum","aliases":["total","amount"],"type":"double"},
             {"name":"other","aliases":["country"],"type":"string"},{"name":"country","type":"string"}]}
            """#)
        let payload =
            AvroWriter.whole(5) + [0, 0, 0, 0, 0, 0, 0xe0, 0x3f] + [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]
            + AvroWriter.string("BR") + AvroWriter.string("US")
        seen.decodeAvro(AvroWriter.frame(1, payload), model: "fraud")
        #expect(seen.rejections.isEmpty && seen.last("prediction") == .number(0.5) && seen.last("amount") == .number(1))
        #expect(seen.last("country") == .code(1) && seen.decoder.unknownKeys == 1)
    }

    @Test func `a record that holds itself is passed over`() {
        let node = AvroType.record("Node", [("value", .string), ("next", .optional(.named("Node")))])
        func list(_ count: Int) -> AvroValue {
            count == 0
                ? .branch(0, .null) : .branch(1, .record([.string("x"), list(count - 1)]))
        }
        let type = AvroType.record("E", [Self.time, ("list", .array(node)), ("score", .double)])
        for (depth, isRead) in [(3, true), (126, true), (127, false), (300, false)] {
            let seen = EventFixture.avro(
                .record([Self.noon, .array([.record([.string("x"), list(depth)])]), .double(1)]), type, model: "fraud")
            #expect(
                (seen.batch.count == 1) == isRead && seen.reasons == (isRead ? [] : [.malformedAvro]),
                "\(depth) \(seen.rejections)")
        }
    }
}
