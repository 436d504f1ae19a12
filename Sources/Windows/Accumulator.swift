package import Events
import Sketches
package import Values

/// Batches to counts: each value is binned once and counted for all traffic and for each of the row's segments.
///
/// One accumulator per worker and model. Within a micro-batch codes are computed four columns at a time and counted group by group, so
/// that few counters have to be near at once.
package struct Accumulator {
    private let plans: GroupPlans
    private let settings: WindowSettings
    /// For each segmentation, the dimensions it crosses, as numbers of the schema's.
    private let segmentations: [[Int]]
    private let crosses: [Bool]
    private let dimensionNames: [String]
    private let maximumGroups: Int
    /// Stands for every combination of values past the limit: `noSegment` in each place, which no row has.
    private static let otherKey = UInt64(EventBatch.noSegment)

    /// The newest event time of each source, which decides what is late: a pure function of the source's own order, so that
    /// batching and other partitions cannot change it.
    private var clocks: [String: Timestamp] = [:]
    private var touchedSources: Set<String> = []
    private var blocks: [CountBlock] = []
    private var blockIndex: [BlockKey: Int] = [:]
    private var lateRows: [Timestamp: UInt64] = [:]
    private var rows: UInt64 = 0
    private var overflowRows: UInt64 = 0
    private var otherVersionRows: UInt64 = 0
    private let groups: HotGroups
    /// Counts that were packed before they were asked for, because hot ones would have taken too much memory.
    private var spilled = PaneDelta()
    private static let spillBytes = 64 << 20
    /// Groups that one row counts in, at most: all traffic and one of each segmentation.
    private let states: Int
    private var fields = FieldTally()
    private let encoder: RowEncoder
    private let segmentKeys: SegmentKeys

    private struct BlockKey: Hashable {
        let start: Timestamp
        let version: UInt16
    }

    /// - Parameter scratch: what several accumulators of one worker may share, one at a time.
    package init(
        plans: GroupPlans, settings: WindowSettings, dimensions: [String], segmentations: [[String]],
        scratch: CountScratch = CountScratch()
    ) {
        precondition(segmentations.allSatisfy { (1...4).contains($0.count) }, "a cross has one to four dimensions")
        self.plans = plans
        self.settings = settings
        encoder = RowEncoder(plans, scratch)
        maximumGroups = SegmentLimit.groups(plans.all.layout)
        dimensionNames = dimensions
        self.segmentations = segmentations.map { names in
            names.map { name in
                guard let index = dimensions.firstIndex(of: name) else {
                    preconditionFailure("segmentation names dimension \(name), which the schema does not have")
                }
                return index
            }
        }
        crosses = segmentations.map { $0.count > 1 }
        segmentKeys = SegmentKeys(self.segmentations)
        states = 1 + segmentations.count
        groups = HotGroups(states: states)
    }

    /// Where a source stood when its state was last stored. Also forgets a clock (`nil`) when the source goes elsewhere.
    package mutating func setClock(_ source: String, _ clock: Timestamp?) { clocks[source] = clock }

    /// Memory of the counters not yet taken.
    package var pendingBytes: Int { groups.bytes + spilled.packedBytes }

    /// Groups of counters not yet taken: one for each (pane, version, segment).
    package var groupCount: Int { groups.count }

    package var isEmpty: Bool { blocks.isEmpty && spilled.isEmpty && lateRows.isEmpty && touchedSources.isEmpty }

    /// Counts a batch's rows. `sources[i]` names the source that rows numbered `i` came from.
    package mutating func add(_ batch: EventBatch, names: EventDecoder, model: Int, sources: [String]) {
        let strays = names.strayFields(model: model)
        var first = 0
        while first < batch.count {
            let count = min(RowEncoder.maximumRows, batch.count - first)
            segmentKeys.compute(batch, from: first, count: count)
            assign(batch, from: first, count: count, names, model, sources)
            groups.count(batch, from: first, rows: count, encoder)
            if !strays.isEmpty {
                fields.add(strays, rows: first..<first + count, groups: groups.members, states: states)
            }
            first += count
            // One message may hold events of a thousand panes.
            if groups.bytes > Self.spillBytes { drain(names: names, model: model) }
        }
    }

    /// Finds the groups that each row counts in; a late row counts in none.
    private mutating func assign(
        _ batch: EventBatch, from first: Int, count: Int, _ names: EventDecoder, _ model: Int, _ sources: [String]
    ) {
        var pane = TimeRange(start: .distantFuture, end: .distantFuture)
        var source = -1
        var clock = Timestamp.distantPast
        // Of the block that the rows go to, so that nothing is looked up in an object for each row.
        var number = -1
        var blockVersion: UInt16 = 0
        var all = 0
        var remainder = -1
        var places: UnsafeMutablePointer<PlaceTable>?
        let lateness = settings.lateness.microseconds
        var counted: UInt64 = 0
        for row in 0..<count {
            let time = batch.timestamps[first &+ row]
            if Int(batch.sources[first &+ row]) != source {
                if source >= 0 { clocks[sources[source]] = clock }
                source = Int(batch.sources[first &+ row])
                clock = clocks[sources[source]] ?? .distantPast
                touchedSources.insert(sources[source])
            }
            if time.microseconds > clock.microseconds { clock = time }
            if time.microseconds < pane.start.microseconds || time.microseconds >= pane.end.microseconds {
                pane = settings.calendar.range(of: settings.pane, containing: time)
                number = -1
            }
            let own = groups.members + row &* states
            if pane.end.microseconds <= clock.microseconds &- lateness {
                lateRows[pane.start, default: 0] += 1
                for state in 0..<states { own[state] = -1 }
                continue
            }
            let version = batch.versions[first &+ row]
            if number < 0 || blockVersion != version {
                number = block(BlockKey(start: pane.start, version: version))
                blockVersion = version
                all = blocks[number].groups[0]
                remainder = blocks[number].remainder
                places = blocks[number].places
            }
            counted &+= 1
            own[0] = Int32(truncatingIfNeeded: all)
            groups.touch(all)
            let keys = segmentKeys.keys + row &* segmentKeys.count
            for s in 0..<segmentKeys.count {
                let group: Int
                if keys[s] != SegmentKeys.none {
                    group = places?[s].group(keys[s]) ?? open(blocks[number], s, keys[s], names, model)
                } else if s == 0 {
                    if remainder < 0 { remainder = openRemainder(blocks[number]) }
                    group = remainder
                } else {
                    own[s &+ 1] = -1
                    continue
                }
                own[s &+ 1] = Int32(truncatingIfNeeded: group)
                groups.touch(group)
            }
        }
        rows &+= counted
        if source >= 0 { clocks[sources[source]] = clock }
    }

    private mutating func block(_ key: BlockKey) -> Int {
        if let found = blockIndex[key] { return found }
        let all = groups.append(plans.all, segmentation: HotGroup.all, key: 0)
        let block = CountBlock(start: key.start, version: key.version, crosses: crosses, all: all)
        blockIndex[key] = blocks.count
        blocks.append(block)
        return blocks.count - 1
    }

    private mutating func openRemainder(_ block: CountBlock) -> Int {
        let group = groups.append(plans.all, segmentation: HotGroup.remainder, key: 0)
        block.appendRemainder(group)
        return group
    }

    /// The group of a combination that the block does not have yet.
    private mutating func open(
        _ block: CountBlock, _ segmentation: Int, _ key: UInt64, _ names: EventDecoder, _ model: Int
    ) -> Int {
        var key = key
        if block.groups.count >= maximumGroups {
            key = Self.otherKey
            overflowRows &+= 1
            if let other = block.places[segmentation].group(key) { return other }
        }
        let plan = plans.plan(for: segment(segmentation, key, names, model))
        let group = groups.append(plan, segmentation: segmentation, key: key)
        block.append(group, segmentation: segmentation, key: key)
        return group
    }

    /// Hands over what has been counted since the last call and starts empty. Clocks stay.
    package mutating func take(names: EventDecoder, model: Int) -> PaneDelta {
        drain(names: names, model: model)
        var delta = spilled
        spilled = PaneDelta()
        delta.rows = rows
        delta.overflowRows = overflowRows
        delta.otherVersionRows = otherVersionRows
        delta.generation = names.generation(model: model)
        delta.lateRows = lateRows
        for source in touchedSources { delta.clocks[source] = clocks[source] }
        lateRows = [:]
        touchedSources = []
        rows = 0
        overflowRows = 0
        otherVersionRows = 0
        return delta
    }

    /// Packs what the counters hold and starts new ones.
    private mutating func drain(names: EventDecoder, model: Int) {
        for block in blocks {
            let version = names.versionName(model: model, block.version)
            let none = [Moments](repeating: Moments(), count: plans.shared.momentsCount)
            var all = none
            for group in block.groups.dropFirst() {
                var sums = none
                var packed = groups.packed(group, adding: &sums)
                packed.fields = fields.counts(of: group) { names.strayName(model: model, $0) }
                let hot = groups.groups[group]
                let segmentation = Int(hot.segmentation)
                if segmentation == 0 || segmentation == HotGroup.remainder {
                    for m in all.indices { all[m].merge(sums[m]) }
                }
                guard segmentation != HotGroup.remainder else { continue }
                let key = GroupKey(version: version, segment: segment(segmentation, hot.key, names, model))
                spilled.add(packed, to: key, pane: block.start)
            }
            var packed = groups.packed(block.groups[0], adding: &all)
            packed.fields = fields.counts(of: block.groups[0]) { names.strayName(model: model, $0) }
            if version == SegmentLimit.other { otherVersionRows &+= packed.rows }
            spilled.add(packed, to: GroupKey(version: version, segment: .all), pane: block.start)
        }
        fields.removeAll()
        blocks.removeAll(keepingCapacity: true)
        blockIndex.removeAll(keepingCapacity: true)
        groups.removeAll()
    }

    private func segment(_ segmentation: Int, _ key: UInt64, _ names: EventDecoder, _ model: Int) -> Segment {
        guard segmentation >= 0 else { return .all }
        let dimensions = segmentations[segmentation]
        return Segment(
            dimensions.enumerated().map { i, dimension in
                let value = UInt16(truncatingIfNeeded: key >> UInt64(16 * (dimensions.count - 1 - i)))
                guard key != Self.otherKey else {
                    return Segment.Part(dimensionNames[dimension], SegmentLimit.other)
                }
                return Segment.Part(
                    dimensionNames[dimension], names.segmentValue(model: model, dimension: dimension, value))
            })
    }
}
