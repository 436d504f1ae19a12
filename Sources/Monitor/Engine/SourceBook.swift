import Values

/// What an intake says with each delta, besides the counts.
struct IntakeReport: Sendable {
    /// For each model, which sources hold the watermark back.
    var activity: [SourceActivity]
    /// Every source the intake reads, the silent ones too.
    var reading: [String]
    /// Sources it has just given up.
    var leaving: [String] = []
    /// For each source, the offset after the last one that was handed over before, or where reading began; `nil` where that was not known.
    var began: [String: Int64?] = [:]
}

/// A delta that does not go on where the ledger stands: somebody else has counted these messages, or some before them are missing.
struct StaleDelta: Sendable, Equatable, CustomStringConvertible {
    let source: String
    let began: Int64?
    let stands: Int64?

    var description: String {
        func text(_ offset: Int64?) -> String { offset.map { "offset \($0)" } ?? "no known offset" }
        return "\(source): the counts begin at \(text(began)), the ledger stands at \(text(stands))"
    }
}

/// How far the ledger covers each source, and which sources nobody speaks for at the moment. Pure: time is a parameter.
///
/// Between the reader that gave a source up and the first report of the one that takes it over, the source holds the watermark
/// where it was: rows of it may still come.
struct SourceBook: Sendable {
    /// Where a reader of a source begins.
    struct Start: Sendable, Equatable {
        let offset: Int64?
        /// By model, the newest event time the ledger has of the source.
        let clocks: [Timestamp?]
    }

    /// Longer than a group takes to find a new reader (`max.poll.interval.ms` is five minutes): the source went elsewhere.
    static let unclaimedLimit = Span.minutes(6)

    private struct Between {
        let since: Timestamp
        /// The intake that took it and has not reported it yet; `nil` where nobody has.
        var taker: String?
    }

    private(set) var offsets: [String: Int64]
    private(set) var clocks: [[String: Timestamp]]
    private var between: [String: Between] = [:]

    init(offsets: [String: Int64], clocks: [[String: Timestamp]]) {
        self.offsets = offsets
        self.clocks = clocks
    }

    /// An intake takes sources over. It holds the watermark for them until it has reported them.
    mutating func take(_ sources: [String], by intake: String, at now: Timestamp) -> [String: Start] {
        var starts: [String: Start] = [:]
        for source in sources {
            between[source] = Between(since: now, taker: intake)
            starts[source] = Start(offset: offsets[source], clocks: clocks.map { $0[source] })
        }
        return starts
    }

    /// Why a delta must not be counted; `nil` where it goes on where the ledger stands.
    func refusal(of delta: IntakeDelta, _ report: IntakeReport) -> StaleDelta? {
        for source in delta.offsets.keys.sorted() {
            guard let began = report.began[source], began != offsets[source] else { continue }
            return StaleDelta(source: source, began: began, stands: offsets[source])
        }
        return nil
    }

    /// Notes what an intake reads and what it gave up.
    mutating func note(_ report: IntakeReport, from intake: String, at now: Timestamp) {
        if !between.isEmpty {
            for source in report.reading {
                guard let entry = between[source], entry.taker ?? intake == intake else { continue }
                between[source] = nil
            }
        }
        // A reader that lost a source late must not disturb the one that has it by now.
        for source in report.leaving where between[source]?.taker ?? intake == intake {
            between[source] = Between(since: now, taker: nil)
        }
        between = between.filter { $0.value.taker != nil || now - $0.value.since < Self.unclaimedLimit }
    }

    /// Sources that hold the watermark back though no intake lists them.
    var unspoken: [String] { between.isEmpty ? [] : Array(between.keys) }

    /// A step is durable.
    mutating func stored(_ delta: IntakeDelta, clocks: [[String: Timestamp]]) {
        offsets.merge(delta.offsets) { _, new in new }
        self.clocks = clocks
    }
}
