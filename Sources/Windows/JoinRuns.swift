import Values

/// A place in one run, for identities asked in ascending order.
struct RunCursor {
    private let run: JoinTable.RunInfo
    private var block = -1
    private var records: [JoinRecord] = []

    init(_ run: JoinTable.RunInfo) { self.run = run }

    mutating func find<E: Error>(_ id: UInt64, _ read: (Int, Int) throws(E) -> [UInt8]) throws(E) -> JoinRecord? {
        guard let wanted = run.block(of: id) else { return nil }
        if wanted != block {
            records = JoinRecord.records(try read(run.number, wanted)) ?? []
            block = wanted
        }
        var low = 0
        var high = records.count
        while low < high {
            let middle = (low + high) / 2
            if records[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < records.count && records[low].id == id ? records[low] : nil
    }
}

extension JoinTable {
    /// Writes the newest records as a run, together with the runs of its level when there are enough of them.
    mutating func flush<E: Error>(
        forget limit: Timestamp, into writes: inout Writes, _ read: (Int, Int) throws(E) -> [UInt8]
    ) throws(E) {
        var level = 0
        var merging: [RunInfo] = []
        while level < Self.maximumLevel {
            let own = runs.filter { $0.level == level }
            guard own.count >= Self.fanIn - 1 else { break }
            merging += own
            level += 1
        }
        var sources = [MergeSource(records: recent)]
        sources += merging.sorted { $0.number > $1.number }.map { MergeSource($0) }
        var output = RunOutput()
        while let record = try Self.next(&sources, read) {
            // Past the horizon nothing can join it.
            guard record.end(horizon) >= limit else { continue }
            output.append(record, end: record.end(horizon))
        }
        recent = []
        // A run whose last record has ended goes as a whole.
        let ended = runs.filter { run in run.end < limit && !merging.contains { $0.number == run.number } }
        writes.droppedRuns = (merging + ended).map(\.number)
        runs.removeAll { run in writes.droppedRuns.contains(run.number) }
        writes.droppedLog = nextLog - 1
        if let run = output.finish(number: nextRun, level: level) {
            nextRun += 1
            runs.insert(run.info, at: 0)
            writes.runs.append(run)
        }
    }
}

extension JoinTable {
    /// Every identity in ascending order, with what is known of it now.
    package func forEach<E: Error>(
        _ body: (JoinRecord) -> Void, read: (_ run: Int, _ block: Int) throws(E) -> [UInt8]
    ) throws(E) {
        var sources = [MergeSource(records: recent)]
        sources += runs.sorted { $0.number > $1.number }.map { MergeSource($0) }
        while let record = try Self.next(&sources, read) { body(record) }
    }

    /// The record with the least identity of all sources; of several with one identity the first source's.
    private static func next<E: Error>(
        _ sources: inout [MergeSource], _ read: (Int, Int) throws(E) -> [UInt8]
    ) throws(E) -> JoinRecord? {
        var least: Int?
        for i in sources.indices {
            guard try sources[i].fill(read), let id = sources[i].id else { continue }
            if least == nil || id < (sources[least ?? 0].id ?? .max) { least = i }
        }
        guard let chosen = least, let record = sources[chosen].record else { return nil }
        for i in sources.indices where sources[i].id == record.id { sources[i].advance() }
        return record
    }
}

/// A run being merged, record by record.
private struct MergeSource {
    private let run: JoinTable.RunInfo?
    private var block = 0
    private var records: [JoinRecord]
    private var place = 0

    init(records: [JoinRecord]) {
        run = nil
        self.records = records
    }

    init(_ run: JoinTable.RunInfo) {
        self.run = run
        records = []
    }

    var record: JoinRecord? { place < records.count ? records[place] : nil }
    var id: UInt64? { place < records.count ? records[place].id : nil }
    mutating func advance() { place += 1 }

    /// - Returns: false at the end.
    mutating func fill<E: Error>(_ read: (Int, Int) throws(E) -> [UInt8]) throws(E) -> Bool {
        while place == records.count {
            guard let run, block < run.fences.count else { return false }
            records = JoinRecord.records(try read(run.number, block)) ?? []
            place = 0
            block += 1
        }
        return true
    }
}

/// A run being written.
private struct RunOutput {
    private var blocks: [[UInt8]] = []
    private var fences: [UInt64] = []
    private var block: [JoinRecord] = []
    private var end = Timestamp.distantPast

    mutating func append(_ record: JoinRecord, end: Timestamp) {
        if block.isEmpty { fences.append(record.id) }
        block.append(record)
        if end > self.end { self.end = end }
        if block.count == JoinTable.blockRecords { close() }
    }

    private mutating func close() {
        guard !block.isEmpty else { return }
        blocks.append(JoinRecord.bytes(block))
        block.removeAll(keepingCapacity: true)
    }

    mutating func finish(number: Int, level: Int) -> JoinTable.Run? {
        close()
        guard !blocks.isEmpty else { return nil }
        return JoinTable.Run(info: .init(number: number, level: level, end: end, fences: fences), blocks: blocks)
    }
}
