import Events
import Foundation
import Sketches
import TestSupport
import Testing
import Values
import Windows

/// Fields that no column of the model is: counted by name, type and segment, whichever way the event is read.
struct UnlistedFieldTests {
    private static let start = Fixture.time("2026-03-01T00:00:00Z")

    private static func event(_ minute: Int, _ features: String, country: String = "BR") -> String {
        let time = start + .minutes(Int64(minute))
        return #"{"model":"m","version":"1","ts":"\#(time.rfc3339)","prediction":0.25,"#
            + #""features":{"amount":5,"country":"\#(country)"\#(features)},"segments":{"device":"web"}}"#
    }

    /// What the panes hold for a segment after some messages.
    private static func counts(_ messages: [String], _ segment: Segment = .all, isFast: Bool = true) -> FieldCounts {
        var worker = WindowFixture.Worker(WindowFixture.settings(lateness: "1d"))
        worker.decoder = EventDecoder([WindowFixture.schema()], isFast: isFast)
        for message in messages {
            Array(message.utf8).withUnsafeBytes {
                worker.decoder.decode($0, defaults: TopicDefaults(), now: nil) { _ in }
            }
        }
        let delta = worker.delta([])
        var sum = FieldCounts()
        for pane in delta.panes.values {
            for (key, profile) in pane where key.segment == segment { sum.merge(profile.fields) }
        }
        return sum
    }

    private static func shown(_ counts: FieldCounts) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: counts.fields.map {
                ($0.name, "\($0.rows) \(JSONKind.names($0.kinds).joined(separator: ","))")
            })
    }

    @Test(arguments: [true, false])
    func `each name is counted with its types, for all traffic and for its segments`(isFast: Bool) {
        let messages = (0..<50).map { i in
            let extra = i % 5 == 0 ? #","coupon":"S\#(i)","a\"b":{"x":[1]}"# : i % 5 == 1 ? #","coupon":\#(i)"# : ""
            return Self.event(i % 10, extra, country: i % 2 == 0 ? "BR" : "US")
        }
        #expect(
            Self.shown(Self.counts(messages, isFast: isFast)) == [
                "coupon": "20 string,number", #"a"b"#: "10 object",
            ])
        let br = Segment([.init("country", "BR")])
        #expect(Self.shown(Self.counts(messages, br, isFast: isFast))["coupon"] == "10 string,number")
    }

    @Test func `an event that does not count leaves no field behind`() {
        let good = Self.event(1, #","coupon":1"#)
        let late = #"{"model":"m","version":"1","features":{"amount":5,"coupon":1}}"#
        let array = "[\(good),\(good)"
        #expect(Self.shown(Self.counts([good, late, array, Self.event(2, ""), late])) == ["coupon": "1 number"])
        #expect(Self.counts([good, "[\(good),\(good)]", good]).fields.map(\.rows) == [4])
    }

    @Test func `a hostile stream of names stays bounded, and the rest is added up`() {
        let messages = (0..<3_000).map { Self.event($0 % 10, #","f\#($0)":1"#) }
        let counts = Self.counts(messages)
        #expect(counts.fields.count == FieldCounts.maximumNames + 1)
        #expect(counts.fields.last?.name == FieldCounts.otherName)
        #expect(counts.fields.reduce(0) { $0 + $1.rows } == 3_000)
    }

    @Test func `counts merge in any order to the same, also past their limit`() {
        var random = SeededGenerator(seed: 31)
        let parts = (0..<20).map { part -> FieldCounts in
            var counts = FieldCounts()
            for i in 0..<10 { counts.add("f\(part * 7 + i)", rows: UInt64(i + 1), kinds: 1 << UInt8(i % 6)) }
            return counts
        }
        func sum(_ parts: [FieldCounts]) -> FieldCounts {
            parts.reduce(into: FieldCounts()) { $0.merge($1) }
        }
        let whole = sum(parts)
        for _ in 0..<20 {
            let shuffled = parts.shuffled(using: &random)
            var halves = sum(Array(shuffled.prefix(9)))
            halves.merge(sum(Array(shuffled.dropFirst(9))))
            #expect(halves == whole, "seed \(random.seed)")
        }
    }

    @Test func `stored counts come back with their fields, and damaged ones throw`() throws {
        var profile = Profile(WindowFixture.layout)
        profile.rows = 3
        profile.fields.add("coupon", rows: 2, kinds: JSONKind.string.bit)
        let stored = PackedProfile(profile).stored
        #expect(
            try PackedProfile(checking: stored, layout: WindowFixture.layout).profile(WindowFixture.layout) == profile)
        for end in 0..<stored.count {
            #expect(throws: CodecError.self) {
                try PackedProfile(checking: Array(stored[..<end]), layout: WindowFixture.layout)
            }
        }
    }
}
