import Events
import Sketches
import TestSupport
import Values
import Windows

/// A model with one column of each kind and two dimensions; rows that know what they hold; and the way rows go through
/// decoder, accumulator and windows.
struct WindowFixture {
    static let layout = Layout(columns: [
        ("amount", .numeric(NumericBins(edges: [0, 10, 20, 50]), exponent: 30)),
        ("country", .categorical(CategoryBins(categories: ["BR", "US"]))),
        ("prediction", .numeric(NumericBins(edges: [0.5]), exponent: 40)),
    ])
    static let plans = GroupPlans(layout)
    static let dimensions = ["country", "device"]
    static let segmentations = [["country"], ["device"], ["country", "device"]]

    struct Row {
        var time: Timestamp
        var source: Int
        var version: String
        var amount: Int?
        var country: String?
        var device: String?

        var json: String {
            let country = country.map { "\"\($0)\"" } ?? "null"
            let device = device.map { "\"\($0)\"" } ?? "null"
            return #"{"model":"m","version":"\#(version)","ts":"\#(time.rfc3339)","prediction":0.25,"#
                + #""features":{"amount":\#(amount.map(\.description) ?? "null"),"country":\#(country)},"#
                + #""segments":{"device":\#(device)}}"#
        }

        /// The segments the row counts for.
        var segments: [Segment] {
            [
                .all, country.map { Segment([.init("country", $0)]) }, device.map { Segment([.init("device", $0)]) },
                country.flatMap { c in device.map { Segment([.init("country", c), .init("device", $0)]) } },
            ].compactMap(\.self)
        }
    }

    static func schema() -> ModelSchema {
        ModelSchema(
            model: "m",
            columns: layout.columns.map { column in
                switch column.bins {
                case .numeric: .init(name: column.name, kind: .numeric)
                case .categorical(let bins):
                    .init(name: column.name, kind: .categorical(codes: bins.dictionary, unseen: bins.unseen))
                }
            }, dimensions: dimensions)
    }

    /// One worker: a decoder with its accumulator.
    struct Worker {
        var decoder: EventDecoder
        var accumulator: Accumulator

        init(_ settings: WindowSettings, places: NamePlaces = NamePlaces(WindowFixture.schema())) {
            decoder = EventDecoder([WindowFixture.schema()], places: [places])
            accumulator = Accumulator(
                plans: WindowFixture.plans, settings: settings, dimensions: WindowFixture.dimensions,
                segmentations: WindowFixture.segmentations)
        }

        mutating func add(_ rows: some Sequence<Row>) {
            for row in rows {
                decoder.source = UInt16(row.source)
                Array(row.json.utf8).withUnsafeBytes {
                    decoder.decode($0, defaults: TopicDefaults(), now: nil) { rejection in
                        preconditionFailure("a test row was refused: \(rejection.detail)")
                    }
                }
            }
            accumulator.add(decoder.batches[0], names: decoder, model: 0, sources: WindowFixture.sources)
            decoder.removeAll(model: 0)
        }

        /// As an intake does between two takes, where names were given other places.
        mutating func renew(_ places: NamePlaces) {
            decoder = EventDecoder([WindowFixture.schema()], places: [places])
        }

        mutating func take() -> PaneDelta { accumulator.take(names: decoder, model: 0) }

        mutating func delta(_ rows: some Sequence<Row>) -> PaneDelta {
            add(rows)
            return take()
        }
    }

    static let sources = ["t/0", "t/1", "t/2"]

    /// The counts of some rows, made one row at a time by other means than the accumulator's.
    static func recount(_ rows: some Sequence<Row>) -> WindowCounts {
        var counts: WindowCounts = [:]
        for row in rows {
            var profile = Profile(layout)
            profile.rows = 1
            func count(_ column: Layout.Column, _ code: Int) { profile.counts[column.offset + code] += 1 }
            let (amount, country, prediction) = (layout.columns[0], layout.columns[1], layout.columns[2])
            if let value = row.amount {
                count(amount, [0, 10, 20, 50].count { $0 < value })
                profile.moments[0].add(Double(value), scale: Moments.scale(exponent: 30))
            } else {
                count(amount, amount.code(.null))
            }
            count(country, row.country.map { $0 == "BR" ? 0 : $0 == "US" ? 1 : 3 } ?? country.code(.null))
            count(prediction, 0)
            profile.moments[1].add(0.25, scale: Moments.scale(exponent: 40))
            for segment in row.segments {
                counts[GroupKey(version: row.version, segment: segment), default: Profile(layout)].merge(profile)
            }
        }
        return counts
    }

    /// Rows of one hour and a half or more, in the order of time; `jitter` moves each a little.
    static func rows(_ count: Int, from start: Timestamp, over length: Span, _ random: inout SeededGenerator) -> [Row] {
        (0..<count).map { i in
            let at = length.microseconds / Int64(count) * Int64(i)
            return Row(
                time: start + Span(microseconds: at), source: Int.random(in: 0..<3, using: &random),
                version: Bool.random(using: &random) ? "1" : "2",
                amount: Int.random(in: 0..<8, using: &random) == 0 ? nil : Int.random(in: -5...60, using: &random),
                country: ["BR", "US", "FR", nil].randomElement(using: &random) ?? nil,
                device: ["web", "ios", nil].randomElement(using: &random) ?? nil)
        }
    }

    static func settings(
        pane: String = "5m", size: String = "1h", every: String = "1h", lateness: String = "10m",
        calendar: WindowCalendar = .utc
    ) -> WindowSettings {
        WindowSettings(
            pane: Fixture.span(pane), size: Fixture.span(size), every: Fixture.span(every),
            lateness: Fixture.span(lateness), calendar: calendar)
    }

    static func windows(_ settings: WindowSettings, state: ModelWindows.State = .init()) -> ModelWindows {
        ModelWindows(
            plans: plans, settings: settings, shapes: [.init(size: settings.size, every: settings.every)],
            state: state)
    }
}

extension ModelWindows.Closed {
    /// The window as bytes, so that two of them are equal or not to the last bit.
    var encoded: Encoded { Encoded(range: range, counts: counts.mapValues { $0.encode() }) }

    struct Encoded: Equatable {
        let range: TimeRange
        let counts: [GroupKey: [UInt8]]
    }

    /// Rows of all traffic.
    var rows: UInt64 { counts.reduce(0) { $1.key.segment.isAll ? $0 + $1.value.rows : $0 } }
}
