import Events
import TestSupport
import Testing
import Values

/// Every form of event that contracts.md section 2 promises to read.
struct EventDecodingTests {
    private static let full = #"""
        {"type":"prediction","model":"fraud","version":"14","id":"9f3c","ts":"2026-03-01T12:00:00.250Z",
         "features":{"amount":12.5,"country":"BR","device":null},"prediction":{"score":0.83,"label":"1"},
         "segments":{"country":"BR","region":"south"}}
        """#

    private static func decode(_ message: String, model: String? = nil, version: String? = nil) -> EventFixture {
        var fixture = EventFixture()
        fixture.decode(message, model: model, version: version)
        return fixture
    }

    @Test func `a full event fills its row`() {
        let seen = Self.decode(Self.full)
        #expect(seen.rejections.isEmpty && seen.batch.count == 1)
        #expect(seen.times == [Fixture.time("2026-03-01T12:00:00.25Z")])
        #expect(seen.version == "14")
        #expect(seen.last("amount") == .number(12.5))
        #expect(seen.last("country") == .code(0))
        #expect(seen.last("device") == .hole(.null))
        #expect(seen.last("prediction") == .number(0.83))
        #expect(seen.segment(0) == "BR" && seen.segment(1) == "south")
        #expect(seen.decoder.unknownKeys == 0 && seen.decoder.kinds == [1, 0, 0])
    }

    @Test func `keys may come in any order, the model's name last`() {
        let parts = [
            #""type":"prediction""#, #""model":"fraud""#, #""version":"14""#, #""ts":1772366400"#,
            #""features":{"amount":1,"country":"US"}"#, #""prediction":0.5"#, #""segments":{"region":"x"}"#, #""id":7"#,
        ]
        var random = SeededGenerator(seed: 9)
        for _ in 0..<100 {
            let seen = Self.decode("{" + parts.shuffled(using: &random).joined(separator: ",") + "}")
            #expect(seen.rejections.isEmpty, "seed \(random.seed)")
            #expect(seen.last("amount") == .number(1) && seen.last("country") == .code(1))
            #expect(seen.last("prediction") == .number(0.5) && seen.segment(1) == "x" && seen.version == "14")
        }
    }

    @Test(
        arguments: [
            (#""2026-03-01T12:00:00Z""#, 1_772_366_400_000_000),
            (#""2026-03-01T13:00:00+01:00""#, 1_772_366_400_000_000),
            ("1772366400", 1_772_366_400_000_000), ("1772366400.25", 1_772_366_400_250_000),
            ("1772366400250", 1_772_366_400_250_000), ("1.772366400e9", 1_772_366_400_000_000),
            ("1772366400250.5", 1_772_366_400_250_500), ("0", 0), ("-1", -1_000_000),
            ("99999999999", 99_999_999_999_000_000),
            ("100000000000", 100_000_000_000_000), (#""2026-03-01T12:00\u003a00Z""#, 1_772_366_400_000_000),
        ] as [(String, Int64)])
    func `ts is RFC 3339, epoch seconds or milliseconds`(ts: String, microseconds: Int64) {
        let seen = Self.decode(#"{"model":"fraud","prediction":1,"ts":\#(ts)}"#)
        #expect(seen.times == [Timestamp(microseconds: microseconds)])
    }

    @Test func `an array and JSON lines are several events`() {
        let one = EventFixture.event(#""prediction":1"#)
        let two = EventFixture.event(#""prediction":2"#)
        for message in [
            "[\(one),\(two)]", " [ \(one) ,\n \(two) ] \n", "\(one)\n\(two)", "\(one)\r\n\(two)\r\n",
            "\n\n\(one)\n \n\(two)\n",
            "\(one) \t\n\(two)",
        ] {
            let seen = Self.decode(message)
            #expect(seen.batch.count == 2 && seen.rejections.isEmpty, "\(message)")
            #expect(seen.last("prediction") == .number(2))
        }
    }

    @Test func `an event may run over several lines, and another follow it`() {
        let seen = Self.decode(Self.full + "\n" + Self.full)
        #expect(seen.batch.count == 2 && seen.rejections.isEmpty)
    }

    @Test func `without a type a label and no prediction make a label`() {
        var seen = Self.decode(EventFixture.event(#""id":"1","label":"1""#))
        #expect(seen.decoder.kinds == [0, 1, 0] && seen.batch.count == 0 && seen.rejections.isEmpty)
        seen = Self.decode(EventFixture.event(#""id":"1","label":"1","prediction":0.5"#))
        #expect(seen.decoder.kinds == [1, 0, 0] && seen.batch.count == 1)
        seen = Self.decode(EventFixture.event(#""features":{"amount":1}"#))
        #expect(seen.decoder.kinds == [1, 0, 0] && seen.batch.count == 1)
    }

    @Test func `the topic's model and version stand in for the event's`() {
        let bare = #"{"ts":0,"prediction":1}"#
        #expect(Self.decode(bare, model: "fraud", version: "9").version == "9")
        #expect(Self.decode(bare, model: "fraud").version == "")
        let own = #"{"ts":0,"model":"fraud","version":14,"prediction":1}"#
        #expect(Self.decode(own, model: "pets", version: "9").version == "14")
        #expect(Self.decode(#"{"ts":0,"version":null,"prediction":1}"#, model: "fraud", version: "9").version == "9")
    }

    @Test(
        arguments: [
            ("0.25", .number(0.25)), (#"{"score":0.25}"#, .number(0.25)), (#"{"value":-3}"#, .number(-3)),
            (#"{"label":"1","score":0.25,"value":9}"#, .number(0.25)), (#"{"label":"1"}"#, .hole(.missing)),
            ("{}", .hole(.missing)),
            (#"{"score":null}"#, .hole(.null)), (#""0.25""#, .hole(.wrongType)), (#""NaN""#, .hole(.invalid)),
            (#"{"score":"nan"}"#, .hole(.invalid)), ("1e999", .hole(.invalid)), (#"{"score":true}"#, .hole(.wrongType)),
            (#"{"\u0073core":0.25}"#, .number(0.25)), (#"{"score":[0.25]}"#, .hole(.wrongType)),
        ] as [(String, EventFixture.Value)])
    func `a numeric prediction is bare, a score or a value`(text: String, value: EventFixture.Value) {
        #expect(Self.decode(EventFixture.event(#""prediction":\#(text)"#)).last("prediction") == value)
    }

    @Test(
        arguments: [
            (#""cat""#, .code(0)), (#"{"label":"dog"}"#, .code(1)), (#"{"scores":{"cat":0.3,"dog":0.7}}"#, .code(1)),
            (#"{"scores":{"cat":0.5,"dog":0.5}}"#, .code(0)),
            (#"{"label":"cat","scores":{"cat":0.3,"dog":0.7}}"#, .code(0)),
            (#"{"scores":{"d\u006fg":1,"cat":"9"}}"#, .code(1)), (#"{"label":"cow"}"#, .code(3)), ("1.0", .code(2)),
            (#"{"label":1e0}"#, .code(2)), (#"{"scores":{}}"#, .hole(.missing)), (#"{"scores":[1]}"#, .hole(.missing)),
            (#"{"label":null}"#, .hole(.null)), (#"{"score":0.5}"#, .hole(.missing)),
        ] as [(String, EventFixture.Value)])
    func `a class is bare, a label or the best of the scores`(text: String, value: EventFixture.Value) {
        var seen = EventFixture()
        seen.decode(#"{"model":"pets","ts":0,"prediction":\#(text)}"#)
        #expect(EventFixture.last(seen.petBatch, 0) == value)
    }

    @Test(
        arguments: [
            ("12.5", .number(12.5)), ("-0.0", .number(0)), ("1e308", .number(1e308)),
            ("5e-324", .number(.leastNonzeroMagnitude)),
            ("null", .hole(.null)), ("1e999", .hole(.invalid)), ("-1e999", .hole(.invalid)),
            (#""NaN""#, .hole(.invalid)),
            (#""nan""#, .hole(.invalid)), (#""-Infinity""#, .hole(.invalid)), (#""+inf""#, .hole(.invalid)),
            (#""N\u0061N""#, .hole(.invalid)), (#""12.5""#, .hole(.wrongType)), (#""""#, .hole(.wrongType)),
            ("true", .hole(.wrongType)),
            ("[1]", .hole(.wrongType)), ("{}", .hole(.wrongType)),
        ] as [(String, EventFixture.Value)])
    func `a numeric feature is a number or says why not`(text: String, value: EventFixture.Value) {
        #expect(Self.decode(EventFixture.event(#""features":{"amount":\#(text)}"#)).last("amount") == value)
    }

    @Test(
        arguments: [
            (#""BR""#, .code(0)), (#""\u0042R""#, .code(0)), (#""S\u00e3o""#, .code(4)), (#""São""#, .code(4)),
            (#""""#, .code(5)),
            ("1", .code(2)), ("1.0", .code(2)), ("1e0", .code(2)), ("0.1e1", .code(2)), (#""1""#, .code(2)),
            (#""1.0""#, .code(7)),
            ("true", .code(3)), (#""true""#, .code(3)), ("false", .code(7)), (#""br""#, .code(7)),
            (#"" BR""#, .code(7)), ("null", .hole(.null)),
            ("[]", .hole(.wrongType)), (#"["BR"]"#, .hole(.wrongType)), ("{}", .hole(.wrongType)),
            (#""Sa\u0303o""#, .code(4)),
            (#""nan""#, .hole(.invalid)), (#""NaN""#, .hole(.invalid)),
        ] as [(String, EventFixture.Value)])
    func `a categorical feature is its canonical text`(text: String, value: EventFixture.Value) {
        #expect(Self.decode(EventFixture.event(#""features":{"country":\#(text)}"#)).last("country") == value)
    }

    @Test func `missing, null and absent are three things`() {
        let missing = Self.decode(EventFixture.event(#""features":{"amount":1}"#))
        #expect(missing.last("country") == .hole(.missing) && missing.last("prediction") == .hole(.missing))
        let absent = Self.decode(EventFixture.event(#""prediction":1"#))
        #expect(absent.last("country") == .hole(.absent) && absent.last("amount") == .hole(.absent))
        let null = Self.decode(EventFixture.event(#""features":null,"prediction":1"#))
        #expect(null.last("amount") == .hole(.absent))
        let features = Self.decode(EventFixture.event(#""type":"features","features":{"amount":1}"#))
        #expect(features.last("prediction") == .hole(.absent), "a features event says nothing of the prediction")
        #expect(features.last("device") == .hole(.missing) && features.decoder.kinds == [0, 0, 1])
        let both = Self.decode(EventFixture.event(#""type":"features","features":{},"prediction":0.5"#))
        #expect(both.last("prediction") == .hole(.absent))
    }

    @Test func `unknown feature keys are counted, ignored ones are not`() {
        var seen = Self.decode(
            EventFixture.event(#""features":{"amount":1,"surprise":{"deep":[1]},"note":"x","region":"n","\u0061":2}"#))
        #expect(seen.decoder.unknownKeys == 2 && seen.last("amount") == .number(1))
        let taken = seen.decoder.takeCounters()
        #expect(taken.unknownKeys == 2 && taken.kinds == [1, 0, 0] && seen.decoder.unknownKeys == 0)
    }

    @Test func `a key given twice counts once, with its last value`() {
        let seen = Self.decode(
            EventFixture.event(
                #""features":{"amount":1,"country":"BR","amount":2,"country":"US"},"prediction":1,"prediction":3"#))
        #expect(seen.last("amount") == .number(2) && seen.last("country") == .code(1) && seen.segment(0) == "US")
        #expect(seen.last("prediction") == .number(3) && seen.rejections.isEmpty)
        #expect(seen.batch.count == 1)
    }

    @Test(
        arguments: [
            (#""features":{"country":"BR"}"#, "BR", nil), (#""features":{"region":"n","country":2.0}"#, "2", "n"),
            (#""features":{"country":"BR"},"segments":{"country":"US"}"#, "US", nil),
            (#""segments":{"country":"US"},"features":{"country":"BR"}"#, "US", nil),
            (#""features":{"country":"BR"},"segments":{"region":"s"}"#, "BR", "s"), (#""prediction":1"#, nil, nil),
            (#""prediction":1,"segments":{"country":true,"region":null}"#, "true", nil),
            (#""prediction":1,"segments":{"country":[1],"region":{}}"#, nil, nil),
            (#""prediction":1,"segments":{"country":""}"#, "", nil),
            (#""prediction":1,"segments":{"c\u006funtry":"\u0042R","other":"x"}"#, "BR", nil),
            (#""prediction":1,"segments":null"#, nil, nil), (#""features":{"country":null,"region":1e0}"#, nil, "1"),
        ] as [(String, String?, String?)])
    func `segments come from segments, else from the features`(members: String, country: String?, region: String?) {
        let seen = Self.decode(EventFixture.event(members))
        #expect(seen.rejections.isEmpty)
        #expect(seen.segment(0) == country && seen.segment(1) == region)
    }

    @Test func `past a thousand values a dimension overflows into one`() {
        var seen = EventFixture()
        for i in 0..<1_005 { seen.decode(EventFixture.event(#""prediction":1,"segments":{"region":"r\#(i)"}"#)) }
        #expect(seen.segment(1) == "(other)")
        let numbers = seen.segmentNumbers(1)
        #expect(Set(numbers).count == 1_001 && Set(numbers.suffix(5)).count == 1)
        seen.decode(EventFixture.event(#""prediction":1,"segments":{"region":"r7"}"#))
        #expect(seen.segment(1) == "r7", "values known before stay themselves")
    }

    @Test func `a name may hold what JSON must escape, and has one number however often it comes`() {
        let schema = ModelSchema(
            model: "m",
            columns: [
                .init(name: #"a"b\c"#, kind: .numeric), .init(name: #"longer "quoted" name"#, kind: .numeric),
                .init(name: "c", kind: .categorical(codes: ["\"": 0, "\n": 1], unseen: 3)),
            ], dimensions: ["s"], knownValues: [[#"x"y"#]])
        for isFast in [true, false] {
            var decoder = EventDecoder([schema], isFast: isFast)
            for value in [#"x\"y"#, #"new\"er"#, #"new\"er"#] {
                let line =
                    #"{"model":"m","ts":0,"features":{"a\"b\\c":1,"longer \"quoted\" name":2,"c":"\n"},"#
                    + #""segments":{"s":"\#(value)"}}"#
                Array(line.utf8).withUnsafeBytes {
                    decoder.decode($0, defaults: TopicDefaults(), now: nil) { Issue.record("\($0.detail)") }
                }
            }
            let batch = decoder.batches[0]
            #expect((0..<3).map { batch.segments[$0] } == [0, 1, 1])
            #expect(batch.numbers[0] == 1 && batch.numbers[1] == 2 && batch.codes[0] == 1)
            #expect(decoder.unknownKeys == 0)
        }
    }

    @Test func `a batch can be emptied and filled again`() {
        var seen = Self.decode(Self.full)
        seen.decoder.removeAll(model: 0)
        #expect(seen.batch.count == 0)
        seen.decode(Self.full)
        #expect(seen.batch.count == 1 && seen.last("amount") == .number(12.5))
    }
}
