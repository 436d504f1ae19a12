import Events
import Testing
import Values

/// What schemas are accepted, and what is said of the others.
struct AvroSchemaTests {
    private static let ts = #"{"name":"ts","type":"long"}"#

    private static func event(_ fields: String...) -> String {
        #"{"type":"record","name":"E","fields":[\#(([ts] + fields).joined(separator: ","))]}"#
    }

    @Test(
        arguments: [
            ("", "not JSON: expected a value at byte 0"),
            (#""string""#, "the schema is a string, an event is a record"),
            (#""nothing""#, "unknown type 'nothing'"), ("7", "a type is a name, an object or an array"),
            (#"["null","string"]"#, "the schema is a union of null, string, an event is a record"),
            (#"{"name":"E"}"#, "a type without \"type\""),
            (#"{"type":"record","fields":[]}"#, "a record, enum or fixed without a name"),
            (#"{"type":"record","name":"E"}"#, "a record without \"fields\""),
            (#"{"type":"record","name":"E","fields":[{"type":"int"}]}"#, "a field without a name"),
            (#"{"type":"record","name":"E","fields":[]}"#, "field ts: the record has no such field"),
            (event(), "the record has neither features nor prediction nor label"),
            (event(#"{"name":"x"}"#), "field x: no \"type\""), (event(ts), "field ts: the record has the field twice"),
            (event(#"{"name":"x","type":"Far"}"#), "field x: unknown type 'Far'"),
            (event(#"{"name":"x","type":[]}"#), "field x: a union without branches"),
            (event(#"{"name":"x","type":["int",["null"]]}"#), "field x: a union directly within a union"),
            (event(#"{"name":"x","type":["int","int"]}"#), "field x: a union with two branches 'int'"),
            (event(#"{"name":"x","type":{"type":"array"}}"#), "field x: no \"items\""),
            (
                event(#"{"name":"x","type":{"type":"enum","name":"S","symbols":["a","a"]}}"#),
                "field x: an enum needs \"symbols\", each a different text"
            ),
            (
                event(#"{"name":"x","type":{"type":"fixed","name":"S","size":-1}}"#),
                "field x: a fixed needs a \"size\" from 0 to 2147483647"
            ),
            (
                event(#"{"name":"x","type":{"type":"record","name":"E","fields":[]}}"#),
                "field x: type 'E' is defined twice"
            ),
            (
                event(
                    #"{"name":"features","type":{"type":"record","name":"F","fields":[{"name":"y","type":{"type":"z"}}]}}"#
                ),
                "field features.y: unknown type 'z'"
            ),
            (
                event(#"{"name":"features","type":"string"}"#),
                "field features: string, where features is a record or a map"
            ),
            (
                event(#"{"name":"model","type":"int"}"#, #"{"name":"score","type":"double"}"#),
                "field model: int, where model is a string or an enum"
            ),
            (
                event(#"{"name":"prediction","type":"boolean"}"#),
                "field prediction: boolean, where prediction is a number, a text, a record or a map"
            ),
        ])
    func `a schema that cannot be used says why`(schema: String, detail: String) {
        var seen = EventFixture()
        seen.setSchema(4, schema)
        seen.decodeAvro(AvroWriter.frame(4, [0]), model: "fraud")
        #expect(seen.reasons == [.badSchema] && seen.rejections.first?.detail == "schema 4: \(detail)")
    }

    @Test func `names are looked up in their namespace, and whole`() {
        var seen = EventFixture()
        seen.setSchema(
            4,
            #"""
            {"type":"record","name":"E","namespace":"a.b","fields":[
             {"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
             {"name":"one","type":{"type":"fixed","name":"One","size":1}},{"name":"again","type":"One"},
             {"name":"whole","type":"a.b.One"},
             {"name":"other","type":{"type":"record","name":"c.d.In","fields":[
               {"name":"two","type":{"type":"fixed","name":"One","size":2}},{"name":"three","type":"One"}]}},
             {"name":"last","type":"c.d.One"},{"name":"score","type":{"type":"double"}}]}
            """#)
        let payload = [2] + [UInt8](repeating: 9, count: 3 + 4 + 2) + [0, 0, 0, 0, 0, 0, 0xe0, 0x3f]
        seen.decodeAvro(AvroWriter.frame(4, payload), model: "fraud")
        #expect(seen.rejections.isEmpty && seen.last("prediction") == .number(0.5))
    }

    @Test func `a schema may be deep and wide, and refer to itself without end`() {
        var inner = #"{"type":"record","name":"R0","fields":[]}"#
        for i in 1..<36 {
            inner =
                #"{"type":"record","name":"R\#(i)","fields":[{"name":"a","type":\#(inner)},{"name":"b","type":"R\#(i - 1)"}]}"#
        }
        var seen = EventFixture()
        seen.setSchema(
            4,
            Self.event(
                #"{"name":"x","type":{"type":"array","items":\#(inner)}}"#, #"{"name":"alone","type":"R35"}"#,
                #"{"name":"score","type":"double"}"#))
        let score: [UInt8] = [0, 0, 0, 0, 0, 0, 0xe0, 0x3f]
        seen.decodeAvro(AvroWriter.frame(4, [0] + AvroWriter.whole(.max) + [0] + score), model: "fraud")
        #expect(seen.batch.count == 1, "2 to the 35th records without a byte, 2 to the 63rd times")
        seen.setSchema(
            5, Self.event(#"{"name":"x","type":{"type":"record","name":"A","fields":[{"name":"a","type":"A"}]}}"#))
        seen.decodeAvro(AvroWriter.frame(5, [0]), model: "fraud")
        #expect(seen.reasons == [.malformedAvro])
        #expect(seen.rejections.first?.detail.hasSuffix("nested too deeply at byte 6") == true)
    }
}
