import Events
import Values

/// One decoder that may read fast and one that reads every event the general way: whatever comes, they must agree in every cell,
/// number and counter.
struct DecoderPair {
    private(set) var fast: EventDecoder
    private(set) var general: EventDecoder
    private let models: Int
    private var rejections: (fast: [Rejection], general: [Rejection]) = ([], [])
    /// Rows and rejections that were compared so far.
    private(set) var rows: Int
    private(set) var refused: Int
    /// Of the last message: the events read in one pass, and the rows of each model and dimension that shared a number.
    private(set) var lastFastEvents: UInt64 = 0
    private(set) var lastOverflow: [[UInt64]] = []

    /// - Parameter before: a pair whose rows and rejections count on.
    init(_ schemas: [ModelSchema], after before: DecoderPair? = nil) {
        rows = before?.rows ?? 0
        refused = before?.refused ?? 0
        fast = EventDecoder(schemas)
        general = EventDecoder(schemas, isFast: false)
        models = schemas.count
    }

    /// Decodes a message both ways, from memory of exactly its size.
    /// - Returns: what differs, `nil` where nothing does.
    mutating func decode(_ message: [UInt8], defaults: TopicDefaults, now: Timestamp?, source: UInt16 = 0) -> String? {
        rejections = ([], [])
        fast.source = source
        general.source = source
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: message.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: message)
        var found: [Rejection] = []
        fast.decode(UnsafeRawBufferPointer(copy), defaults: defaults, now: now) { found.append($0) }
        rejections.fast = found
        found = []
        general.decode(UnsafeRawBufferPointer(copy), defaults: defaults, now: now) { found.append($0) }
        rejections.general = found
        defer {
            for model in 0..<models {
                fast.removeAll(model: model)
                general.removeAll(model: model)
            }
        }
        return difference()
    }

    private mutating func difference() -> String? {
        let described = (rejections.fast.map(Self.describe), rejections.general.map(Self.describe))
        if described.0 != described.1 { return "rejections \(described.0) and \(described.1)" }
        refused += described.0.count
        for model in 0..<models {
            if let found = Self.difference(fast.batches[model], general.batches[model]) {
                return "model \(model): \(found)"
            }
            rows += fast.batches[model].count
        }
        lastFastEvents = fast.fastEvents
        let counted = (fast.takeCounters(), general.takeCounters())
        if counted.0 != counted.1 { return "counters \(counted.0) and \(counted.1)" }
        lastOverflow = counted.0.overflow
        return nil
    }

    private static func describe(_ rejection: Rejection) -> String {
        "\(rejection.index) \(rejection.range) \(rejection.reason) \(rejection.detail)"
    }

    private static func difference(_ a: EventBatch, _ b: EventBatch) -> String? {
        guard a.count == b.count else { return "\(a.count) and \(b.count) rows" }
        for i in 0..<a.count * a.numberWidth where a.numbers[i].bitPattern != b.numbers[i].bitPattern {
            return "numbers \(a.numbers[i]) and \(b.numbers[i]) in cell \(i)"
        }
        for i in 0..<a.count * a.codeWidth where a.codes[i] != b.codes[i] {
            return "codes \(a.codes[i]) and \(b.codes[i]) in cell \(i)"
        }
        for i in 0..<a.count * a.segmentWidth where a.segments[i] != b.segments[i] {
            return "segments \(a.segments[i]) and \(b.segments[i]) in cell \(i)"
        }
        for i in 0..<a.count {
            if a.timestamps[i] != b.timestamps[i] { return "times \(a.timestamps[i]) and \(b.timestamps[i])" }
            if a.versions[i] != b.versions[i] { return "versions \(a.versions[i]) and \(b.versions[i])" }
            if a.sources[i] != b.sources[i] { return "sources \(a.sources[i]) and \(b.sources[i])" }
        }
        return differenceOfOutcomes(a, b)
    }

    private static func differenceOfOutcomes(_ a: EventBatch, _ b: EventBatch) -> String? {
        guard let x = a.outcomes, let y = b.outcomes else { return nil }
        func text(_ value: Double) -> UInt64 { value.bitPattern }
        let predictions = (
            x.predictions.map { [UInt64($0.row), UInt64(bitPattern: Int64($0.predicted)), $0.id, text($0.label)] },
            y.predictions.map { [UInt64($0.row), UInt64(bitPattern: Int64($0.predicted)), $0.id, text($0.label)] }
        )
        if predictions.0 != predictions.1 { return "outcomes \(predictions.0) and \(predictions.1)" }
        let labels = (
            x.labels.map { [$0.id, UInt64(bitPattern: $0.time.microseconds), text($0.value)] },
            y.labels.map { [$0.id, UInt64(bitPattern: $0.time.microseconds), text($0.value)] }
        )
        if labels.0 != labels.1 { return "labels \(labels.0) and \(labels.1)" }
        return x.classNames == y.classNames ? nil : "classes \(x.classNames) and \(y.classNames)"
    }
}
