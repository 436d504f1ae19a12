import Events
import TestSupport
import Testing
import Values

/// A message that cannot be used is data: it is refused with its reason, and its neighbours count.
struct EventRejectionTests {
    @Test(
        arguments: [
            ("", .empty, "no JSON value"), (" \n ", .empty, "no JSON value"), ("[]", .empty, "an array without events"),
            ("{\"a\":", .malformed, "expected a value at byte 5"),
            ("nonsense", .malformed, "unexpected character at byte 0"),
            ("[{}", .malformed, "expected ',' or ']' at byte 3"),
            ("[{}] x", .malformed, "text after the array at byte 5"),
            ("{} {}", .malformed, "text after the event at byte 3"),
            ("3", .notAnObject, "an event is a JSON object"), ("[[]]", .notAnObject, "an event is a JSON object"),
            ("\"text\"", .notAnObject, "an event is a JSON object"),
            (#"{"ts":0,"prediction":1}"#, .noModel, "neither the event nor the topic's configuration names a model"),
            (#"{"model":"other","ts":0,"prediction":1}"#, .unknownModel, "model 'other' is not configured"),
            (#"{"model":"fraud","type":"vote","ts":0}"#, .unknownType, "type is none of prediction, label, features"),
            (#"{"model":"fraud","prediction":1}"#, .noTimestamp, "ts is missing"),
            (#"{"model":"fraud","prediction":1,"ts":null}"#, .noTimestamp, "ts is missing"),
            (
                #"{"model":"fraud","prediction":1,"ts":"soon"}"#, .badTimestamp,
                "ts is neither RFC 3339 nor epoch seconds or milliseconds; a text needs its time zone: Z or an offset"
            ),
            (
                #"{"model":"fraud","prediction":1,"ts":"2026-03-01T12:00:00.5"}"#, .badTimestamp,
                "ts 2026-03-01T12:00:00.5 has no time zone: add Z or an offset such as +02:00"
            ),
            (
                #"{"model":"fraud","ts":0}"#, .noPrediction,
                "neither prediction nor features nor label: they are missing or null"
            ),
            (
                #"{"model":"fraud","ts":0,"type":"prediction","label":1,"id":1}"#, .noPrediction,
                "neither prediction nor features"
            ),
            (#"{"model":"fraud","ts":0,"label":"1"}"#, .noID, "a label event without id"),
            (#"{"model":"fraud","ts":0,"label":"1","id":null}"#, .noID, "a label event without id"),
            (
                #"{"model":"fraud","ts":0,"type":"label","id":"1","label":null}"#, .badLabel,
                "a label event whose label is missing or null"
            ),
            (
                #"{"model":"fraud","ts":0,"type":"features","prediction":1}"#, .badField,
                "a features event without features"
            ),
            (#"{"model":7,"ts":0,"prediction":1}"#, .badField, "model has a type an event cannot have"),
            (#"{"model":"fraud","ts":0,"prediction":true}"#, .badField, "prediction has a type an event cannot have"),
            (#"{"model":"fraud","ts":0,"prediction":[0.5]}"#, .badField, "prediction has a type an event cannot have"),
            (#"{"model":"fraud","ts":0,"features":[1]}"#, .badField, "features has a type an event cannot have"),
            (
                #"{"model":"fraud","ts":0,"segments":"BR","prediction":1}"#, .badField,
                "segments has a type an event cannot have"
            ),
            (#"{"model":"fraud","ts":0,"type":1,"prediction":1}"#, .badField, "type has a type an event cannot have"),
            (#"{"model":"fraud","ts":0,"id":{},"prediction":1}"#, .badField, "id has a type an event cannot have"),
            (
                #"{"model":"fraud","ts":0,"version":[],"prediction":1}"#, .badField,
                "version has a type an event cannot have"
            ),
        ] as [(String, RejectReason, String)])
    func `each reason is given with its detail`(message: String, reason: RejectReason, detail: String) {
        var seen = EventFixture()
        seen.decode(message)
        #expect(seen.rejections.count == 1)
        #expect(seen.rejections.first?.reason == reason && seen.rejections.first?.detail == detail)
        #expect(seen.batch.count == 0 && seen.petBatch.count == 0 && seen.decoder.kinds == [0, 0, 0])
    }

    @Test(arguments: [
        "true", "[0]", "{}", #""1772366400""#, "1e999", "-1e999", "1e300", #""2026-02-30T00:00:00Z""#,
        // Milliseconds before the year 0 or after 9999, which no report could write.
        "253402300800000", "-62167219200001", "259999999999999",
    ])
    func `a ts that is no time is refused`(ts: String) {
        var seen = EventFixture()
        seen.decode(#"{"model":"fraud","prediction":1,"ts":\#(ts)}"#)
        #expect(seen.reasons == [.badTimestamp])
    }

    @Test func `a broken line is refused alone`() {
        let good = EventFixture.event(#""prediction":1"#)
        var seen = EventFixture()
        seen.decode("\(good)\n{\"model\":\n\(good)\nnot json\n\(good)")
        // The open object swallows nothing but its own line.
        #expect(seen.batch.count == 3 && seen.reasons == [.malformed, .malformed])
        #expect(seen.rejections.map(\.index) == [1, 3])
        let message = Array("\(good)\n{\"model\":\n\(good)\nnot json\n\(good)".utf8)
        #expect(
            seen.rejections.map { String(decoding: message[$0.range], as: UTF8.self) } == ["{\"model\":", "not json"])
    }

    @Test func `a broken array is refused whole, a useless event of a sound one alone`() {
        let good = EventFixture.event(#""prediction":1"#)
        var seen = EventFixture()
        seen.decode("[\(good),\(good),{]")
        #expect(seen.batch.count == 0 && seen.reasons == [.malformed])
        seen = EventFixture()
        let mixed = "[\(good),5,{\"model\":\"fraud\"},\(good)]"
        seen.decode(mixed)
        #expect(seen.batch.count == 2 && seen.reasons == [.notAnObject, .noTimestamp])
        #expect(seen.rejections.map(\.index) == [1, 2])
        let part = seen.rejections.map { String(decoding: Array(mixed.utf8)[$0.range], as: UTF8.self) }
        #expect(part == ["5", "{\"model\":\"fraud\"}"])
    }

    @Test func `a message over ten mebibytes is refused unread`() {
        var seen = EventFixture()
        var message = Array(EventFixture.event(#""prediction":1"#).utf8)
        message += [UInt8](repeating: 0x20, count: EventDecoder.maximumMessageBytes - message.count)
        seen.decode(message)
        #expect(seen.batch.count == 1 && seen.rejections.isEmpty)
        seen.decode(message + [0x20])
        #expect(seen.batch.count == 1 && seen.reasons == [.tooLarge])
        #expect(seen.rejections.first?.detail == "10485761 bytes, limit 10485760")
    }

    @Test func `the future is ten minutes away, where there is a clock`() {
        let now = Fixture.time("2026-03-01T11:50:00Z")
        var seen = EventFixture()
        seen.decode(EventFixture.event(#""prediction":1"#), now: now)
        #expect(seen.batch.count == 1)
        seen.decode(EventFixture.event(#""prediction":1"#), now: now - Span(microseconds: 1))
        #expect(seen.batch.count == 1 && seen.reasons == [.future])
        #expect(seen.rejections.first?.detail == "ts 2026-03-01T12:00:00Z is over 10 minutes ahead of the clock")
        seen.decode(#"{"model":"fraud","ts":"9999-01-01T00:00:00Z","prediction":1}"#)
        #expect(seen.batch.count == 2, "a replay has no clock")
    }

    @Test func `a mutated or truncated message is read or refused, and never more`() {
        var random = SeededGenerator(seed: 404)
        let source = Array(
            #"""
            [{"type":"prediction","model":"fraud","version":14,"id":"9f\u0033c","ts":"2026-03-01T12:00:00.250Z","features":
            {"amount":12.5e1,"country":"S\u00e3o \ud83d\ude00","device":null,"x":[1,{"y":false}]},"prediction":{"score":0.83,
            "scores":{"a":1}},"segments":{"country":"é","region":1e0}}]
            """#.utf8)
        let spice = Array(#"{}[]",:\u0/eE+-.019ntf"#.utf8) + [0, 0x0a, 0x80, 0xc3, 0xe2, 0xf0, 0xff]
        var seen = EventFixture()
        for round in 0..<20_000 {
            var message = source
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<message.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: message[at] = spice.randomElement(using: &random) ?? 0
                case 1: message.remove(at: at)
                case 2: message.insert(spice.randomElement(using: &random) ?? 0, at: at)
                default: message.removeSubrange(at..<min(message.count, at + Int.random(in: 0...40, using: &random)))
                }
                if message.isEmpty { break }
            }
            if round % 4 == 0 { message = Array(source.prefix(Int.random(in: 0...source.count, using: &random))) }
            let before = seen.batch.count + seen.rejections.count
            seen.decode(message)
            #expect(seen.batch.count + seen.rejections.count > before, "seed \(random.seed) round \(round)")
        }
        #expect(seen.batch.count > 1_000 && seen.rejections.count > 1_000)
    }

    @Test func `values broken over many lines are not read again for each line without end`() {
        var decoder = EventDecoder([EventFixture.schema])
        decoder.limitsWholeMessages = false
        let message = Array(String(repeating: "{\"a\":\n", count: 300_000).utf8)
        var ranges: [Range<Int>] = []
        message.withUnsafeBytes {
            decoder.decode($0, defaults: TopicDefaults(), now: nil) { rejection in
                #expect(rejection.reason == .malformed)
                ranges.append(rejection.range)
            }
        }
        // Each line is refused by itself until too much was read in vain; then the rest, as one.
        #expect(ranges.count > 1_000 && ranges.count < 100_000)
        #expect(ranges.last?.upperBound == message.count)
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound + 1 == $1.lowerBound })
    }
}
