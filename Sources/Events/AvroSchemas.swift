/// The schemas a decoder knows, and their programs. A program is compiled when the first message needs it.
struct AvroSchemas {
    private enum Known {
        case usable(Entry)
        case bad(AvroSchemaError)
    }

    private struct Entry {
        let schema: AvroSchema
        let shape: AvroEventShape
        /// By model.
        var programs: [AvroProgram?]
        /// For messages of no known model.
        let bare: AvroProgram
        /// The model of the last message.
        var lastModel = 0
    }

    /// The last message's program: mostly the next one's, too.
    struct Choice {
        let id: UInt32
        let model: Int
        let hasModel: Bool
        /// The model's performance is watched.
        let joins: Bool
        let program: UnsafePointer<AvroProgram.View>
        /// The model's; the decoder keeps it.
        let batch: Unmanaged<EventBatch>
    }

    private struct Defaults {
        let topic: TopicDefaults
        var model: Int?
        var version: (model: Int, number: UInt16)?

        /// Whether two topics say the same, by the bits of their strings first: this is asked for each message.
        @inline(__always)
        func isOf(_ other: TopicDefaults) -> Bool {
            // The strings kept here keep their storage, so other strings with the same bits are the same.
            let same = withUnsafeBytes(of: topic) { a in
                withUnsafeBytes(of: other) { b in
                    for i in 0..<MemoryLayout<TopicDefaults>.size / 8
                    where a.load(fromByteOffset: 8 * i, as: UInt64.self)
                        != b.load(fromByteOffset: 8 * i, as: UInt64.self)
                    {
                        return false
                    }
                    return true
                }
            }
            return same || topic.model == other.model && topic.version == other.version
        }
    }

    private let models: [ModelSchema]
    private var known: [UInt32: Known] = [:]
    private(set) var last: Choice?
    /// What the last message's topic says, and what that means here.
    private var defaults = Defaults(topic: TopicDefaults())
    let scratch: AvroScratch
    /// The row of programs of no model, which write no cell.
    let bareBatch: EventBatch

    init(_ models: [ModelSchema]) {
        self.models = models
        let bare = ModelSchema(model: "", columns: [], dimensions: [])
        bareBatch = EventBatch(schema: bare)
        scratch = AvroScratch(dimensions: models.map(\.dimensions.count).max() ?? 0)
    }

    mutating func set(_ id: UInt32, _ text: UnsafeRawBufferPointer) {
        if last?.id == id { last = nil }
        do throws(AvroSchemaError) {
            let schema = try AvroSchemaParser.parse(text)
            let shape = try AvroEventShape(schema)
            let bare = AvroCompiler(schema: schema, shape: shape, targets: AvroTargets()).compile(model: nil)
            known[id] = .usable(
                Entry(schema: schema, shape: shape, programs: models.map { _ in nil }, bare: bare))
        } catch {
            known[id] = .bad(error)
        }
    }

    func isKnown(_ id: UInt32) -> Bool { known[id] != nil }

    /// Why messages of a known schema are refused, `nil` where they are read.
    func fault(_ id: UInt32) -> AvroSchemaError? {
        if case .bad(let error) = known[id] { error } else { nil }
    }

    func index(of name: String) -> Int? { models.firstIndex { $0.model == name } }

    /// The model the topic names for events that do not.
    @inline(__always)
    mutating func defaultModel(_ topic: TopicDefaults) -> Int? {
        if !defaults.isOf(topic) {
            defaults = Defaults(topic: topic)
            defaults.model = topic.model.flatMap { index(of: $0) }
        }
        return defaults.model
    }

    /// The number a model has for the version of the topic of `defaultModel`, as far as it was asked for.
    var defaultVersion: (model: Int, number: UInt16)? {
        get { defaults.version }
        set { defaults.version = newValue }
    }

    /// The program to try first: where messages name their model, that of the last one.
    @inline(__always)
    mutating func guess(_ id: UInt32, defaultModel: Int?, _ batches: [EventBatch]) -> Choice? {
        if let last, last.id == id, last.hasModel || last.model == defaultModel { return last }
        return guessAgain(id, defaultModel: defaultModel, batches)
    }

    private mutating func guessAgain(_ id: UInt32, defaultModel: Int?, _ batches: [EventBatch]) -> Choice? {
        guard case .usable(let entry) = known[id] else { return nil }
        guard let model = entry.shape.hasModel ? entry.lastModel : defaultModel, models.indices.contains(model) else {
            return nil
        }
        return choose(id, model, batches)
    }

    /// The program of a schema for a model.
    mutating func choose(_ id: UInt32, _ model: Int, _ batches: [EventBatch]) -> Choice? {
        guard case .usable(var entry) = known[id] else { return nil }
        let program: AvroProgram
        if let compiled = entry.programs[model] {
            program = compiled
        } else {
            let targets = AvroTargets(models[model])
            program = AvroCompiler(schema: entry.schema, shape: entry.shape, targets: targets)
                .compile(model: models[model].model)
        }
        entry.programs[model] = program
        entry.lastModel = model
        known[id] = .usable(entry)
        last = Choice(
            id: id, model: model, hasModel: entry.shape.hasModel, joins: models[model].outcome != nil,
            program: UnsafePointer(program.view),
            batch: Unmanaged.passUnretained(batches[model]))
        return last
    }

    /// The program that reads a message's parts for no model.
    func bare(_ id: UInt32) -> AvroProgram? {
        if case .usable(let entry) = known[id] { entry.bare } else { nil }
    }

    /// The path of the instruction in the registers, through the calls that led there.
    func path(_ id: UInt32, model: Int?) -> String {
        guard case .usable(let entry) = known[id] else { return "" }
        let program = model.flatMap { entry.programs[$0] } ?? entry.bare
        let registers = scratch.registers.pointee
        var names: [String] = []
        for i in 0..<registers.depth where scratch.frames[i].isCall {
            names.append(program.paths[Int(scratch.frames[i].body.pointee.path)])
        }
        names.append(program.paths[Int(registers.code.pointee.path)])
        let joined = names.filter { !$0.isEmpty }.joined(separator: ".")
        return joined.count <= 300 ? joined : "\(joined.prefix(150))…\(joined.suffix(150))"
    }
}
