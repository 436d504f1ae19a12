import Events
import Sketches
import TestSupport
import Testing
import Values
import Windows

/// Learning a reference from rows, ordinary and odd.
struct ReferenceBuilderTests {
    static func table(_ lines: some Sequence<String>) throws -> DataTable {
        var builder = DataTable.RowBuilder(DataTable())
        for line in lines {
            let problem = Array(line.utf8).withUnsafeBytes { builder.add(json: $0) }
            try #require(problem == nil, "\(line)")
        }
        return builder.finish()
    }

    /// A few hundred rows of every kind of column.
    static func ordinary(_ count: Int = 400) throws -> DataTable {
        var random = SeededGenerator(seed: 701)
        return try table(
            (0..<count).map { i in
                let amount = i % 50 == 0 ? "null" : (Double.random(in: 0...100, using: &random)).description
                let country = ["BR", "US", "São Paulo"].randomElement(using: &random) ?? "BR"
                return #"{"model":"fraud","version":"14","ts":\#(1_772_366_400 + i),"#
                    + #""prediction":{"score":\#(Double(i % 10) / 10)},"segments":{"device":"d\#(i % 3)"},"#
                    + #""features":{"amount":\#(amount),"country":"\#(country)","flag":\#(i % 3 == 0)}}"#
            })
    }

    static func build(
        _ table: DataTable, _ change: (inout ReferenceBuilder.Options) -> Void = { _ in }
    ) throws -> (reference: Reference, notes: [String]) {
        var options = ReferenceBuilder.Options()
        change(&options)
        var builder = ReferenceBuilder(table, options)
        let reference = try builder.build()
        return (reference, builder.notes)
    }

    @Test func `an ordinary table gives columns, segments and a period`() throws {
        let (reference, notes) = try Self.build(Self.ordinary()) {
            $0.segmentations = [["device"], ["country", "device"]]
        }
        #expect(notes.isEmpty)
        #expect(reference.model == "fraud" && reference.version == "14")
        #expect(reference.layout.columns.map(\.name) == ["amount", "country", "flag", "prediction"])
        #expect(reference.layout.columns.map(\.bins.kindName) == ["numeric", "categorical", "categorical", "numeric"])
        #expect(reference.period?.start == Timestamp(microseconds: 1_772_366_400_000_000))
        #expect(reference.period?.end == Timestamp(microseconds: 1_772_366_799_000_000))
        #expect(reference.groups.count == 1 + 3 + 9)
        #expect(
            reference.all.profile.rows == 400 && reference.all.profile.column(reference.layout.columns[0]).null == 8)
        for dimensions in [["device"], ["country", "device"]] {
            let groups = reference.groups.filter { $0.segment.dimensions == dimensions }
            #expect(groups.reduce(0) { $0 + $1.profile.rows } == 400)
        }
        let small = Segment([.init("country", "BR"), .init("device", "d9")])
        #expect(reference.comparisonGroup(for: small).segment.isAll)
    }

    @Test func `what events say live and what the reference counted agree`() throws {
        let table = try Self.ordinary()
        let reference = try Self.build(table).reference
        let columns = reference.layout.columns
        var decoder = EventDecoder([
            ModelSchema(
                model: "fraud",
                columns: columns.map { column in
                    switch column.bins {
                    case .numeric: .init(name: column.name, kind: .numeric)
                    case .categorical(let bins):
                        .init(name: column.name, kind: .categorical(codes: bins.dictionary, unseen: bins.unseen))
                    }
                }, dimensions: ["device"])
        ])
        var random = SeededGenerator(seed: 701)
        for i in 0..<400 {
            let amount = i % 50 == 0 ? "null" : (Double.random(in: 0...100, using: &random)).description
            let country = ["BR", "US", "São Paulo"].randomElement(using: &random) ?? "BR"
            let line =
                #"{"model":"fraud","ts":\#(i),"prediction":\#(Double(i % 10) / 10),"segments":{"device":"d\#(i % 3)"},"#
                + #""features":{"amount":\#(amount),"country":"\#(country)","flag":\#(i % 3 == 0)}}"#
            Array(line.utf8).withUnsafeBytes {
                decoder.decode($0, defaults: TopicDefaults(), now: nil) { Issue.record("\($0.detail)") }
            }
        }
        let settings = WindowFixture.settings(pane: "1h", lateness: "1h")
        var accumulator = Accumulator(
            plans: GroupPlans(reference.layout), settings: settings, dimensions: ["device"], segmentations: [["device"]]
        )
        accumulator.add(decoder.batches[0], names: decoder, model: 0, sources: ["file"])
        let delta = accumulator.take(names: decoder, model: 0)
        let counts = try #require(delta.panes[Timestamp(microseconds: 0)])
        for group in reference.groups {
            let live = try #require(counts[GroupKey(version: "", segment: group.segment)])
            #expect(live.profile(reference.layout) == group.profile, "\(group.segment)")
        }
    }

    @Test func `a category in two spellings is one, live too`() throws {
        let reference = try Self.build(
            Self.table([#"{"model":"m","features":{"c":"café"}}"#, #"{"model":"m","features":{"c":"cafe\u0301"}}"#])
        ).reference
        guard case .categorical(let bins) = reference.layout.columns[0].bins else { preconditionFailure("text") }
        #expect(bins.categories.count == 1 && reference.all.profile.counts[0] == 2)
    }

    @Test(arguments: [
        ([], "no rows: a reference needs at least one"),
        ([#"{"x":1}"#], "the rows do not name their model: give --model NAME"),
        ([#"{"model":"a","x":1}"#, #"{"model":"b","x":1}"#], "the rows are of several models (a, b)"),
        ([#"{"model":"a"}"#], "no usable column in 1 rows"),
        ([#"{"model":"a","x":null}"#], "no usable column in 1 rows"),
        (
            [#"{"model":"a","features":{"x":[1]}}"#, #"{"model":"a","features":{"x":{}}}"#],
            "no usable column in 2 rows"
        ),
    ])
    func `rows that make no reference are refused with the way out`(lines: [String], message: String) throws {
        let table = try Self.table(lines)
        do {
            _ = try Self.build(table)
            Issue.record("a reference was made of \(lines)")
        } catch let error as ReferenceBuilder.Failure {
            #expect(error.description.hasPrefix(message), "\(error.description)")
        }
    }

    @Test func `an unknown dimension, another model and unknown columns are named`() throws {
        let table = try Self.ordinary(10)
        #expect(throws: ReferenceBuilder.Failure.self) { try Self.build(table) { $0.segmentations = [["browser"]] } }
        #expect(throws: ReferenceBuilder.Failure.self) { try Self.build(table) { $0.model = "pets" } }
        let notes = try Self.build(table) { $0.columns = ["colour": .ignore, "flag": .ignore] }.notes
        #expect(notes == ["columns names 'colour', which no row has"])
    }

    @Test func `odd columns are left out or read as they look`() throws {
        var lines: [String] = []
        for i in 0..<300 {
            let mixed = i % 150 == 0 ? "\"x\"" : "\(i)"
            let wild = i == 0 ? "1e308" : "-1e308"
            let code = i % 2 == 0 ? "1.0" : "\"1\""
            lines.append(
                #"{"model":"m","features":{"empty":null,"same":7,"mixed":\#(mixed),"nan":"NaN","wild":\#(wild),"#
                    + #""code":\#(code)}}"#)
        }
        let (reference, notes) = try Self.build(Self.table(lines)) { $0.columns = ["code": .categorical] }
        #expect(reference.layout.columns.map(\.name) == ["same", "mixed", "wild", "code"])
        #expect(notes.count == 2 && notes.allSatisfy { $0.contains("'empty'") || $0.contains("'nan'") }, "\(notes)")
        let profile = reference.all.profile
        #expect(profile.column(reference.layout.columns[1]).wrongType == 2)
        guard case .categorical(let bins) = reference.layout.columns[3].bins else { preconditionFailure("text") }
        #expect(bins.categories == ["1"], "1.0 and \"1\" are one category")
    }

    @Test func `a feature cannot take the prediction's name`() throws {
        let (reference, notes) = try Self.build(
            Self.table([#"{"model":"m","features":{"prediction":"x","a":1},"prediction":0.5}"#]))
        #expect(reference.layout.columns.map(\.name) == ["a", "prediction"])
        #expect(reference.layout.columns[1].bins.isNumeric && notes.count == 1)
        #expect(throws: Never.self) { try ReferenceFile.decode(ReferenceFile.encode(reference)) }
    }

    @Test func `a text that is another in nearly every row is an identifier, unless it is asked for`() throws {
        let lines = (0..<600).map {
            #"{"model":"m","features":{"customer":"c\#($0)","city":"t\#($0 % 280)","few":"f\#($0 % 3)"}}"#
        }
        let (reference, notes) = try Self.build(Self.table(lines))
        #expect(reference.layout.columns.map(\.name) == ["city", "few"])
        #expect(
            notes == [
                "column 'customer' has 600 different texts in 600 rows, so it looks like an identifier and is left out "
                    + "(`columns: {customer: categorical}` keeps it)"
            ])
        let (asked, none) = try Self.build(Self.table(lines)) { $0.columns = ["customer": .categorical] }
        #expect(asked.layout.columns.map(\.name) == ["customer", "city", "few"] && none.isEmpty)
    }

    @Test func `identifiers are left out, rare categories share a bin`() throws {
        let lines = (0..<10_100).map {
            #"{"model":"m","id":"\#($0)","features":{"key":"k\#($0)","kind":"c\#($0 % 300)"}}"#
        }
        let (reference, notes) = try Self.build(Self.table(lines))
        #expect(reference.layout.columns.map(\.name) == ["kind"])
        #expect(notes.count == 1 && notes.first?.contains("looks like an identifier") == true)
        guard case .categorical(let bins) = reference.layout.columns[0].bins else { preconditionFailure("text") }
        #expect(bins.categories.count == 250 && bins.rare.count == 50)
    }
}
