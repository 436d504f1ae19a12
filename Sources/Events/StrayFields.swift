package import Values

/// A field of a row that its model does not list.
package struct StrayField: Sendable, Equatable {
    /// The row's place in its model's batch.
    package let row: Int32
    /// A number for `EventDecoder.strayName`.
    package let name: UInt16
    package let kind: JSONKind
}

/// The fields that nobody lists, by row: what an event costs that has none is nothing.
///
/// An event that is read in one pass may turn out not to count after its fields were noted, and the one pass does not stop to say so. But
/// it counts its unknown keys when it does count, so whether it did is seen when the next such fields come, or are asked for.
final class StrayFields {
    /// Names of a model that are told apart, at most; the rest is `(other)`.
    static let maximumNames = 256
    private static let maximumNameBytes = 128
    /// Fields of one event that are noted, at most.
    private static let maximumOfEvent = 64

    private let counters: EventCounters
    private var names: [ByteStringTable]
    private var entries: [[StrayField]]
    /// The event noted last: its model, where its fields begin, what was counted before it and how many keys it had.
    private var open: (model: Int, start: Int, counted: UInt64, keys: UInt64)?

    init(models: Int, _ counters: EventCounters) {
        self.counters = counters
        names = (0..<models).map { _ in ByteStringTable([ModelTables.overflowName]) }
        entries = (0..<models).map { _ in [] }
    }

    /// The number of a name, added if there is room.
    func number(_ name: UnsafeRawBufferPointer, model: Int) -> Int {
        if let known = names[model].find(name) { return known }
        guard names[model].count <= Self.maximumNames, name.count <= Self.maximumNameBytes else { return 0 }
        return names[model].insert(name)
    }

    func name(_ number: UInt16, model: Int) -> String { names[model].name(Int(number)).nameForm }

    /// Notes a field of an event that is being read in one pass.
    /// - Parameter before: unknown keys of the event that came before it.
    func note(_ name: Int, _ kind: JSONKind, row: Int, model: Int, before: UInt64) {
        if before == 0 {
            settle()
            open = (model, entries[model].count, counters.unknownKeys.pointee, 0)
        }
        open?.keys = before &+ 1
        guard let start = open?.start else { return }
        append(name, kind, row: row, model: model, from: start)
    }

    /// Where the fields of an event begin that is read in the general way, and will count.
    func begin(model: Int) -> Int {
        settle()
        return entries[model].count
    }

    /// Notes a field of an event that will count.
    func append(_ name: Int, _ kind: JSONKind, row: Int, model: Int, from start: Int) {
        let own = entries[model][start...]
        // A key given twice is one field.
        guard own.count < Self.maximumOfEvent, !own.contains(where: { Int($0.name) == name }) else { return }
        entries[model].append(StrayField(row: Int32(row), name: UInt16(name), kind: kind))
    }

    /// Drops the fields of the last event that was read in one pass if it did not count.
    func settle() {
        guard let last = open else { return }
        open = nil
        if counters.unknownKeys.pointee != last.counted &+ last.keys {
            entries[last.model].removeSubrange(min(last.start, entries[last.model].count)...)
        }
    }

    /// Rows from `row` on are taken back.
    func takeBack(model: Int, from row: Int) {
        open = nil
        entries[model].removeAll { $0.row >= row }
    }

    /// By row, of a model's batch.
    func fields(model: Int) -> [StrayField] {
        settle()
        return entries[model]
    }

    func removeAll(model: Int) {
        settle()
        entries[model].removeAll(keepingCapacity: entries[model].count < 4_096)
    }
}

extension LearnedReader {
    /// Notes a feature that nobody lists, whose value begins at `p`.
    @inline(never)
    func noteStray(_ p: UnsafeRawPointer, _ node: UnsafeMutablePointer<KeyNode>) {
        let model = state.pointee.modelIndex
        // A node that is one key's remembers its number.
        let isShared = node == state.pointee.graph.pointee.sections[KeySection.Name.features.rawValue].other
        let number: Int
        if node.pointee.column >= 0 {
            number = Int(node.pointee.column)
        } else {
            number = self.number(ofKeyBefore: p, model: model)
            if !isShared { node.pointee.column = Int32(number) }
        }
        strays.note(
            number, JSONKind(firstByte: byte(p)), row: rows[model].pointee.count, model: model,
            before: state.pointee.unknownKeys)
    }

    /// The number of the key whose value begins at `p`. It was read before, so its quotes are there.
    private func number(ofKeyBefore p: UnsafeRawPointer, model: Int) -> Int {
        // The padded buffer may begin with the value.
        var q = p == UnsafeRawPointer(tail) ? state.pointee.tailOrigin ?? p : p
        repeat { q -= 1 } while WordScan.byte(q) != 0x22
        let end = q + 1
        var isQuote = false
        repeat {
            q -= 1
            var escapes = 0
            while WordScan.byte(q - 1 - escapes) == 0x5c { escapes += 1 }
            isQuote = WordScan.byte(q) == 0x22 && escapes % 2 == 0
        } while !isQuote
        let text = UnsafeRawBufferPointer(start: q, count: end - q)
        var scanner = JSONScanner(text)
        guard let key = try? scanner.takeString() else { return 0 }
        return JSONText.withUnescaped(text, key) { strays.number($0, model: model) }
    }
}
