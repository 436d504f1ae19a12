/// The keys of one object of an event.
struct KeySection: BitwiseCopyable {
    enum Name: Int {
        case event, features, segments, prediction
    }

    let keys: ByteStringIndex
    /// By number of the key.
    let nodes: UnsafeMutablePointer<UnsafeMutablePointer<KeyNode>>
    /// For the section's opening brace.
    let opening: UnsafeMutablePointer<KeyNode>
    /// For keys that nobody knows and that found no node of their own.
    let other: UnsafeMutablePointer<KeyNode>
    /// Nodes for keys that nobody knows but that keep coming.
    fileprivate var spare: UnsafeMutablePointer<KeyNode>
    fileprivate var spares: Int

    fileprivate static let maximumSpares = 32
    private static let maximumSpareBytes = 64

    /// The node of a key; an unknown one gets a node of its own while there are any.
    mutating func node(_ key: UnsafeRawBufferPointer) -> UnsafeMutablePointer<KeyNode> {
        let number = keys.find(key)
        if number >= 0 { return nodes[number] }
        guard spares > 0, key.count <= Self.maximumSpareBytes else { return other }
        (nodes + keys.insert(key)).initialize(to: spare)
        defer {
            spare += 1
            spares -= 1
        }
        return spare
    }
}

/// The order of keys of one model's events as far as it has been learned, and what to do with each key's value.
struct KeyGraph: BitwiseCopyable {
    /// Bits of the members of an event, each of which may be there once.
    enum Part {
        static let type: UInt32 = 1 << 0
        static let model: UInt32 = 1 << 1
        static let version: UInt32 = 1 << 2
        static let id: UInt32 = 1 << 3
        static let timestamp: UInt32 = 1 << 4
        static let features: UInt32 = 1 << 5
        static let segments: UInt32 = 1 << 6
        static let prediction: UInt32 = 1 << 7
        static let label: UInt32 = 1 << 8
        /// Not a member of the event: the prediction's `score`, which counts before its `value`.
        static let score: UInt32 = 1 << 9
        /// What is read differently for each model.
        static let modelSpecific = version | features | segments | prediction
    }

    let unlearned: UnsafeMutablePointer<KeyNode>
    let end: UnsafeMutablePointer<KeyNode>
    let model: UnsafeMutablePointer<KeyNode>
    /// The model's name as it stands in an event, in quotes, padded with zeros; empty where it needs escapes.
    let name: UnsafeMutablePointer<UInt64>
    let nameBytes: Int
    let categories: UnsafeMutablePointer<ModelTables.Categories>
    let dimensions: UnsafeMutablePointer<ModelTables.Dimension>
    let versions: ByteStringIndex
    /// By `KeySection.Name`.
    let sections: UnsafeMutablePointer<KeySection>
    private let nodes: UnsafeMutablePointer<KeyNode>
    private let nodeCount: Int

    init(_ tables: ModelTables, name modelName: String) {
        var keys: [[(name: String, node: NodePlan)]] = [
            Self.eventKeys(tables.prediction), [], [], Self.predictionKeys(tables.prediction),
        ]
        for feature in 0..<tables.features.count {
            keys[1].append((tables.features.name(feature), NodePlan(feature: feature, tables)))
        }
        for dimension in 0..<tables.dimensionNames.count {
            keys[2].append((tables.dimensionNames.name(dimension), NodePlan(.segment, dimension: dimension)))
        }
        // Two for no key, and in each section two for its brace and for the keys without a node.
        nodeCount = 2 + keys.reduce(0) { $0 + $1.count + 2 + KeySection.maximumSpares }
        let nodes = UnsafeMutablePointer<KeyNode>.allocate(capacity: nodeCount)
        var next = nodes
        func add(
            _ plan: NodePlan, _ section: KeySection.Name, isOpening: Bool = false
        ) -> UnsafeMutablePointer<KeyNode> {
            var node = KeyNode(plan.action, section, isOpening: isOpening, unlearned: nodes)
            node.column = Int32(plan.column)
            node.dimension = Int32(plan.dimension)
            node.part = plan.part
            next.initialize(to: node)
            defer { next += 1 }
            return next
        }
        unlearned = add(NodePlan(.unlearned), .event)
        end = add(NodePlan(.end), .event)
        sections = .allocate(capacity: keys.count)
        var model = nodes
        for (i, list) in keys.enumerated() {
            guard let section = KeySection.Name(rawValue: i) else { continue }
            let index = ByteStringIndex(minimumCapacity: list.count + KeySection.maximumSpares)
            let bySection = UnsafeMutablePointer<UnsafeMutablePointer<KeyNode>>
                .allocate(capacity: list.count + KeySection.maximumSpares)
            for (name, plan) in list {
                let node = add(plan, section)
                (bySection + index.insert(name)).initialize(to: node)
                if plan.action == .model { model = node }
            }
            let opening = add(NodePlan(.skip), section, isOpening: true)
            let unknown = NodePlan(section == .features ? .unknownFeature : .skip)
            let other = add(unknown, section)
            let spare = next
            for _ in 0..<KeySection.maximumSpares { _ = add(unknown, section) }
            (sections + i).initialize(
                to: KeySection(
                    keys: index, nodes: bySection, opening: opening, other: other, spare: spare,
                    spares: KeySection.maximumSpares))
        }
        categories = tables.categories
        dimensions = tables.dimensions
        versions = tables.versions
        self.model = model
        self.nodes = nodes
        let needsEscapes = modelName.utf8.contains { $0 < 0x20 || $0 == 0x22 || $0 == 0x5c }
        let quoted = needsEscapes ? [] : [0x22] + Array(modelName.utf8) + [0x22]
        nameBytes = quoted.count
        name = .allocate(capacity: quoted.count / 8 + 1)
        name.initialize(repeating: 0, count: quoted.count / 8 + 1)
        UnsafeMutableRawBufferPointer(start: name, count: quoted.count).copyBytes(from: quoted)
    }

    func destroy() {
        for i in 0..<nodeCount { nodes[i].destroy() }
        nodes.deallocate()
        name.deallocate()
        for i in 0..<4 {
            sections[i].keys.destroy()
            sections[i].nodes.deallocate()
        }
        sections.deallocate()
    }

    /// What a node is made of.
    private struct NodePlan {
        var action: KeyNode.Action
        var column = -1
        var dimension = -1
        var part: UInt32 = 0

        init(_ action: KeyNode.Action, column: Int = -1, dimension: Int = -1, part: UInt32 = 0) {
            self.action = action
            self.column = column
            self.dimension = dimension
            self.part = part
        }

        init(feature: Int, _ tables: ModelTables) {
            let dimension = tables.dimensionOfFeature[feature] ?? -1
            switch tables.targets[feature] {
            case .numeric(let column):
                self.init(dimension < 0 ? .number : .dimensionNumber, column: column, dimension: dimension)
            case .categorical(let column): self.init(.category, column: column, dimension: dimension)
            case .ignored: self.init(dimension < 0 ? .skip : .dimensionOnly, dimension: dimension)
            }
        }
    }

    private static func eventKeys(_ target: ModelTables.Target?) -> [(name: String, node: NodePlan)] {
        var prediction = NodePlan(.prediction, part: Part.prediction)
        switch target {
        case .numeric(let column), .categorical(let column): prediction.column = column
        case .ignored, nil: break
        }
        return [
            ("type", NodePlan(.type, part: Part.type)), ("model", NodePlan(.model, part: Part.model)),
            ("version", NodePlan(.version, part: Part.version)), ("id", NodePlan(.id, part: Part.id)),
            ("ts", NodePlan(.timestamp, part: Part.timestamp)), ("label", NodePlan(.label, part: Part.label)),
            ("features", NodePlan(.features, part: Part.features)),
            ("segments", NodePlan(.segments, part: Part.segments)),
            ("prediction", prediction),
        ]
    }

    private static func predictionKeys(_ target: ModelTables.Target?) -> [(name: String, node: NodePlan)] {
        switch target {
        case .numeric(let column):
            [
                ("score", NodePlan(.score, column: column)), ("value", NodePlan(.value, column: column)),
                ("label", NodePlan(.outcomeClass)), ("scores", NodePlan(.skip)),
            ]
        case .categorical(let column):
            [
                ("score", NodePlan(.skip)), ("value", NodePlan(.skip)),
                ("label", NodePlan(.predictedLabel, column: column)), ("scores", NodePlan(.classScores)),
            ]
        case .ignored, nil: []
        }
    }
}
