import Events
import Foundation
import Sketches
import Statistics
import TestSupport
import Testing
import Values
import Windows

/// The reference as a file, and snapshots as lines.
struct ReferenceFileTests {
    private static func reference(_ table: DataTable) throws -> Reference {
        var builder = ReferenceBuilder(table, ReferenceBuilder.Options())
        return try builder.build()
    }

    private static func text() throws -> String {
        String(decoding: ReferenceFile.encode(try reference(ReferenceBuilderTests.ordinary())), as: UTF8.self)
    }

    @Test func `a reference survives its file byte for byte`() throws {
        let odd = try ReferenceBuilderTests.table([
            #"{"model":"a \"b\"","version":"é","features":{"x":1e308,"y":5e-324,"z":"a\nb","{}":true}}"#,
            #"{"model":"a \"b\"","features":{"x":-1e308,"y":0,"z":null}}"#,
        ])
        for table in [try ReferenceBuilderTests.ordinary(), try ReferenceBuilderTests.ordinary(1), odd] {
            let reference = try Self.reference(table)
            let bytes = ReferenceFile.encode(reference)
            let back = try ReferenceFile.decode(bytes)
            #expect(ReferenceFile.encode(back) == bytes)
            #expect(back.layout == reference.layout && back.segmentations == reference.segmentations)
            #expect(
                back.model == reference.model && back.version == reference.version && back.period == reference.period)
            for (a, b) in zip(back.groups, reference.groups) {
                #expect(a.segment == b.segment && a.profile == b.profile && a.cuts == b.cuts)
            }
        }
    }

    /// Edits a person or an accident may make, and the words that say where.
    @Test(arguments: [
        (#""format": "holdfast-reference/1""#, #""format": "holdfast-reference/9""#, "not a reference file of format"),
        ("{\n", "[\n", "not JSON"), (#""model": "fraud","#, "", "model or bins"),
        (#""bins": 10"#, #""bins": 1"#, "model or bins"),
        (#""bins": 10"#, #""bins": 1e999"#, "model or bins"),
        (#""kind":"numeric""#, #""kind":"ordinal""#, "kind must be"),
        (#""name":"country""#, #""name":"amount""#, "stands twice"),
        (#""edges":["#, #""edges":[9e99,"#, "edges must ascend"),
        (#""edges":["#, #""edges":[-1e999,"#, "edges must ascend"),
        (#""exponent":"#, #""exponent":99"#, "edges must ascend"),
        (#""exponent":"#, #""exponent":-9223372036854775808,"x":"#, "edges must ascend"),
        (#""edges":["#, #""edges":[null,"#, "edges must ascend"),
        (#""categories":["#, #""categories":["US","#, "a category stands twice"),
        (#""categories":["#, #""categories":["XX","#, "counts must be"),
        (#""categories":["#, #""categories":[5,"#, "categories must be texts"),
        (#""segment": {}"#, #""segment": {"device":"d9"}"#, "groups must begin"),
        (#""rows": 400, "columns""#, #""rows": -1, "columns""#, "rows is missing"),
        (#""rows": 400, "columns""#, #""rows": 40, "columns""#, "more values than rows"),
        (#""segment": {"device":"d0"}"#, #""segment": {"device":0}"#, "segment must hold texts"),
        (#""segment": {"device":"d1"}"#, #""segment": {"device":"d0"}"#, "stands twice"),
        (#""null":8"#, #""null":-8"#, "null is negative"), (#""counts":""#, #""counts":"1 "#, "counts must be"),
        (#""counts":""#, #""counts":"x "#, "counts must be"),
        (#""counts":""#, #""counts":"1x99999999999 "#, "counts must be"),
        (#""counts":"0"#, #""counts":"18446744073709551615"#, "more values than rows"),
        (#""cuts":["#, #""cuts":[-7.125,"#, "a cut is not one"),
        (#""min":"#, #""min":1e9,"was":"#, "moments cannot be read"),
        (#""max":"#, #""max":1e999,"was":"#, "moments cannot be read"),
        (#""sum":""#, #""sum":"z"#, "moments cannot be read"),
        (#""squares":""#, #""squares":"-"#, "moments cannot be read"),
    ])
    func `a hostile edit is refused with its place`(part: String, edit: String, message: String) throws {
        let text = try Self.text()
        let range = try #require(text.range(of: part), "the file has no \(part)")
        let edited = text.replacingCharacters(in: range, with: edit)
        do throws(ReferenceFile.Failure) {
            _ = try ReferenceFile.decode(Array(edited.utf8))
            Issue.record("\(part) → \(edit) was read")
        } catch {
            #expect(error.description.contains(message), "\(error.description)")
        }
    }

    @Test func `a damaged file is refused or can be used, and never traps`() throws {
        var random = SeededGenerator(seed: 801)
        let source = ReferenceFile.encode(try Self.reference(ReferenceBuilderTests.ordinary(40)))
        let spice = Array(#"0123456789-+eE.x"{}[],: "#.utf8)
        for _ in 0..<600 {
            var bytes = source
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[at] = spice.randomElement(using: &random) ?? 0
                } else {
                    bytes.insert(spice.randomElement(using: &random) ?? 0, at: at)
                }
            }
            guard let reference = try? ReferenceFile.decode(bytes) else { continue }
            _ = ReferenceFile.encode(reference)
            let plans = GroupPlans(reference)
            let builder = SnapshotBuilder(reference: reference, plans: plans, smoothing: .jeffreys)
            let window = TimeRange(start: Timestamp(microseconds: 0), end: Timestamp(microseconds: 1))
            let all = plans.counted(reference.all.profile, as: .all)
            let counts: WindowCounts = [GroupKey(version: "1", segment: .all): all]
            _ = builder.snapshot(model: "m", window: window, revision: 1, counts: counts)
        }
    }

    @Test func `every snapshot line is JSON without NaN, from empty windows and wild values too`() throws {
        let table = try ReferenceBuilderTests.table(
            (0..<60).map { i in
                #"{"model":"m","features":{"x":\#(i % 2 == 0 ? "1e308" : "-1e308"),"c":"a\"\#(i % 2)","k":3},"#
                    + #""prediction":0.5,"segments":{"s":"\#(i % 2)\n"}}"#
            })
        let reference = try Self.reference(table)
        let plans = GroupPlans(reference)
        let builder = SnapshotBuilder(reference: reference, plans: plans, smoothing: .none)
        let window = TimeRange(start: Fixture.time("2026-03-01T00:00:00Z"), end: Fixture.time("2026-03-01T01:00:00Z"))
        var one = Profile(reference.layout)
        one.rows = 1
        one.counts[reference.layout.columns[0].bins.count - 1] = 1
        one.moments[0].add(.greatestFiniteMagnitude, scale: 1)
        let segment = Segment([.init("s", "new")])
        for counts: WindowCounts in [
            [:], [GroupKey(version: "1", segment: .all): plans.counted(reference.all.profile, as: .all)],
            [GroupKey(version: "1", segment: .all): one, GroupKey(version: "2", segment: segment): one],
            [GroupKey(version: "1", segment: .all): Profile(reference.layout)],
        ] {
            let snapshot = builder.snapshot(model: "m", window: window, revision: 2, counts: counts)
            var bytes = [UInt8]()
            snapshot.writeLines(into: &bytes)
            let lines = bytes.split(separator: 0x0a)
            #expect(lines.count == snapshot.rows.count && bytes.last == 0x0a && !lines.isEmpty)
            for line in lines {
                let json = try JSON(parsing: line)
                #expect(json["window"]?["start"]?.stringValue == "2026-03-01T00:00:00Z" && json["revision"] == 2)
                #expect(json["metrics"]?.objectValue?.allSatisfy { $0.value.numberValue?.isFinite == true } == true)
                #expect(json["n"]?.integerValue != nil && json["segment"]?.objectValue != nil)
            }
        }
    }

    @Test func `a reference against itself is no distance at all`() throws {
        let reference = try Self.reference(ReferenceBuilderTests.ordinary())
        let plans = GroupPlans(reference)
        let counts = Dictionary(
            uniqueKeysWithValues: reference.groups.map { group in
                let key = GroupKey(version: "14", segment: group.segment)
                return (key, plans.counted(group.profile, as: group.segment))
            })
        let window = TimeRange(start: Timestamp(microseconds: 0), end: Timestamp(microseconds: 1))
        let snapshot = SnapshotBuilder(reference: reference, plans: plans, smoothing: .jeffreys)
            .snapshot(model: "fraud", window: window, revision: 1, counts: counts)
        #expect(snapshot.versions == ["14"] && snapshot.rows.count == 2 * 4 * 4)
        for row in snapshot.rows {
            #expect(
                row.metrics[.psi] == 0 && row.metrics[.ks] ?? 0 == 0 && row.metrics[.js_distance] == 0,
                "\(row.segment) \(row.column)")
            #expect(row.metrics[.wasserstein] ?? 0 == 0 && row.n == row.referenceN)
        }
    }
}
