/// What a worker's CPU time goes to.
enum WorkStage: Int, CaseIterable, Sendable {
    /// Taking messages out of librdkafka's queue; its own threads are not counted here.
    case consume
    /// Messages to rows, and giving the messages back.
    case decode
    /// Rows to counters.
    case count
    /// Counters to what a step hands over.
    case pack
    /// The step, on its own thread: merging, closing windows, the ledger.
    case step

    var name: String { "\(self)" }
}

/// CPU time by stage, in nanoseconds.
struct WorkTimes: Sendable {
    private var nanoseconds = InlineArray<5, Int64>(repeating: 0)

    subscript(stage: WorkStage) -> Int64 {
        get { nanoseconds[stage.rawValue] }
        set { nanoseconds[stage.rawValue] = newValue }
    }

    var sum: Int64 { WorkStage.allCases.reduce(0) { $0 + self[$1] } }

    mutating func add(_ other: WorkTimes) {
        for stage in WorkStage.allCases { self[stage] += other[stage] }
    }
}
