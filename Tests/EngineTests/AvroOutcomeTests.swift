import Events
import TestSupport
import Testing
import Values

/// What Avro events bring for the join of labels.
struct AvroOutcomeTests {
    private static let time = ("ts", AvroType.logical("timestamp-millis", .long))
    private static let noon = AvroValue.whole(1_772_366_400_250)
    private static let hash = Array("9f3c".utf8).withUnsafeBytes { IdentityHash.hash($0) }

    @Test(
        arguments: [
            (.string, .string("1"), "1"), (.boolean, .boolean(true), "true"), (.int, .whole(1), "1"),
            (.double, .double(1), "1"), (.double, .double(0.5), "0.5"),
            (.enumeration("L", ["no", "yes"]), .symbol(1), "yes"),
            (.optional(.string), .branch(1, .string("late")), "late"),
            (.decimal(.bytes, precision: 4, scale: 2), .bytes([100]), "1"),
        ] as [(AvroType, AvroValue, String)])
    func `a label event is joined by its id, whatever its label's type`(
        type: AvroType, value: AvroValue, expected: String
    ) {
        let seen = EventFixture.avro(
            .record([.string("9f3c"), Self.noon, value]),
            .record("Label", [("id", .string), Self.time, ("label", type)]), model: "fraud")
        #expect(seen.rejections.isEmpty && seen.batch.count == 0)
        #expect(seen.outcomes() == ["label \(Self.hash) 2026-03-01T12:00:00.25Z \(expected)"])
    }

    @Test(arguments: [(.array(.int), .array([.whole(1)])), (.bytes, .bytes([1]))] as [(AvroType, AvroValue)])
    func `a label of a type that labels cannot have is refused`(type: AvroType, value: AvroValue) {
        let seen = EventFixture.avro(
            .record([.string("9f3c"), Self.noon, value]),
            .record("Label", [("id", .string), Self.time, ("label", type)]), model: "fraud")
        #expect(seen.reasons == [.badLabel] && seen.outcomes().isEmpty)
        #expect(seen.rejections.first?.detail.hasPrefix("label has a type that a label cannot have") == true)
    }

    @Test func `a number that is an id keeps all its digits`() {
        let seen = EventFixture.avro(
            .record([.whole(9_007_199_254_740_993), Self.noon, .string("1")]),
            .record("Label", [("id", .long), Self.time, ("label", .string)]), model: "fraud")
        let hash = Array("9007199254740993".utf8).withUnsafeBytes { IdentityHash.hash($0) }
        #expect(seen.outcomes() == ["label \(hash) 2026-03-01T12:00:00.25Z 1"])
    }

    @Test func `a prediction brings its identity, the class it names and its own label`() {
        let output = AvroType.record("Output", [("score", .double), ("label", .string)])
        let seen = EventFixture.avro(
            .record([.string("9f3c"), Self.noon, .record([.double(0.9), .string("1")]), .branch(1, .whole(0))]),
            .record(
                "Event",
                [("id", .string), Self.time, ("prediction", output), ("label", .union([.null, .int]))]),
            model: "fraud")
        #expect(seen.last("prediction") == .number(0.9))
        #expect(seen.outcomes() == ["row 0 \(Self.hash) 1 0"])
    }

    @Test func `of scores by class the best is the class that is judged`() {
        let output = AvroType.record("Output", [("scores", .map(.double))])
        let scores = AvroValue.map([("cat", .double(0.2)), ("newt", .double(0.7))])
        let seen = EventFixture.avro(
            .record([.string("9f3c"), Self.noon, .record([scores])]),
            .record("Event", [("id", .string), Self.time, ("prediction", output)]), model: "pets")
        #expect(seen.outcomes(model: 1) == ["row 0 \(Self.hash) newt - cat=0.2 newt=0.7"])
    }

    @Test func `an id that is not UTF-8 is refused, and joins nothing`() {
        let type = AvroType.record("Label", [("id", .string), Self.time, ("label", .string)])
        var message = AvroWriter.message(1, .record([.string("x"), Self.noon, .string("1")]), type)
        // Behind the frame of five bytes and the text's length.
        message[6] = 0xff
        var seen = EventFixture()
        seen.setSchema(1, type)
        seen.decodeAvro(message, model: "fraud")
        #expect(seen.reasons == [.malformedAvro] && seen.outcomes().isEmpty)
    }
}
