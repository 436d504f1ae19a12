import Detection
import Events
import Foundation
import Sketches
import TestSupport
import Testing
import Values
import Windows

struct WobbleTests {
    private static let monday = Timestamp(microseconds: 1_772_409_600_000_000)  // 2026-03-02T00:00:00Z

    /// Forty days of rows whose `amount` has a mean of its own each day, `sd` apart; in some hours `level` is null.
    private static func table(sd: Double, nullHours: Double = 0, days: Int = 40, hours: Int = 24) throws -> DataTable {
        var random = SeededGenerator(seed: 11)
        var lines: [String] = []
        for day in 0..<days {
            let mean = sd * normal(&random)
            for hour in 0..<hours {
                let isDown = Double.random(in: 0..<1, using: &random) < nullHours
                for row in 0..<(120 / hours) {
                    let time = monday + .hours(Int64(day * 24 + hour)) + .seconds(Int64(row))
                    let amount = mean + normal(&random)
                    let level = isDown ? "null" : "\(normal(&random))"
                    lines.append(
                        #"{"model":"m","ts":"\#(time.rfc3339)","features":{"amount":\#(amount),"level":\#(level)}}"#)
                }
            }
        }
        return try ReferenceBuilderTests.table(lines)
    }

    private static func normal(_ random: inout SeededGenerator) -> Double {
        let radius = (-2 * log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random))).squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
    }

    @Test func `rows drawn one by one wobble by exactly nothing`() throws {
        let (reference, _) = try ReferenceBuilderTests.build(Self.table(sd: 0))
        for column in reference.layout.columns.indices {
            let wobble = reference.wobble(.all, column: column, window: .days(1))
            #expect(wobble.shift == 0 && wobble.null == 0 && wobble.novelty.wobble == 0)
        }
    }

    @Test func `days that differ are measured, and an hour knows of its day`() throws {
        let (reference, _) = try ReferenceBuilderTests.build(Self.table(sd: 0.3))
        let amount = try #require(reference.layout.columns.firstIndex { $0.name == "amount" })
        let level = try #require(reference.layout.columns.firstIndex { $0.name == "level" })
        let day = reference.wobble(.all, column: amount, window: .days(1)).shift
        // Two normals a mean of d apart have J = d²; of ten bins' nine degrees each has a ninth: 0.09/9.
        #expect(day > 0.005 && day < 0.02, "\(day)")
        #expect(reference.wobble(.all, column: amount, window: .hours(1)).shift >= 20 * day)
        #expect(reference.wobble(.all, column: level, window: .days(1)).shift == 0)
    }

    @Test func `a source that is down for hours is a rate that wobbles`() throws {
        let (reference, _) = try ReferenceBuilderTests.build(Self.table(sd: 0, nullHours: 0.05))
        let level = try #require(reference.layout.columns.firstIndex { $0.name == "level" })
        // All rows of an hour or none: 24 hours of a day leave 1/24 of it.
        let null = reference.wobble(.all, column: level, window: .days(1)).null
        #expect(null > 0.02 && null < 0.09, "\(null)")
    }

    /// Days of 24 rows; a sensor is read every so many of them.
    private static func standing(rowsPerReading: Int, days: Int = 40) throws -> Double {
        var random = SeededGenerator(seed: 17)
        var lines: [String] = []
        var reading = 0
        for day in 0..<days {
            for hour in 0..<24 {
                if hour % rowsPerReading == 0 { reading = Int.random(in: 0..<100, using: &random) }
                let time = monday + .days(Int64(day)) + .hours(Int64(hour))
                lines.append(#"{"model":"m","ts":"\#(time.rfc3339)","features":{"pressure":\#(reading)}}"#)
            }
        }
        let (reference, _) = try ReferenceBuilderTests.build(ReferenceBuilderTests.table(lines))
        return reference.wobble(.all, column: 0, window: .days(1)).standing
    }

    @Test func `rows of one reading stand at one value, rows drawn one by one do not`() throws {
        #expect(try Self.standing(rowsPerReading: 1) == 0)
        // Two of 24 rows are of the same of four readings with chance 5/23.
        let few = try Self.standing(rowsPerReading: 6)
        #expect(abs(few - 5.0 / 23) < 0.03, "\(few)")
        #expect(try Self.standing(rowsPerReading: 24) == 0.9, "all rows of a day")
    }

    @Test func `what was new when it came is known to come, though it stays`() throws {
        func share(openingEvery days: Int?) throws -> Double {
            var lines: [String] = []
            for day in 0..<40 {
                for row in 0..<40 {
                    let time = Self.monday + .days(Int64(day)) + .seconds(Int64(row))
                    // A route that opens takes a fifth of the rows until the next does.
                    let newest = days.map { day / $0 } ?? 0
                    let route = row < 8 ? "new\(newest)" : "r\(row % 7)"
                    lines.append(#"{"model":"m","ts":"\#(time.rfc3339)","features":{"route":"\#(route)"}}"#)
                }
            }
            let (reference, _) = try ReferenceBuilderTests.build(ReferenceBuilderTests.table(lines))
            return reference.wobble(.all, column: 0, window: .days(1)).novelty.share
        }
        #expect(try share(openingEvery: nil) == 0)
        // Four of the later twenty days begin with a route nobody knew.
        let opening = try share(openingEvery: 5)
        #expect(abs(opening - 0.2 * 4 / 20) < 1e-9, "\(opening)")
    }

    @Test func `rows that come in groups are alike, however few there are in a day`() throws {
        func build(size: Int) throws -> Double {
            var random = SeededGenerator(seed: 21)
            var lines: [String] = []
            for day in 0..<120 {
                for group in 0..<(12 / size) {
                    let time = Self.monday + .days(Int64(day)) + .hours(Int64(group))
                    let lead = Double.random(in: 0..<100, using: &random)
                    for _ in 0..<size {
                        lines.append(#"{"model":"m","ts":"\#(time.rfc3339)","features":{"lead":\#(lead)}}"#)
                    }
                }
            }
            let (reference, _) = try ReferenceBuilderTests.build(ReferenceBuilderTests.table(lines))
            return reference.wobble(.all, column: 0, window: .days(1)).shift
        }
        #expect(try build(size: 1) == 0)
        // Of twelve rows in three groups of four, two are of one group with probability 3/11.
        let grouped = try build(size: 4)
        #expect(abs(grouped - 3.0 / 11) < 0.06, "\(grouped)")
    }

    @Test func `too few days, and rows without times, tell nothing`() throws {
        // Five days by themselves say nothing of days.
        let (short, _) = try ReferenceBuilderTests.build(Self.table(sd: 0.5, days: 5, hours: 1))
        #expect(short.wobble(.all, column: 0, window: .days(1)).shift == 0)
        // Their 120 hours do differ, each being of its day. As if each were drawn by itself, a day has a 24th of it, which is the
        // least it can have; that of days themselves (0.25/9 by their means) needs more of them.
        let (hourly, _) = try ReferenceBuilderTests.build(Self.table(sd: 0.5, days: 5))
        let hour = hourly.wobble(.all, column: 0, window: .hours(1)).shift
        #expect(hour > 0)
        #expect(hourly.wobble(.all, column: 0, window: .days(1)).shift == hour / 24)
        let (timeless, _) = try ReferenceBuilderTests.build(
            ReferenceBuilderTests.table((0..<100).map { #"{"model":"m","features":{"amount":\#($0)}}"# }))
        #expect(timeless.all.wobbles.isEmpty)
    }

    @Test func `a wobble survives the file, and nonsense in it is refused with its place`() throws {
        let (reference, _) = try ReferenceBuilderTests.build(Self.table(sd: 0.3, nullHours: 0.05))
        let bytes = ReferenceFile.encode(reference)
        let read = try ReferenceFile.decode(bytes)
        #expect(ReferenceFile.encode(read) == bytes)
        for length in [Span.hours(1), .hours(6), .days(1), .days(7)] {
            for column in reference.layout.columns.indices {
                #expect(
                    read.wobble(.all, column: column, window: length)
                        == reference.wobble(.all, column: column, window: length))
            }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        for (from, to, place) in [
            (#""shift":"#, #""shift":-"#, "shift must be a number of at least 0"),
            (#""wobble":{"1"#, #""wobble":{"x1"#, "is no length of time"),
        ] {
            let broken = text.replacingOccurrences(of: from, with: to)
            try #require(broken != text, "the file has no \(from)")
            #expect {
                try ReferenceFile.decode(Array(broken.utf8))
            } throws: { "\($0)".contains(place) && "\($0)".contains("column '") }
        }
    }

    @Test func `days that differ as they always did raise no alarm, a change beyond them does`() {
        let reference = [Double](repeating: 1_000, count: 10)
        var random = SeededGenerator(seed: 3)
        /// Forty windows whose rows lean to one side or the other; from the 20th on all to one.
        func alarms(wobble: Double, shift: Double) -> [Int] {
            var detector = TargetDetector(watch: .shift(isOrdered: true))
            var opened: [Int] = []
            for i in 0..<40 {
                let lean = 0.12 * Self.normal(&random) + (i >= 20 ? shift : 0)
                let current = (0..<10).map { 40 * exp(lean * (Double($0) - 4.5)) }
                let window = StreamWindow(
                    segment: .all, counts: .init(reference: reference, current: current), wobble: wobble,
                    gate: { $1 > 0.1 })
                let verdict = detector.observe(start: Self.monday + .days(Int64(i)), [window], limit: 13)
                if verdict[0].isNew { opened.append(i) }
            }
            return opened
        }
        #expect(!alarms(wobble: 0, shift: 0).isEmpty, "without knowing of the wobble, days look like changes")
        #expect(alarms(wobble: 0.013, shift: 0).isEmpty)
        let found = alarms(wobble: 0.013, shift: 0.45)
        #expect(found.count == 1 && (20...26).contains(found.first ?? 0), "\(found)")
    }

    @Test func `a rate that wobbles needs more than one bad window`() {
        func e(_ hits: Double, _ correlation: Double) -> Double {
            RateEvidence.logE(count: hits, of: 400, reference: 50, of: 10_000, correlation: correlation)
        }
        #expect(e(40, 0) > 40, "a tenth where there were five in a thousand")
        #expect(e(40, 0.05) < 5)
        #expect(e(400, 0.05) > e(40, 0.05))
        for hits in stride(from: 0.0, through: 400, by: 20) {
            #expect(e(hits, 0.2) <= max(0, e(hits, 0)) + 1e-9, "knowing of a wobble never adds evidence: \(hits)")
        }
    }
}
