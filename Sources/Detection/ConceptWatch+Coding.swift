package import Values

/// State of older programs is read as it is: what was open stays open.
extension ConceptWatch: Codable {
    private enum CodingKeys: CodingKey {
        case entries, returns
        /// Of programs that kept alarms beside streams.
        case streams, starts, alarms, seen
    }

    private struct OlderAlarm: Decodable {
        let statistic: ConceptStatistic
        let since: Timestamp
        let effect: Double
        let evidence: Double
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(entries, forKey: .entries)
        try values.encodeIfPresent(returns, forKey: .returns)
    }

    package init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        if let entries = try values.decodeIfPresent([Entry].self, forKey: .entries) {
            self.entries = entries
            returns = try values.decodeIfPresent(Returns.self, forKey: .returns)
            return
        }
        let streams = try values.decode([Key: ConceptStream.Shared].self, forKey: .streams)
        let starts = try values.decode([Key: Timestamp].self, forKey: .starts)
        let alarms = try values.decode([Segment: OlderAlarm].self, forKey: .alarms)
        let seen = try values.decodeIfPresent([Segment: Timestamp].self, forKey: .seen) ?? [:]
        for (key, stream) in streams.sorted(by: {
            ($0.key.segment, $0.key.statistic.rawValue) < ($1.key.segment, $1.key.statistic.rawValue)
        }) {
            let alarm = alarms[key.segment].flatMap { $0.statistic == key.statistic ? $0 : nil }
            guard let start = starts[key] ?? alarm?.since ?? seen[key.segment] else { continue }
            entries.append(
                Entry(
                    key: key,
                    stream: ConceptStream(
                        stream, start: start, alarm: alarm.map { ($0.since, $0.effect, $0.evidence) }),
                    seen: seen[key.segment] ?? start))
        }
    }

    /// One stream of a rule's figure, as programs wrote it that kept each segment's by itself.
    package struct OlderFigure: Codable, Sendable, Hashable {
        fileprivate let statistic: ConceptStatistic
        fileprivate let stream: Stream
        fileprivate let start: Timestamp?
        fileprivate let alarm: Alarm?

        fileprivate struct Stream: Codable, Sendable, Hashable {
            let logR: [Double]
            let weight: Double
            let weighted: Double
            let recent: [ConceptMean]?
        }

        fileprivate struct Alarm: Codable, Sendable, Hashable {
            let start: Timestamp
            let evidence: Double
            let changed: ConceptMean
            let back: ConceptMean
        }
    }

    /// Takes a segment's stream over.
    package mutating func adopt(_ older: OlderFigure, of segment: Segment, seen: Timestamp) {
        let mean = older.alarm?.changed
        let shared = ConceptStream.Shared(
            logR: older.stream.logR, weight: older.stream.weight, weighted: older.stream.weighted, told: mean,
            recent: older.stream.recent, back: older.alarm?.back)
        entries.append(
            Entry(
                key: Key(segment: segment, statistic: older.statistic),
                stream: ConceptStream(
                    shared, start: older.start ?? seen,
                    alarm: older.alarm.map { ($0.start, $0.changed.value, $0.evidence) }),
                seen: seen))
    }
}
