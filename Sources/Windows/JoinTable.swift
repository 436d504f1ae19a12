package import Events
import Statistics
package import Values

/// The identities of one model that may still be joined: a log-structured table (O'Neil et al. 1996), its newest records in memory,
/// the others in sorted runs on disk, of which only every 512th identity is in memory.
///
/// It writes nothing itself: each `apply` says what must be stored, in the transaction that stores the offsets. What a
/// crash leaves is what the last transaction had. Memory: 12 MB and 8 bytes for each 512 identities within the horizon.
package struct JoinTable: Sendable {
    /// What has to be stored after an `apply`, all of it or nothing.
    package struct Writes: Sendable {
        /// Records that changed since the last run was written, as one more part of the log.
        package var log: (number: Int, bytes: [UInt8])?
        /// The log up to here is in a run now.
        package var droppedLog: Int?
        package var runs: [Run] = []
        package var droppedRuns: [Int] = []

        package init() {}
        package var isEmpty: Bool { log == nil && droppedLog == nil && runs.isEmpty && droppedRuns.isEmpty }
    }

    /// A sorted run to be written.
    package struct Run: Sendable {
        package let info: RunInfo
        package let blocks: [[UInt8]]
    }

    /// What is kept in memory of a run on disk.
    package struct RunInfo: Sendable {
        package let number: Int
        package let level: Int
        /// After this no record of it can be joined.
        package let end: Timestamp
        /// The first identity of each block.
        package let fences: [UInt64]

        package init(number: Int, level: Int, end: Timestamp, fences: [UInt64]) {
            self.number = number
            self.level = level
            self.end = end
            self.fences = fences
        }

        /// The block that would hold an identity, `nil` where it is before the first.
        func block(of id: UInt64) -> Int? {
            var low = 0
            var high = fences.count
            while low < high {
                let middle = (low + high) / 2
                if fences[middle] <= id { low = middle + 1 } else { high = middle }
            }
            return low > 0 ? low - 1 : nil
        }
    }

    /// What came of a record.
    package struct Change: Sendable {
        package enum Kind: Sendable {
            case prediction
            case match
            /// The label replaces this one, whose delay was in this bucket of `DelayCounts`.
            case correction(from: Double, delay: Int)
        }
        package let kind: Kind
        package let record: JoinRecord
        /// Of a prediction that brings the score of each class, by the class's number.
        package var classScores: [OutcomeRows.ClassScore] = []
        /// The place of what came among what came with it.
        package var origin = -1
    }

    /// What came, since the table was made.
    package struct Counters: Sendable, Hashable, Codable {
        package var duplicatePredictions: UInt64 = 0
        package var duplicateLabels: UInt64 = 0
        package var corrections: UInt64 = 0
        /// Labels older than the one they would replace.
        package var staleLabels: UInt64 = 0
        /// Labels and predictions further apart than the horizon.
        package var tooLate: UInt64 = 0
        /// Identities with a prediction, with a label, and with both, within the horizon.
        package var predictions: UInt64 = 0
        package var labels: UInt64 = 0
        package var matches: UInt64 = 0
        /// Predictions of more versions than an identity has places for. Absent in states of older programs.
        package var crowded: UInt64?
        package init() {}

        mutating func forgetLabels(since known: Counters) {
            corrections = known.corrections
            duplicateLabels = known.duplicateLabels
            staleLabels = known.staleLabels
            tooLate = known.tooLate
        }
    }

    package static let blockRecords = 512
    /// So many versions' predictions of an identity find a place.
    static let maximumVersions = 8
    /// The newest records become a run when there are this many.
    private let recentLimit: Int
    /// This many runs of a level become one of the next; those of the last level stay as they are.
    static let fanIn = 4
    static let maximumLevel = 2

    let horizon: Span
    /// By identity, ascending.
    var recent: [JoinRecord] = []
    /// Newest first.
    package internal(set) var runs: [RunInfo]
    var nextRun: Int
    var nextLog: Int
    package internal(set) var counters = Counters()

    package init(horizon: Span, recentLimit: Int = 131_072) {
        self.horizon = horizon
        self.recentLimit = recentLimit
        runs = []
        nextRun = 1
        nextLog = 1
    }

    /// What was stored: the parts of the log in order, and the runs.
    package init?(
        horizon: Span, log: [(number: Int, bytes: [UInt8])], runs: [RunInfo], counters: Counters,
        recentLimit: Int = 131_072
    ) {
        self.init(horizon: horizon, recentLimit: recentLimit)
        self.runs = runs.sorted { $0.number > $1.number }
        self.counters = counters
        nextRun = (runs.map(\.number).max() ?? 0) + 1
        nextLog = (log.map(\.number).max() ?? 0) + 1
        for part in log.sorted(by: { $0.number < $1.number }) {
            guard let records = JoinRecord.records(part.bytes) else { return nil }
            recent = Self.merged(recent, records)
        }
    }

    /// Memory and disk of its records, about: superseded ones are counted until their runs are merged.
    package var bytes: Int {
        (recent.count + runs.reduce(0) { $0 + $1.fences.count * Self.blockRecords }) * JoinRecord.size
    }

    /// What a record would have told as it came: its prediction, and its label where that joined.
    package func changes(of record: JoinRecord) -> [Change] {
        guard record.hasPrediction else { return [] }
        let prediction = Change(kind: .prediction, record: record)
        return record.hasLabel ? [prediction, Change(kind: .match, record: record)] : [prediction]
    }

    /// Adds predictions and labels in order of arrival. A record may be a prediction, a label, or a prediction with its own label.
    ///
    /// Several versions may predict one identity: the first one's record stands at the identity, each further one's behind the one before
    /// (`JoinRecord.next`), and what comes goes from one to the next as far as it has to.
    ///
    /// - Parameters:
    ///   - versions: by the number of a cell, a number of its version; empty where there is one version only.
    ///   - limit: nothing older can come any more: what ended before is forgotten.
    ///   - read: the bytes of a block of a run that was stored before.
    package mutating func apply<E: Error>(
        _ incoming: [JoinRecord], versions: [UInt32] = [], forget limit: Timestamp, changed: (Change) -> Void,
        read: (_ run: Int, _ block: Int) throws(E) -> [UInt8]
    ) throws(E) -> Writes {
        var writes = Writes()
        var arrivals = incoming.enumerated().map { Arrival(record: $0.element, origin: $0.offset) }
        var updates: [JoinRecord] = []
        var place = 0
        while !arrivals.isEmpty {
            let found = try look(&arrivals, place, versions, changed, read)
            updates = Self.merged(updates, found)
            place += 1
        }
        guard !updates.isEmpty else { return writes }
        recent = Self.merged(recent, updates)
        if recent.count < recentLimit {
            writes.log = (nextLog, JoinRecord.bytes(updates))
            nextLog += 1
        } else {
            try flush(forget: limit, into: &writes, read)
        }
        return writes
    }

    /// A record on its way to its place.
    struct Arrival {
        var record: JoinRecord
        /// Its place among what came.
        let origin: Int
    }

    /// Takes what has come to a place of its identity, counted from 0, and leaves in `arrivals` what goes on to the next.
    /// - Returns: the records that are others now, ascending.
    private mutating func look<E: Error>(
        _ arrivals: inout [Arrival], _ position: Int, _ versions: [UInt32], _ changed: (Change) -> Void,
        _ read: (_ run: Int, _ block: Int) throws(E) -> [UInt8]
    ) throws(E) -> [JoinRecord] {
        let incoming = arrivals
        arrivals = []
        let order = incoming.indices.map { (id: incoming[$0].record.id, index: $0) }.sorted {
            $0.id != $1.id ? $0.id < $1.id : $0.index < $1.index
        }
        var cursors = runs.map(RunCursor.init)
        var updates: [JoinRecord] = []
        var place = 0
        var at = 0
        while at < order.count {
            let id = order[at].id
            while place < recent.count, recent[place].id < id { place += 1 }
            var known: JoinRecord?
            if place < recent.count, recent[place].id == id {
                known = recent[place]
            } else {
                for i in cursors.indices {
                    known = try cursors[i].find(id, read)
                    if known != nil { break }
                }
            }
            var record = known ?? JoinRecord(id: id)
            var isChanged = false
            while at < order.count, order[at].id == id {
                isChanged =
                    take(incoming[order[at].index], into: &record, position, versions, &arrivals, changed) || isChanged
                at += 1
            }
            if isChanged { updates.append(record) }
        }
        return updates
    }

    /// Takes what concerns the record, and sends on what concerns those behind it.
    /// - Returns: whether the record is another now.
    private mutating func take(
        _ arrival: Arrival, into record: inout JoinRecord, _ position: Int, _ versions: [UInt32],
        _ onward: inout [Arrival], _ changed: (Change) -> Void
    ) -> Bool {
        var new = arrival.record
        var isChanged = false
        let isOther =
            new.hasPrediction && record.hasPrediction && !versions.isEmpty
            && versions[Int(new.cell)] != versions[Int(record.cell)]
        if isOther {
            if position + 1 < Self.maximumVersions {
                let before = record.flags
                onward.append(Arrival(record: record.sendOn(new, horizon), origin: arrival.origin))
                isChanged = record.flags != before
            } else {
                counters.crowded = (counters.crowded ?? 0) + 1
            }
            // A label is the identity's: it holds here too.
            guard new.hasLabel else { return isChanged }
            new.hasPrediction = false
        } else if position > 0, !new.hasPrediction, !record.hasPrediction {
            // What stood here, behind another, has been forgotten: a label alone does not bring it back.
            return false
        } else if new.hasLabel, record.hasNext {
            var label = new
            label.id = JoinRecord.next(record.id)
            label.hasPrediction = false
            onward.append(Arrival(record: label, origin: arrival.origin))
        }
        let known = counters
        isChanged = takeOwn(new, into: &record, arrival.origin, changed) || isChanged
        // A label is counted once, however many versions it is for.
        if position > 0 { counters.forgetLabels(since: known) }
        return isChanged
    }

    /// - Returns: whether the record is another now.
    private mutating func takeOwn(
        _ new: JoinRecord, into record: inout JoinRecord, _ origin: Int, _ changed: (Change) -> Void
    ) -> Bool {
        var isChanged = false
        if new.hasPrediction {
            if record.hasPrediction {
                counters.duplicatePredictions += 1
            } else {
                record.hasPrediction = true
                record.predictionTime = new.predictionTime
                record.score = new.score
                record.cell = new.cell
                record.predicted = new.predicted
                counters.predictions += 1
                changed(Change(kind: .prediction, record: record, origin: origin))
                isChanged = true
                if record.isMatched(horizon) {
                    counters.matches += 1
                    record.keep(delay: record.delay)
                    changed(Change(kind: .match, record: record))
                } else if record.hasLabel {
                    counters.tooLate += 1
                    counters.labels -= 1
                    record.hasLabel = false
                }
            }
        }
        return new.hasLabel ? takeLabel(new, into: &record, changed) || isChanged : isChanged
    }

    private mutating func takeLabel(
        _ new: JoinRecord, into record: inout JoinRecord, _ changed: (Change) -> Void
    ) -> Bool {
        let before = record
        if record.hasLabel {
            // NaN is a label too, one that cannot be used.
            if new.label == record.label || (new.label.isNaN && record.label.isNaN) {
                counters.duplicateLabels += 1
                return takeRepetition(new.labelTime, into: &record)
            }
            if new.labelTime < record.labelTime {
                counters.staleLabels += 1
                return false
            }
        }
        record.hasLabel = true
        record.label = new.label
        record.labelTime = new.labelTime
        guard record.hasPrediction else {
            if before.hasLabel { counters.corrections += 1 } else { counters.labels += 1 }
            return true
        }
        guard record.isMatched(horizon) else {
            counters.tooLate += 1
            record = before
            return false
        }
        if before.hasLabel {
            counters.corrections += 1
            record.keep(delay: DelayCounts.bucket(record.labelTime - record.predictionTime))
            changed(Change(kind: .correction(from: before.label, delay: before.delay), record: record))
        } else {
            counters.labels += 1
            counters.matches += 1
            record.keep(delay: record.delay)
            changed(Change(kind: .match, record: record))
        }
        return true
    }

    /// The label is said again: an older one that comes after this must not replace it.
    private func takeRepetition(_ time: Timestamp, into record: inout JoinRecord) -> Bool {
        guard time > record.labelTime else { return false }
        if record.hasPrediction {
            guard time - record.predictionTime <= horizon else { return false }
            record.keep(delay: record.delay)
        }
        record.labelTime = time
        return true
    }

    /// The newer record of an identity replaces the older.
    private static func merged(_ old: [JoinRecord], _ new: [JoinRecord]) -> [JoinRecord] {
        guard !old.isEmpty else { return new }
        return [JoinRecord](unsafeUninitializedCapacity: old.count + new.count) { out, count in
            var i = 0
            var j = 0
            while i < old.count, j < new.count {
                if old[i].id < new[j].id {
                    out.initializeElement(at: count, to: old[i])
                    i += 1
                } else {
                    out.initializeElement(at: count, to: new[j])
                    if old[i].id == new[j].id { i += 1 }
                    j += 1
                }
                count += 1
            }
            while i < old.count {
                out.initializeElement(at: count, to: old[i])
                i += 1
                count += 1
            }
            while j < new.count {
                out.initializeElement(at: count, to: new[j])
                j += 1
                count += 1
            }
        }
    }
}
