package import Events
import Kafka
package import Values
package import Windows

/// The front of the engine: messages to counts. One per worker, sharing nothing; what it has counted leaves it as an `IntakeDelta`.
package struct Intake {
    /// Rows are counted in micro-batches of so many, as far as they take no more memory than that, with room for what may come between
    /// two looks. A batch may hold rows of many panes: what is behind is read partition after partition.
    private static let batchRows = (least: 1_984, most: 8_192 - messagesBetweenLooks)
    private static let batchBytes = 32 << 20
    /// So many messages come before the batches are looked at again: there may be hundreds of models.
    private static let messagesBetweenLooks = 64
    /// A message of so many bytes may hold many events.
    private static let largeMessage = 16 << 10

    private var decoder: EventDecoder
    private let schemas: [ModelSchema]
    private let places: [NamePlaces]
    private let limitsWholeMessages: Bool
    private let tolerance: FutureTolerance
    private var accumulators: [Accumulator]
    private var collectors: [JoinCollector]
    private let names: [(model: String, dimensions: [String])]
    private var sources: [String] = []
    private var sourceNumbers: [String: Int] = [:]
    /// The offset to read next, by number of the source; `nil` where nothing came since the last step.
    private var nextOffsets: [Int64?] = []
    private var routes: [Route] = []
    /// Numbers of sources and of routes that were given up.
    private var freeSources: [Int] = []
    private var freeRoutes: [Int] = []
    /// Where the messages come from now: asked anew only when it changes.
    private var current = -1
    private var currentSource = 0
    private var currentDefaults = TopicDefaults()
    private var topic = ""
    private var messagesUnseen = 0
    /// By model, the rows that are worth counting.
    private let enough: [Int]
    private var delta = IntakeDelta()
    private var times = WorkTimes()

    /// A source's messages with what its topic says of them.
    private struct Route {
        let source: Int
        let topic: String
        let defaults: TopicDefaults
    }

    /// - Parameters:
    ///   - limitsWholeMessages: false where a message is a request's body with a limit of its own.
    ///   - tolerance: how far ahead of the clock that comes with messages their events may be.
    package init(
        _ models: [MonitoredModel], limitsWholeMessages: Bool = true, tolerance: FutureTolerance = .live
    ) {
        schemas = models.map(\.schema)
        places = models.map(\.places)
        self.limitsWholeMessages = limitsWholeMessages
        self.tolerance = tolerance
        decoder = EventDecoder(schemas, places: places)
        decoder.tolerance = tolerance
        decoder.limitsWholeMessages = limitsWholeMessages
        names = models.map { ($0.name, $0.schema.dimensions) }
        enough = decoder.batches.map { batch in
            let rows = Self.batchBytes / max(1, models.count) / batch.rowBytes
            return min(max(Self.batchRows.least, rows), Self.batchRows.most)
        }
        let scratch = CountScratch()
        collectors = models.map { JoinCollector(schema: $0.schema, sample: $0.performance?.sample ?? 1) }
        accumulators = models.map {
            Accumulator(
                plans: $0.plans, settings: $0.window, dimensions: $0.schema.dimensions,
                segmentations: $0.segmentations, scratch: scratch)
        }
    }

    /// Counts that wait past this are handed over before their time: events far apart in time fill many panes.
    private static let pendingBytesMaximum = 256 << 20
    /// Of all models; kept rather than asked for, because it is asked for after each message.
    private var pendingBytes = 0

    var isFull: Bool { pendingBytes > Self.pendingBytesMaximum }

    /// Memory of the counters not handed over yet, and how many (pane, version, segment) have some.
    package var pending: (bytes: Int, groups: Int) {
        accumulators.reduce((0, 0)) { ($0.0 + $1.pendingBytes, $0.1 + $1.groupCount) }
    }

    /// A source begins or goes on where the ledger left it.
    package mutating func setClock(_ source: String, model: Int, _ clock: Timestamp?) {
        accumulators[model].setClock(source, clock)
    }

    /// A number for `add`, so that a message brings no names along.
    ///
    /// - Parameters:
    ///   - source: names the file or partition in clocks and offsets.
    ///   - topic: what its events are counted under.
    package mutating func route(source: String, topic: String, defaults: TopicDefaults) -> Int {
        let number: Int
        if let known = sourceNumbers[source] {
            number = known
        } else if let free = freeSources.popLast() {
            number = free
            sources[number] = source
        } else {
            precondition(sources.count < 65_000, "too many sources")
            number = sources.count
            sources.append(source)
            nextOffsets.append(nil)
        }
        sourceNumbers[source] = number
        let route = Route(source: number, topic: topic, defaults: defaults)
        guard let free = freeRoutes.popLast() else {
            routes.append(route)
            return routes.count - 1
        }
        routes[free] = route
        return free
    }

    /// Gives a route and its source up, with the source's clocks: their numbers may come to stand for others. Nothing of the source may be
    /// waiting for `take`, and no other route of it may be in use.
    package mutating func close(route: Int) {
        let number = routes[route].source
        precondition(nextOffsets[number] == nil, "counts of the source have not been handed over")
        for model in accumulators.indices { accumulators[model].setClock(sources[number], nil) }
        sourceNumbers[sources[number]] = nil
        freeSources.append(number)
        freeRoutes.append(route)
        if current == route { current = -1 }
    }

    /// Takes one message of a route, whose source's next offset is then `offset` + 1.
    package mutating func add(
        _ message: UnsafeRawBufferPointer, route: Int, offset: Int64, now: Timestamp?, reject: (Rejection) -> Void
    ) {
        if route != current { turn(to: route) }
        decoder.decode(message, defaults: currentDefaults, now: now) { rejection in
            delta.rejected[RejectedKey(topic: topic, reason: rejection.reason), default: 0] += 1
            reject(rejection)
        }
        nextOffsets[currentSource] = offset + 1
        look(message.count)
    }

    /// Takes one message in Avro. Where its schema is not known, nothing is counted and the source's offset stays.
    package mutating func addAvro(
        _ message: UnsafeRawBufferPointer, route: Int, offset: Int64, now: Timestamp?, reject: (Rejection) -> Void
    ) -> AvroOutcome {
        if route != current { turn(to: route) }
        let outcome = decoder.decodeAvro(message, defaults: currentDefaults, now: now) { rejection in
            delta.rejected[RejectedKey(topic: topic, reason: rejection.reason), default: 0] += 1
            reject(rejection)
        }
        guard case .done = outcome else { return outcome }
        nextOffsets[currentSource] = offset + 1
        look(message.count)
        return .done
    }

    /// Makes the schema of a number known, as its registry has it.
    package mutating func setSchema(_ id: UInt32, _ json: [UInt8]) {
        json.withUnsafeBytes { decoder.setSchema(id, $0) }
    }

    @inline(__always)
    private mutating func look(_ bytes: Int) {
        messagesUnseen &+= bytes < Self.largeMessage ? 1 : Self.messagesBetweenLooks
        guard messagesUnseen >= Self.messagesBetweenLooks else { return }
        messagesUnseen = 0
        for model in accumulators.indices where decoder.batches[model].count >= enough[model] {
            let began = ThreadClock.nanoseconds
            count(model)
            times[.count] &+= ThreadClock.nanoseconds - began
        }
    }

    private mutating func turn(to route: Int) {
        let next = routes[route]
        if next.topic != topic { countEvents() }
        topic = next.topic
        current = route
        currentSource = next.source
        currentDefaults = next.defaults
        decoder.source = UInt16(next.source)
    }

    private mutating func countEvents() {
        let counters = decoder.takeCounters()
        for kind in EventKind.allCases where counters.kinds[kind.rawValue] > 0 {
            delta.events[EventKey(topic: topic, kind: kind), default: 0] += counters.kinds[kind.rawValue]
        }
        delta.unknownKeys += counters.unknownKeys
        for (model, dimensions) in counters.overflow.enumerated() {
            for (dimension, rows) in dimensions.enumerated() where rows > 0 {
                let key = SegmentOverflowKey(model: names[model].model, dimension: names[model].dimensions[dimension])
                delta.segmentOverflow[key, default: 0] += rows
            }
        }
    }

    private mutating func count(_ model: Int) {
        let before = accumulators[model].pendingBytes
        pendingBytes -= collectors[model].pendingBytes
        collectors[model].add(decoder.batches[model], names: decoder, model: model)
        pendingBytes += collectors[model].pendingBytes
        accumulators[model].add(decoder.batches[model], names: decoder, model: model, sources: sources)
        pendingBytes += accumulators[model].pendingBytes - before
        decoder.removeAll(model: model)
    }

    /// Hands over what was counted since the last time.
    package mutating func take() -> IntakeDelta {
        let began = ThreadClock.nanoseconds
        for model in accumulators.indices { count(model) }
        let counted = ThreadClock.nanoseconds
        defer {
            times[.count] &+= counted - began
            times[.pack] &+= ThreadClock.nanoseconds - counted
        }
        countEvents()
        var taken = delta
        for number in nextOffsets.indices {
            if let offset = nextOffsets[number] { taken.offsets[sources[number]] = offset }
            nextOffsets[number] = nil
        }
        delta = IntakeDelta()
        pendingBytes = 0
        taken.models = accumulators.indices.map { accumulators[$0].take(names: decoder, model: $0) }
        taken.joins = collectors.indices.map { collectors[$0].take() }
        for (model, pane) in taken.models.enumerated() where pane.overflowRows > 0 {
            let key = SegmentOverflowKey(model: names[model].model, dimension: SegmentOverflowKey.combination)
            taken.segmentOverflow[key, default: 0] += pane.overflowRows
        }
        for (model, pane) in taken.models.enumerated() where pane.otherVersionRows > 0 {
            let key = SegmentOverflowKey(model: names[model].model, dimension: SegmentOverflowKey.version)
            taken.segmentOverflow[key, default: 0] += pane.otherVersionRows
        }
        renewNames()
        return taken
    }

    /// CPU time of counting and packing since this was last taken.
    mutating func takeTimes() -> WorkTimes {
        defer { times = WorkTimes() }
        return times
    }

    /// Of that, so far.
    var spent: Int64 { times.sum }

    /// Names were given other places: now that no row waits, the events to come are read with those. What the decoder learned of their
    /// form it learns again; this happens once for a pane at most, and only to a model with more names than places.
    private mutating func renewNames() {
        guard places.indices.contains(where: { places[$0].generation != decoder.generation(model: $0) }) else { return }
        decoder = EventDecoder(schemas, places: places)
        decoder.limitsWholeMessages = limitsWholeMessages
        decoder.tolerance = tolerance
        for model in collectors.indices { collectors[model].forgetClasses() }
        // What comes next says again where it comes from, and asks again for the schemas of Avro messages.
        current = -1
    }
}

package struct EventKey: Hashable, Sendable {
    package let topic: String
    package let kind: EventKind
}

package struct RejectedKey: Hashable, Sendable {
    package let topic: String
    package let reason: RejectReason
}

package struct SegmentOverflowKey: Hashable, Sendable {
    /// In place of a dimension: combinations of values for which a pane has no room.
    static let combination = "*"
    /// In place of a dimension: versions beyond those the registry knows and the most there may be.
    static let version = "version"
    package let model: String
    package let dimension: String
}

/// What some messages add: counts for each model, and the offsets they cover.
package struct IntakeDelta: Sendable {
    /// By the number of the model.
    package var models: [PaneDelta] = []
    /// By the number of the model: what the join of labels needs.
    package var joins: [JoinDelta] = []
    /// For each source, the offset to read next.
    package var offsets: [String: Int64] = [:]
    package var events: [EventKey: UInt64] = [:]
    package var rejected: [RejectedKey: UInt64] = [:]
    package var unknownKeys: UInt64 = 0
    /// Rows counted under `(other)` because their dimension has as many values as it may.
    package var segmentOverflow: [SegmentOverflowKey: UInt64] = [:]

    var isEmpty: Bool { offsets.isEmpty }
}

/// Which sources may still bring older rows of a model.
struct SourceActivity: Sendable, Equatable {
    /// Sources that hold the watermark back: they are not read to their end, or rows of the model came lately.
    var active: [String] = []
    /// How long every other source has been silent.
    var idle = Span.zero
    /// Nothing is known now (no assignment, brokers away): the watermark stays.
    var isHeld = false
}
