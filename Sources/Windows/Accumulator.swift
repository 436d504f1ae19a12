package import Events
package import Sketches
package import Values

/// Batches to counts: each value is binned once and counted for all traffic and for each of the row's segments.
///
/// One accumulator per worker and model. Within a micro-batch the codes are computed column by column, then counted row by
/// row, so that a row's counters stay close together.
package struct Accumulator {
    private let layout: Layout
    private let settings: WindowSettings
    /// For each segmentation, the dimensions it crosses, as numbers of the schema's.
    private let segmentations: [[Int]]
    private let dimensionNames: [String]
    private let maximumGroups: Int
    /// Stands for every combination of values past the limit: `noSegment` in each place, which no row has.
    private static let otherKey = UInt64.max

    /// The newest event time of each source, which decides what is late: a pure function of the source's own order, so that
    /// batching and other partitions cannot change it.
    private var clocks: [String: Timestamp] = [:]
    private var touchedSources: Set<String> = []
    private var blocks: [Block] = []
    private var blockIndex: [BlockKey: Int] = [:]
    private var lateRows: [Timestamp: UInt64] = [:]
    private var rows: UInt64 = 0
    private var slotCount = 0

    /// Scratch, reused: row-major codes and quantised values.
    private var codes: [Int32] = []
    private var quanta: [Int64] = []
    private var values: [Double] = []

    private struct BlockKey: Hashable {
        let start: Timestamp
        let version: UInt16
    }

    /// The counters of one (pane, version): slot 0 is all traffic, the others are segments in order of appearance.
    private struct Block {
        let start: Timestamp
        let version: UInt16
        var counts: [UInt64]
        var moments: [Moments]
        var rows: [UInt64] = [0]
        var slots: [[UInt64: Int]]
        var slotKeys: [(segmentation: Int, key: UInt64)] = [(-1, 0)]
    }

    package init(layout: Layout, settings: WindowSettings, dimensions: [String], segmentations: [[String]]) {
        self.layout = layout
        self.settings = settings
        maximumGroups = SegmentLimit.groups(layout)
        dimensionNames = dimensions
        self.segmentations = segmentations.map { names in
            names.map { name in
                guard let index = dimensions.firstIndex(of: name) else {
                    preconditionFailure("segmentation names dimension \(name), which the schema does not have")
                }
                return index
            }
        }
    }

    /// Where a source stood when its state was last stored. Also forgets a clock (`nil`) when the source goes elsewhere.
    package mutating func setClock(_ source: String, _ clock: Timestamp?) { clocks[source] = clock }

    /// What the counters not yet taken hold, roughly.
    package var pendingBytes: Int {
        slotCount
            * ((layout.codeCount + 1) * MemoryLayout<UInt64>.stride + layout.momentsCount * MemoryLayout<Moments>.stride)
    }

    package var isEmpty: Bool { blocks.isEmpty && lateRows.isEmpty && touchedSources.isEmpty }

    /// Counts a batch's rows. `sources[i]` names the source that rows numbered `i` came from.
    package mutating func add(_ batch: EventBatch, sources: [String]) {
        guard batch.count > 0 else { return }
        encode(batch)
        var pane = TimeRange(start: .distantFuture, end: .distantFuture)
        var source = -1
        var clock = Timestamp.distantPast
        for row in 0..<batch.count {
            let time = batch.timestamps[row]
            if Int(batch.sources[row]) != source {
                if source >= 0 { clocks[sources[source]] = clock }
                source = Int(batch.sources[row])
                clock = clocks[sources[source]] ?? .distantPast
                touchedSources.insert(sources[source])
            }
            if time > clock { clock = time }
            if !pane.contains(time) { pane = settings.calendar.range(of: settings.pane, containing: time) }
            if pane.end <= clock - settings.lateness {
                lateRows[pane.start, default: 0] += 1
                continue
            }
            let block = self.block(BlockKey(start: pane.start, version: batch.versions[row]))
            count(row, batch, block)
        }
        if source >= 0 { clocks[sources[source]] = clock }
    }

    /// Bins and quantises every value of the batch, column by column.
    private mutating func encode(_ batch: EventBatch) {
        let width = layout.columns.count
        let numericWidth = layout.momentsCount
        codes.removeAll(keepingCapacity: true)
        codes.append(contentsOf: repeatElement(0, count: batch.count * width))
        quanta.removeAll(keepingCapacity: true)
        quanta.append(contentsOf: repeatElement(0, count: batch.count * numericWidth))
        values.removeAll(keepingCapacity: true)
        values.append(contentsOf: repeatElement(.nan, count: batch.count * numericWidth))
        let trash = Int32(layout.codeCount)
        for (c, column) in layout.columns.enumerated() {
            let offset = Int32(column.offset)
            switch (batch.places[c], column.bins) {
            case (.number(let place), .numeric(let bins, let exponent)):
                let scale = Moments.scale(exponent: exponent)
                let m = column.momentsIndex ?? 0
                for row in 0..<batch.count {
                    let x = batch.numbers[row &* batch.numberWidth &+ place]
                    if x.isNaN {
                        codes[row &* width &+ c] = Self.special(Hole(nan: x), column).map { offset &+ $0 } ?? trash
                    } else {
                        codes[row &* width &+ c] = offset &+ Int32(truncatingIfNeeded: bins.index(of: x))
                        quanta[row &* numericWidth &+ m] = Moments.quantum(x, scale: scale)
                        values[row &* numericWidth &+ m] = x
                    }
                }
            case (.code(let place), .categorical):
                for row in 0..<batch.count {
                    let code = batch.codes[row &* batch.codeWidth &+ place]
                    if let hole = Hole(code: code) {
                        codes[row &* width &+ c] = Self.special(hole, column).map { offset &+ $0 } ?? trash
                    } else {
                        codes[row &* width &+ c] = offset &+ Int32(code)
                    }
                }
            default: preconditionFailure("batch and layout disagree on column \(column.name)")
            }
        }
    }

    /// The code of a hole within its column; `nil` where the row does not have the column at all.
    private static func special(_ hole: Hole, _ column: Layout.Column) -> Int32? {
        switch hole {
        case .absent: nil
        case .null: Int32(column.code(.null))
        case .missing: Int32(column.code(.missing))
        case .invalid: Int32(column.code(.invalid))
        case .wrongType: Int32(column.code(.wrongType))
        }
    }

    private mutating func block(_ key: BlockKey) -> Int {
        if let found = blockIndex[key] { return found }
        blocks.append(
            Block(
                start: key.start, version: key.version,
                counts: [UInt64](repeating: 0, count: layout.codeCount + 1),
                moments: [Moments](repeating: Moments(), count: layout.momentsCount),
                slots: segmentations.map { _ in [:] }))
        blockIndex[key] = blocks.count - 1
        slotCount += 1
        return blocks.count - 1
    }

    private mutating func count(_ row: Int, _ batch: EventBatch, _ block: Int) {
        rows &+= 1
        addRow(row, slot: 0, block)
        next: for (s, dimensions) in segmentations.enumerated() {
            var key: UInt64 = 0
            for dimension in dimensions {
                let value = batch.segments[row &* batch.segmentWidth &+ dimension]
                if value == EventBatch.noSegment { continue next }
                key = key << 16 | UInt64(value)
            }
            addRow(row, slot: slot(block, s, key), block)
        }
    }

    private mutating func slot(_ block: Int, _ segmentation: Int, _ key: UInt64) -> Int {
        if let found = blocks[block].slots[segmentation][key] { return found }
        if blocks[block].rows.count >= maximumGroups, key != Self.otherKey {
            return self.slot(block, segmentation, Self.otherKey)
        }
        let slot = blocks[block].rows.count
        blocks[block].slots[segmentation][key] = slot
        blocks[block].slotKeys.append((segmentation, key))
        slotCount += 1
        blocks[block].rows.append(0)
        blocks[block].counts.append(contentsOf: repeatElement(0, count: layout.codeCount + 1))
        blocks[block].moments.append(contentsOf: repeatElement(Moments(), count: layout.momentsCount))
        return slot
    }

    private mutating func addRow(_ row: Int, slot: Int, _ block: Int) {
        let width = layout.columns.count
        let numericWidth = layout.momentsCount
        let base = slot &* (layout.codeCount &+ 1)
        blocks[block].rows[slot] &+= 1
        codes.withUnsafeBufferPointer { codes in
            blocks[block].counts.withUnsafeMutableBufferPointer { counts in
                for c in 0..<width { counts[base &+ Int(codes[row &* width &+ c])] &+= 1 }
            }
        }
        let momentsBase = slot &* numericWidth
        quanta.withUnsafeBufferPointer { quanta in
            values.withUnsafeBufferPointer { values in
                blocks[block].moments.withUnsafeMutableBufferPointer { moments in
                    for m in 0..<numericWidth {
                        let i = row &* numericWidth &+ m
                        if !values[i].isNaN { moments[momentsBase &+ m].add(quantum: quanta[i], value: values[i]) }
                    }
                }
            }
        }
    }

    /// Hands over what has been counted since the last call and starts empty. Clocks stay.
    package mutating func take(names: EventDecoder, model: Int) -> PaneDelta {
        var delta = PaneDelta()
        delta.rows = rows
        delta.lateRows = lateRows
        for source in touchedSources { delta.clocks[source] = clocks[source] }
        for block in blocks {
            let version = names.versionName(model: model, block.version)
            for slot in block.rows.indices {
                var profile = Profile(layout)
                profile.rows = block.rows[slot]
                let base = slot * (layout.codeCount + 1)
                profile.counts = Array(block.counts[base..<base + layout.codeCount])
                let momentsBase = slot * layout.momentsCount
                profile.moments = Array(block.moments[momentsBase..<momentsBase + layout.momentsCount])
                let key = GroupKey(version: version, segment: segment(block.slotKeys[slot], names, model))
                // Not assigned: é composed and é decomposed are two slots and one segment.
                if delta.panes[block.start]?[key]?.merge(profile) == nil {
                    delta.panes[block.start, default: [:]][key] = profile
                }
            }
        }
        blocks.removeAll(keepingCapacity: true)
        blockIndex.removeAll(keepingCapacity: true)
        lateRows = [:]
        touchedSources = []
        rows = 0
        slotCount = 0
        return delta
    }

    private func segment(_ slot: (segmentation: Int, key: UInt64), _ names: EventDecoder, _ model: Int) -> Segment {
        guard slot.segmentation >= 0 else { return .all }
        let dimensions = segmentations[slot.segmentation]
        return Segment(
            dimensions.enumerated().map { i, dimension in
                let value = UInt16(truncatingIfNeeded: slot.key >> UInt64(16 * (dimensions.count - 1 - i)))
                guard value != EventBatch.noSegment else {
                    return Segment.Part(dimensionNames[dimension], SegmentLimit.other)
                }
                return Segment.Part(
                    dimensionNames[dimension], names.segmentValue(model: model, dimension: dimension, value))
            })
    }
}
