import Events
package import Values

/// The join of one model: the table of identities, and the numbers its records use for cells and classes, which are the same for
/// as long as the ledger lives.
package struct LabelJoin: Sendable {
    /// What has to be stored after an `apply`, in the transaction of the offsets.
    package struct Writes: Sendable {
        package var table = JoinTable.Writes()
        /// New ones, some in the place of others that no record has any more.
        package var cells: [(number: Int, cell: JoinCell)] = []
        package var classes: [(number: Int, name: String)] = []
        package init() {}
        package var isEmpty: Bool { table.isEmpty && cells.isEmpty && classes.isEmpty }
    }

    /// Past these new classes share the last number.
    private static let maximumClasses = 10_000
    /// Cells of this many further versions have a place for what finds none of its own.
    private static let foldedCells = 1_000
    /// Predictions between two looks for cells that no record has any more: each reads the whole table.
    private static let sweepPredictions: UInt64 = 100_000

    package private(set) var table: JoinTable
    package private(set) var cells: [JoinCell]
    package private(set) var classes: [String]
    private var cellNumbers: [JoinCell: UInt32]
    /// By the number of a cell, a number of its version.
    private var versions: [UInt32] = []
    private var versionNumbers: [String: UInt32] = [:]
    /// Past this many cells, new ones take the places of those that no record has, or share one for each version.
    private let cellLimit: Int
    /// Numbers of cells that no record has any more.
    private var freeCells: [UInt32] = []
    private var sweptAt: UInt64?
    private var classNumbers: [String: Int16]
    /// The newest event times of predictions and labels.
    package private(set) var clocks: Clocks
    private let horizon: Span

    package struct Clocks: Codable, Sendable, Hashable {
        package var prediction = Timestamp.distantPast
        package var label = Timestamp.distantPast
        /// Any label was ever seen: a model without labels has no performance to tell of.
        package var hasLabels = false
        package init() {}
    }

    package init(
        table: JoinTable, horizon: Span, cells: [JoinCell] = [], classes: [String] = [], clocks: Clocks = Clocks(),
        cellLimit: Int = 100_000
    ) {
        self.cellLimit = cellLimit
        self.table = table
        self.horizon = horizon
        self.cells = cells
        self.classes = classes
        self.clocks = clocks
        cellNumbers = Dictionary(cells.enumerated().map { ($1, UInt32($0)) }) { first, _ in first }
        classNumbers = Dictionary(classes.enumerated().map { ($1, Int16($0)) }) { first, _ in first }
        versions = cells.map { number(ofVersion: $0.version) }
    }

    /// Joins what came. Predictions that bring their label and no identity are joined at once and leave no record.
    /// - Parameter isClass: labels are places in the delta's classes.
    package mutating func apply<E: Error>(
        _ delta: JoinDelta, isClass: Bool, changed: (JoinTable.Change) -> Void,
        read: (_ run: Int, _ block: Int) throws(E) -> [UInt8]
    ) throws(E) -> Writes {
        var writes = Writes()
        try sweep(delta, read)
        let classes = delta.classes.map { number(ofClass: $0, &writes) }
        let cells = delta.cells.map { number(of: $0, &writes) }
        func label(_ value: Double) -> Double {
            guard isClass, !value.isNaN else { return value }
            return value >= 0 && Int(value) < classes.count ? Double(classes[Int(value)]) : .nan
        }
        var records: [JoinRecord] = []
        // A record has no room for them, and a label needs them not: they go with what is told of the prediction.
        var scored: [Int: [OutcomeRows.ClassScore]] = [:]
        records.reserveCapacity(delta.predictions.count + delta.labels.count)
        for prediction in delta.predictions {
            var record = JoinRecord(id: prediction.id)
            record.hasPrediction = true
            record.predictionTime = prediction.time
            record.score = prediction.score
            record.cell = cells[Int(prediction.cell)]
            record.predicted = prediction.predicted >= 0 ? classes[Int(prediction.predicted)] : -1
            if !prediction.label.isNaN {
                record.hasLabel = true
                record.labelTime = prediction.time
                record.label = label(prediction.label)
                clocks.hasLabels = true
            }
            if prediction.time > clocks.prediction { clocks.prediction = prediction.time }
            let scores =
                prediction.scores.isEmpty
                ? []
                : prediction.scores.map { place -> OutcomeRows.ClassScore in
                    let own = delta.classScores[Int(place)]
                    return .init(number: Int32(classes[Int(own.number)]), score: own.score)
                }
            if prediction.id == 0 {
                changed(JoinTable.Change(kind: .prediction, record: record, classScores: scores))
                changed(JoinTable.Change(kind: .match, record: record))
            } else {
                if !scores.isEmpty { scored[records.count] = scores }
                records.append(record)
            }
        }
        if !delta.labels.isEmpty { clocks.hasLabels = true }
        for found in delta.labels {
            var record = JoinRecord(id: found.id)
            record.hasLabel = true
            record.labelTime = found.time
            record.label = label(found.value)
            records.append(record)
            if found.time > clocks.label { clocks.label = found.time }
        }
        guard !scored.isEmpty else {
            writes.table = try table.apply(
                records, versions: versions, forget: limit, changed: changed, read: read)
            return writes
        }
        writes.table = try table.apply(
            records, versions: versions, forget: limit,
            changed: { change in
                guard case .prediction = change.kind, let scores = scored[change.origin] else {
                    return changed(change)
                }
                changed(JoinTable.Change(kind: change.kind, record: change.record, classScores: scores))
            }, read: read)
        return writes
    }

    /// Labels may be read later than predictions of their time: what waits for them is kept until they have passed it, but no
    /// longer than two horizons.
    private var limit: Timestamp { max(min(clocks.prediction, clocks.label), clocks.prediction - horizon) }

    private mutating func number(of cell: JoinCell, _ writes: inout Writes) -> UInt32 {
        if let known = cellNumbers[cell] { return known }
        if let free = freeCells.popLast() {
            // Two cells may have become alike when dimensions were left out.
            if cellNumbers[cells[Int(free)]] == free { cellNumbers[cells[Int(free)]] = nil }
            cells[Int(free)] = cell
            versions[Int(free)] = number(ofVersion: cell.version)
            cellNumbers[cell] = free
            writes.cells.append((Int(free), cell))
            return free
        }
        var own = cell
        if cells.count >= cellLimit {
            own = JoinCell(version: cell.version, values: cell.values.map { $0.map { _ in SegmentLimit.other } })
            if let known = cellNumbers[own] { return known }
            guard cells.count < cellLimit + Self.foldedCells else { return UInt32(cells.count - 1) }
        }
        let number = UInt32(cells.count)
        cells.append(own)
        versions.append(self.number(ofVersion: own.version))
        cellNumbers[own] = number
        writes.cells.append((Int(number), own))
        return number
    }

    /// Looks for cells that no record has any more, where there is no room for new ones: values of a segment may come and go for ever.
    private mutating func sweep<E: Error>(
        _ delta: JoinDelta, _ read: (_ run: Int, _ block: Int) throws(E) -> [UInt8]
    ) throws(E) {
        guard cells.count >= cellLimit, freeCells.isEmpty, delta.cells.contains(where: { cellNumbers[$0] == nil }),
            sweptAt.map({ table.counters.predictions >= $0 + Self.sweepPredictions }) ?? true
        else { return }
        sweptAt = table.counters.predictions
        var isUsed = [Bool](repeating: false, count: cells.count)
        for cell in delta.cells { if let known = cellNumbers[cell] { isUsed[Int(known)] = true } }
        try table.forEach({ if $0.hasPrediction { isUsed[Int($0.cell)] = true } }, read: read)
        freeCells = isUsed.indices.filter { !isUsed[$0] }.map { UInt32($0) }
    }

    private mutating func number(ofVersion name: String) -> UInt32 {
        if let known = versionNumbers[name] { return known }
        let number = UInt32(versionNumbers.count)
        versionNumbers[name] = number
        return number
    }

    private mutating func number(ofClass name: String, _ writes: inout Writes) -> Int16 {
        if let known = classNumbers[name] { return known }
        guard classes.count < Self.maximumClasses else { return Int16(classes.count - 1) }
        let number = Int16(classes.count)
        classes.append(name)
        classNumbers[name] = number
        writes.classes.append((Int(number), name))
        return number
    }
}
