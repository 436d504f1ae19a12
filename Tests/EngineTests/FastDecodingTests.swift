import Events
import Foundation
import TestSupport
import Testing
import Values

/// Which events are read in one pass, and that nobody can tell.
struct FastDecodingTests {
    private static let features =
        #""features":{"amount":12.5,"age":41,"a_rather_long_feature_name":0.1234567890123,"country":"BR","merchant":"grocery"}"#
    private static let event =
        #"{"type":"prediction","model":"fraud","version":"14","id":"9f3c","ts":"2026-03-01T12:00:00.250Z","#
        + features + #","prediction":{"score":0.83},"segments":{"country":"BR","region":"a region known before"}}"#

    /// How many of the messages were read in one pass, once an event has shown the names.
    private static func fast(_ messages: [String], after first: String = event) -> (read: Int, difference: String?) {
        var pair = DecoderPair(EventGenerator.schemas)
        _ = pair.decode(Array(first.utf8), defaults: TopicDefaults(version: "14"), now: nil)
        var read = 0
        for message in messages {
            if let found = pair.decode(Array(message.utf8), defaults: TopicDefaults(version: "14"), now: nil) {
                return (read, "\(message): \(found)")
            }
            read += Int(pair.lastFastEvents)
        }
        return (read, nil)
    }

    @Test(arguments: [
        event, event.replacing(":", with: ": ").replacing("12: 00: 00", with: "12:00:00").replacing(",", with: ", "),
        event.replacing("{", with: "{\r\n\t").replacing(",", with: " ,\r\n\t").replacing("}", with: " }"),
        event.replacing("12.5", with: "null").replacing("\"BR\"", with: "null"),
        event.replacing("\"age\":41,", with: ""), event.replacing("41", with: "-4.1e-05"),
        event.replacing("12.5", with: "0.30000000000000004"), event.replacing("12.5", with: "true"),
        event.replacing("\"age\"", with: "\"new\":{\"a\":[1,\"}\"]},\"age\""),
        event.replacing("age", with: "\\u0061ge"),
        event.replacing("grocery", with: "caf\\u00e9"), event.replacing("grocery", with: "café"),
        event.replacing("2026-03-01T12:00:00.250Z", with: "2026-03-01T12:00:00+00:00"),
        event.replacing("2026-03-01T12:00:00.250Z", with: "2019-12-31T23:00:00.123456789-05:30"),
        event.replacing("\"2026-03-01T12:00:00.250Z\"", with: "1772366400.25"),
        event.replacing("\"version\":\"14\",", with: ""), event.replacing("\"type\":\"prediction\",", with: ""),
        event.replacing("{\"score\":0.83}", with: "0.83"), event.replacing("\"score\"", with: "\"value\""),
        event.replacing("prediction\":{\"score\":0.83}", with: "trace\":[1]"),
        event.replacing(features, with: "\"label\":1"),
        event.replacing("\"type\":\"prediction\"", with: "\"type\":\"features\""),
        #"{"ts":0,"model":"fraud","id":"1","label":"1"}"#,
        #"{"segments":{"region":null},"prediction":1,"features":{"country":"BR"},"ts":1,"version":"14","model":"fraud"}"#,
        event + "\n", event + "\n" + event, "[" + event + ", " + event + "]",
    ])
    func `the usual forms are read in one pass`(message: String) {
        let events = message.components(separatedBy: "\"ts\"").count - 1
        let seen = Self.fast([message, message, message])
        #expect(seen.difference == nil && seen.read == 3 * events)
    }

    @Test func `several models in one topic are read in one pass, wherever their name stands`() {
        let pets = #"{"ts":0,"version":"14","features":{"weight":3.5},"prediction":{"label":"cat"},"model":"pets"}"#
        let seen = Self.fast(["\(pets)", "\(Self.event)", "\(pets)", "\(Self.event)"], after: Self.event + "\n" + pets)
        #expect(seen.difference == nil && seen.read == 4)
    }

    @Test func `a first sight of a name is left to the general way, once`() {
        let other = Self.event.replacing("a region known before", with: "never seen")
        let seen = Self.fast([other, other, Self.event.replacing("\"14\"", with: "\"15\""), Self.event])
        #expect(seen.difference == nil && seen.read == 2)
    }

    @Test func `what cannot be used is refused alike`() {
        let seen = Self.fast([
            Self.event + "x", Self.event + "}", String(Self.event.dropLast()),
            Self.event.replacing("0.83", with: "00.83"),
            Self.event.replacing("12.5", with: "12.5.5"), Self.event.replacing("12.5", with: "12.e5"),
            Self.event.replacing("grocery", with: "gro\u{1}cery"), Self.event.replacing("\"ts\"", with: "\"model\""),
            Self.event.replacing("12:00", with: "24:00"), Self.event.replacing("fraud", with: "frau"),
            Self.event.replacing("\"14\"", with: "true"), Self.event.replacing("41,", with: "41,,"),
            "[" + Self.event + "," + Self.event, "[" + Self.event + ",]", "[" + Self.event + "]]", "[ ]",
            "[" + Self.event,
            Self.event.replacing("BR", with: "\0\0\0\0\0\0\0\0"), String(repeating: "\0", count: 300), "{", "{}",
            "{" + String(repeating: "\0", count: 300),
        ])
        #expect(seen.difference == nil && seen.read == 0)
    }

    @Test func `every cut of an event is refused alike, and nothing behind it is read`() {
        let text = Array(Self.event.utf8)
        var pair = DecoderPair(EventGenerator.schemas)
        for length in 0...text.count {
            #expect(pair.decode(Array(text.prefix(length)), defaults: TopicDefaults(), now: nil) == nil)
        }
        #expect(pair.rows == 1)
    }

    @Test func `doubles in full precision come back as they were`() {
        var random = SeededGenerator(seed: 17)
        var decoder = EventDecoder(EventGenerator.schemas)
        var wrong: [Double] = []
        for _ in 0..<50_000 {
            let value =
                Bool.random(using: &random) ? Double(bitPattern: random.next()) : .random(in: -10...10, using: &random)
            guard value.isFinite else { continue }
            Array("{\"model\":\"fraud\",\"ts\":0,\"features\":{\"amount\":\(value)}}".utf8).withUnsafeBytes {
                decoder.decode($0, defaults: TopicDefaults(), now: nil) { _ in wrong.append(value) }
            }
            if decoder.batches[0].numbers[0] != value { wrong.append(value) }
            decoder.removeAll(model: 0)
        }
        #expect(wrong.isEmpty, "seed \(random.seed)")
    }

    @Test func `a dimension has a thousand values beyond the known, and rows past them are counted`() {
        let known = (0..<1_500).map { "known \($0)" }
        let schema = ModelSchema(
            model: "m", columns: [.init(name: "prediction", kind: .numeric)], dimensions: ["a", "b"],
            knownValues: [known, []])
        var pair = DecoderPair([schema])
        var overflow: [[UInt64]] = [[0, 0]]
        func message(_ a: String) -> [UInt8] {
            Array(#"{"model":"m","ts":0,"prediction":1,"segments":{"a":"\#(a)","b":"same"}}"#.utf8)
        }
        for i in 0..<1_010 {
            #expect(pair.decode(message("new \(i)"), defaults: TopicDefaults(), now: nil) == nil)
            overflow = [zip(overflow[0], pair.lastOverflow[0]).map { $0 + $1 }]
        }
        for value in known + ["new 7"] {
            #expect(pair.decode(message(value), defaults: TopicDefaults(), now: nil) == nil)
        }
        #expect(overflow == [[10, 0]] && pair.lastOverflow == [[0, 0]])
        #expect(pair.fast.segmentValue(model: 0, dimension: 0, 2_500) == "(other)")
    }

    @Test func `an array that breaks off takes back what it counted`() {
        var pair = DecoderPair(EventGenerator.schemas)
        _ = pair.decode(Array(Self.event.utf8), defaults: TopicDefaults(), now: nil)
        let broken = "[\(Self.event),\(Self.event.replacing("\"age\"", with: "\"unheard of\"")),{]"
        #expect(pair.decode(Array(broken.utf8), defaults: TopicDefaults(), now: nil) == nil)
        #expect(pair.refused == 1 && pair.rows == 1 && pair.lastFastEvents == 0)
    }
}
