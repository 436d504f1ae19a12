import Values

/// Reads an event in one pass, straight into its batch's row, by the order of keys that earlier events of the model had.
///
/// It knows the usual forms of an event and only those; whatever else comes, it declines, and the general way (`EventParts`,
/// `ModelReader`) reads the event anew. Both give the same row, bit for bit. To decline leaves no trace: the row is not committed, and
/// neither versions nor segment values are numbered here; an event that would add one is declined.
///
/// The text is read by words of eight bytes, never past its end: what is left of a message where such a read might not fit goes
/// on in a small buffer, padded with zeros. No token runs through a NUL byte, so none runs past the text's end there either.
final class LearnedReader {
    typealias Part = KeyGraph.Part

    /// What is known of the event being read.
    struct State {
        /// The text ends here; words may be read up to `readable`, which is behind it in the padded buffer.
        var end: UnsafeRawPointer
        var readable: UnsafeRawPointer
        /// Behind this the padded buffer takes over.
        var tailFrom: UnsafeRawPointer
        /// The message's text from where the padded buffer took over, `nil` before.
        var tailOrigin: UnsafeRawPointer?
        /// Nesting depth of the event within its message.
        var depth = 0

        var modelIndex = 0
        var graph: UnsafeMutablePointer<KeyGraph>
        var numbers: UnsafeMutablePointer<Double>
        var codes: UnsafeMutablePointer<UInt16>
        var segments: UnsafeMutablePointer<UInt16>
        /// Parts of the event that were there.
        var seen: UInt32 = 0
        /// Dimensions whose value came from `segments`, which count before those from `features`.
        var dimensionsTaken: UInt64 = 0
        /// The event names a version or a segment value that has no number yet.
        var hasNewName = false
        var unknownKeys: UInt64 = 0
        var kind: EventKind?
        var time = Timestamp(microseconds: 0)
        var version: UInt16 = 0
        /// The event belongs to this model, not to the one assumed, and too much was read to go on; −1 otherwise.
        var otherModel = -1

        /// For the join with labels (`commitOutcome`).
        var identity: Slice
        var label: Slice
        /// What `label` means, once it is known to be one.
        var labelValue = Double.nan
        var predicted: Slice

        /// What `scanKeys` came to.
        var found: UnsafeMutablePointer<KeyNode>
        /// The number that `longNumber` read.
        var number = 0.0
    }

    /// Twice what may be left when the padded buffer takes over, and more.
    static let tailBytes = 512

    /// On the heap and reached by a pointer, as all else here, so that no access is checked for exclusivity and no object counted.
    let state: UnsafeMutablePointer<State>
    /// By model.
    let graphs: UnsafeMutablePointer<KeyGraph>
    /// By model: its batch's rows.
    let rows: UnsafeMutablePointer<UnsafeMutablePointer<EventRows>>
    let powers = PowersOfTen.shared
    let days: UnsafeMutablePointer<KnownDay>
    /// By model; they own the names that the graphs point to.
    let tables: [ModelTables]
    let modelNames: ByteStringTable
    /// By model: how many rows its batch had before the message.
    let rowsBefore: UnsafeMutablePointer<Int>
    /// By model, its batch's outcomes where somebody asks for them.
    let collects: [OutcomeRows?]
    let tail: UnsafeMutableRawPointer
    let strays: StrayFields
    /// Keeps the rows' memory alive.
    private let batches: [EventBatch]

    /// `nil` where a model is not one the reader can keep track of.
    init?(_ tables: [ModelTables], batches: [EventBatch], modelNames: ByteStringTable, strays: StrayFields) {
        guard !tables.isEmpty, modelNames.count == tables.count, tables.allSatisfy({ $0.dimensionCount <= 64 }) else {
            return nil
        }
        self.strays = strays
        self.tables = tables
        self.batches = batches
        collects = batches.map(\.outcomes)
        self.modelNames = modelNames
        graphs = .allocate(capacity: tables.count)
        rows = .allocate(capacity: tables.count)
        for i in tables.indices {
            (graphs + i).initialize(to: KeyGraph(tables[i], name: modelNames.name(i)))
            (rows + i).initialize(to: batches[i].rows)
        }
        rowsBefore = .allocate(capacity: tables.count)
        rowsBefore.initialize(repeating: 0, count: tables.count)
        tail = .allocate(byteCount: Self.tailBytes, alignment: 8)
        tail.initializeMemory(as: UInt8.self, repeating: 0, count: Self.tailBytes)
        days = .allocate(capacity: KnownDay.count)
        days.initialize(repeating: KnownDay(), count: KnownDay.count)
        state = .allocate(capacity: 1)
        let row = rows[0].pointee
        state.initialize(
            to: State(
                end: UnsafeRawPointer(tail), readable: UnsafeRawPointer(tail), tailFrom: UnsafeRawPointer(tail),
                graph: graphs, numbers: row.numbers,
                codes: row.codes, segments: row.segments, identity: .none(tail), label: .none(tail),
                predicted: .none(tail), found: graphs.pointee.unlearned))
    }

    deinit {
        for i in tables.indices { graphs[i].destroy() }
        graphs.deallocate()
        rows.deallocate()
        rowsBefore.deallocate()
        tail.deallocate()
        days.deallocate()
        state.deallocate()
    }

    /// Reads the event that begins at `position` into the row after its model's last one.
    /// - Returns: where the event ends; `nil` where the general way must read it.
    func read(
        _ message: UnsafeRawBufferPointer, at position: Int, depth: Int, defaults: TopicDefaults
    ) -> Int? {
        guard position < message.count, let base = message.baseAddress, WordScan.byte(base, position) == 0x7b else {
            return nil
        }
        var model = state.pointee.modelIndex
        // The second time the model is known, wherever it stands.
        for _ in 0..<2 {
            begin(base, message.count, depth, model)
            if let end = readEvent(base + position + 1) {
                if state.pointee.seen & Part.model != 0 { return end - base }
                guard let name = defaults.model else { return nil }
                guard let named = modelNumber(name) else { return nil }
                if named == state.pointee.modelIndex { return end - base }
                state.pointee.otherModel = named
            }
            model = state.pointee.otherModel
            guard model >= 0 else { return nil }
        }
        return nil
    }

    private func modelNumber(_ name: String) -> Int? {
        var copy = name
        return copy.withUTF8 { modelNames.find(UnsafeRawBufferPointer($0)) }
    }

    @inline(__always)
    private func begin(_ base: UnsafeRawPointer, _ count: Int, _ depth: Int, _ model: Int) {
        state.pointee.end = base + count
        state.pointee.readable = base + count
        state.pointee.tailFrom = base + (count &- KeyNode.reach)
        state.pointee.tailOrigin = nil
        state.pointee.depth = depth
        state.pointee.seen = 0
        state.pointee.dimensionsTaken = 0
        state.pointee.hasNewName = false
        state.pointee.unknownKeys = 0
        state.pointee.kind = nil
        state.pointee.otherModel = -1
        state.pointee.identity.count = -1
        state.pointee.label.count = -1
        state.pointee.predicted.count = -1
        assume(model)
    }

    /// Goes on as an event of the given model.
    func assume(_ model: Int) {
        let rows = rows[model]
        rows.pointee.beginUsual()
        let count = rows.pointee.count
        state.pointee.modelIndex = model
        state.pointee.graph = graphs + model
        state.pointee.numbers = rows.pointee.numbers + count &* rows.pointee.numberWidth
        state.pointee.codes = rows.pointee.codes + count &* rows.pointee.codeWidth
        state.pointee.segments = rows.pointee.segments + count &* rows.pointee.segmentWidth
    }

    /// Goes on in the padded buffer, where words may be read behind the text's end.
    @inline(never)
    func enterTail(_ p: UnsafeRawPointer) -> UnsafeRawPointer {
        guard state.pointee.tailOrigin == nil else { return p }
        let left = state.pointee.end - p
        tail.copyMemory(from: p, byteCount: left)
        (tail + left).initializeMemory(as: UInt8.self, repeating: 0, count: KeyNode.valueReach)
        state.pointee.tailOrigin = p
        state.pointee.end = UnsafeRawPointer(tail) + left
        state.pointee.readable = UnsafeRawPointer(tail) + Self.tailBytes
        state.pointee.tailFrom = state.pointee.readable
        return UnsafeRawPointer(tail)
    }

    /// Whether the text goes on with a value, and not with more white space than last time.
    @inline(__always)
    private func isValue(_ p: UnsafeRawPointer, _ node: UnsafeMutablePointer<KeyNode>) -> Bool {
        WordScan.byte(p) > 0x20 || node.pointee.action == .end
    }

    /// From the event's first key to behind its last brace.
    private func readEvent(_ first: UnsafeRawPointer) -> UnsafeRawPointer? {
        let state = state
        var p = first
        var node = state.pointee.graph.pointee.sections[KeySection.Name.event.rawValue].opening
        while true {
            if p > state.pointee.tailFrom { p = enterTail(p) }
            if node.pointee.matches(p), isValue(p + node.pointee.length, node.pointee.successor) {
                p += node.pointee.length
                node = node.pointee.successor
            } else {
                guard let value = scanKeys(node, p) else { return nil }
                p = value
                node = state.pointee.found
            }
            let next: UnsafeRawPointer?
            switch node.pointee.action {
            case .number: next = numberCell(p, node)
            case .category: next = categoryCell(p, node)
            case .segment: next = segmentCell(p, node)
            case .score:
                next = numberCell(p, node)
                state.pointee.seen |= Part.score
            case .timestamp: next = timestamp(p)
            case .model:
                next = model(p)
                node = state.pointee.graph.pointee.model
            case .version: next = version(p)
            case .id: next = id(p)
            case .end:
                guard let origin = state.pointee.tailOrigin else { return p }
                return origin + (p - UnsafeRawPointer(tail))
            case .unlearned: return nil
            case .features, .segments, .prediction:
                next = member(p, node)
                node = state.pointee.found
            case .dimensionNumber, .dimensionOnly, .skip, .unknownFeature, .type, .label, .value, .predictedLabel,
                .outcomeClass, .classScores:
                next = rareCell(p, node)
            }
            guard let next else { return nil }
            p = next
        }
    }
}
