/// Collects the instructions of a program: targets that come later, tables, and the routines that pass values over.
struct AvroAssembler {
    /// A place in the code that is named before it is reached.
    struct Label {
        fileprivate let index: Int
    }

    private(set) var code: [AvroInstruction] = []
    private(set) var numbers: [Int32] = []
    private(set) var texts: [String] = []
    /// How many memos there are: one for each thing a text can stand for, shared by all places that ask for it.
    var memos: Int { memoNumbers.count }
    private(set) var keyTables: [AvroProgram.KeyTable] = []
    /// What the value being read is called, for messages. Names within a routine begin anew there.
    private(set) var paths = [""]
    private var path = 0
    private var memoNumbers: [MemoUse: Int] = [:]

    /// What a text is asked to stand for.
    enum MemoUse: Hashable {
        case code(column: Int)
        case segment(dimension: Int)
        case version
        case key(table: Int)
    }

    /// Longer names are cut in messages: a schema may have thousands of fields under one long name.
    private static let maximumPathBytes = 300

    private let schema: AvroSchema
    private var places: [Int32] = []
    /// Instructions whose `a`, and numbers which, are labels until the end.
    private var labelled: [Int] = []
    private var labelledNumbers: [Int] = []
    /// Instructions whose `b` is a label.
    private var labelledSecond: [Int] = []
    /// Jumps lead here, so what comes next cannot melt into what came before.
    private var barrier = 0
    private var routines: [Int: Label] = [:]
    private var unwritten: [Int] = []

    /// Whether values that are passed over melt into one step, at the price of naming only the first of them in a failure.
    private let melts: Bool

    init(_ schema: AvroSchema, melts: Bool) {
        self.schema = schema
        self.melts = melts
    }

    mutating func label() -> Label {
        places.append(-1)
        return Label(index: places.count - 1)
    }

    mutating func bind(_ label: Label) {
        places[label.index] = Int32(code.count)
        barrier = code.count
    }

    mutating func emit(
        _ operation: AvroInstruction.Operation, flag: UInt8 = 0, cell: Int = 0, a: Int = 0, b: Int = 0
    ) {
        if operation == .numberDouble { lengthenRun(cell) }
        code.append(
            AvroInstruction(
                operation: operation, flag: flag, cell: UInt16(cell), a: Int32(a), b: Int32(b), path: Int32(path)))
    }

    /// Doubles for neighbouring cells, one after the other, are a run: its first instruction says how many follow, so that all
    /// can be taken at once; where the message is too short for that, each still stands for itself.
    private mutating func lengthenRun(_ cell: Int) {
        var first = code.count
        while first > 0, code[first - 1].operation == .numberDouble,
            Int(code[first - 1].cell) == cell - (code.count - first + 1)
        {
            first -= 1
        }
        if first < code.count { code[first].b = Int32(code.count - first) }
    }

    mutating func emit(_ operation: AvroInstruction.Operation, flag: UInt8 = 0, to label: Label) {
        labelled.append(code.count)
        emit(operation, flag: flag, a: label.index)
    }

    /// The memo of a use: how many bytes from the first it lies.
    mutating func memo(_ use: MemoUse) -> Int {
        let number = memoNumbers[use] ?? memos
        memoNumbers[use] = number
        return number * AvroMemo.size * MemoryLayout<AvroMemo.Entry>.stride
    }

    mutating func add(numbers new: [Int32]) -> Int {
        numbers += new
        return numbers.count - new.count
    }

    mutating func add(texts new: [String]) -> Int {
        texts += new
        return texts.count - new.count
    }

    /// `labels`: where each name's value is read, and last where all others' are.
    mutating func add(keys names: [String], labels: [Label]) -> Int {
        let first = add(numbers: labels.map { Int32($0.index) })
        labelledNumbers += first..<first + labels.count
        keyTables.append(AvroProgram.KeyTable(names: ByteStringTable(names), firstTarget: first))
        return keyTables.count - 1
    }

    /// Emits what `body` emits under the name of a part.
    mutating func within(_ name: String, _ body: (inout AvroAssembler) -> Void) {
        let outer = path
        if paths[outer].utf8.count + name.utf8.count <= Self.maximumPathBytes {
            paths.append(paths[outer].isEmpty ? name : "\(paths[outer]).\(name)")
            path = paths.count - 1
        }
        defer { path = outer }
        body(&self)
    }

    /// A union: each branch is read by `body`.
    mutating func branches(_ types: [Int], _ body: (inout AvroAssembler, _ type: Int) -> Void) {
        let after = label()
        if types.count == 2, let null = types.firstIndex(where: { schema.nodes[$0] == .null }) {
            let aside = label()
            let start = code.count
            emit(.nullable, flag: UInt8((1 - null) * 2), to: aside)
            body(&self, types[1 - null])
            if code.count == start + 2 { fuse(start, after) }
            emit(.jump, to: after)
            bind(aside)
            body(&self, types[null])
        } else {
            let targets = types.map { _ in label() }
            let first = add(numbers: targets.map { Int32($0.index) })
            labelledNumbers += first..<first + targets.count
            emit(.branch, a: first, b: types.count)
            for (target, type) in zip(targets, types) {
                bind(target)
                body(&self, type)
                emit(.jump, to: after)
            }
        }
        bind(after)
    }

    /// The frequent kinds of value that may be null are read in one step with their union's branch.
    private mutating func fuse(_ start: Int, _ after: Label) {
        switch code[start + 1].operation {
        case .numberDouble: code[start].operation = .nullableDouble
        case .codeText: code[start].operation = .nullableCode
        case .segmentText: code[start].operation = .nullableSegment
        default: return
        }
        code[start].cell = code[start + 1].cell
        code[start].b = Int32(after.index)
        labelledSecond.append(start)
    }

    /// An array's or a map's blocks: `body` reads an item.
    mutating func blocks(skipping: Bool = false, _ body: (inout AvroAssembler) -> Void) {
        let after = label()
        emit(.blocks, flag: skipping ? 1 : 0, to: after)
        barrier = code.count
        body(&self)
        emit(.next)
        bind(after)
    }

    /// Passes a value over.
    mutating func skip(_ type: Int) {
        // Nothing is there; and a record may hold a great many of nothing.
        if schema.isEmpty[type] { return }
        switch schema.nodes[type] {
        case .null: break
        case .boolean: skip(bytes: 1)
        case .int, .long: emit(.skipInteger)
        case .float: skip(bytes: 4, isNumber: true)
        case .double: skip(bytes: 8, isNumber: true)
        case .string, .bytes: emit(.skipText)
        case .fixed(let size, _): skip(bytes: size)
        case .enumeration(let symbols): emit(.skipSymbol, a: symbols.count)
        case .array(let item): skip(itemsOf: item, keyed: false)
        case .map(let value): skip(itemsOf: value, keyed: true)
        case .union(let types): branches(types) { $0.skip($1) }
        case .record:
            // Once per record and not once per use, so that a program is no longer than its schema, and recursion is a call.
            emit(.call, to: routine(type))
        }
    }

    private mutating func skip(bytes: Int, isNumber: Bool = false) {
        if bytes == 0 { return }
        if melts, code.count > barrier, let last = code.last, last.operation == .skipBytes,
            let sum = Int32(exactly: Int(last.a) + bytes)
        {
            code[code.count - 1].a = sum
        } else {
            emit(.skipBytes, flag: isNumber ? 1 : 0, a: bytes)
        }
    }

    private mutating func skip(itemsOf type: Int, keyed: Bool) {
        if !keyed, schema.isEmpty[type] {
            emit(.emptyBlocks)
            return
        }
        blocks(skipping: true) { assembler in
            if keyed { assembler.emit(.skipText) }
            assembler.within("*") { $0.skip(type) }
        }
    }

    private mutating func routine(_ type: Int) -> Label {
        if let known = routines[type] { return known }
        let new = label()
        routines[type] = new
        unwritten.append(type)
        return new
    }

    /// Writes the routines that are called, and turns labels into places. Nothing may be emitted afterwards.
    mutating func finish() {
        path = 0
        while let type = unwritten.popLast() {
            if let label = routines[type] { bind(label) }
            if case .record(_, let fields) = schema.nodes[type] {
                for field in fields { within(field.name) { $0.skip(field.type) } }
            }
            emit(.return)
        }
        for i in labelled { code[i].a = places[Int(code[i].a)] }
        for i in labelledNumbers { numbers[i] = places[Int(numbers[i])] }
        for i in labelledSecond { code[i].b = places[Int(code[i].b)] }
        // What leads to a jump may as well lead to where that leads. Jumps only go forward, so this ends.
        for i in labelled { code[i].a = destination(code[i].a) }
        for i in labelledNumbers { numbers[i] = destination(numbers[i]) }
        for i in labelledSecond { code[i].b = destination(code[i].b) }
    }

    private func destination(_ place: Int32) -> Int32 {
        var place = place
        while Int(place) < code.count, code[Int(place)].operation == .jump { place = code[Int(place)].a }
        return place
    }
}
