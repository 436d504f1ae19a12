/// How messages of one schema become rows of one model: instructions in an owned buffer, and the tables they name.
///
/// Compiled once per (schema, model) and never changed, but for the memos, which only make it faster.
final class AvroProgram {
    /// A map's keys: what each of them does with its value.
    struct KeyTable {
        let names: ByteStringTable
        /// In the table of numbers: by number of the name, and one more for all other keys.
        let firstTarget: Int
    }

    /// What an interpreter needs at every step, without reference counts.
    struct View {
        let code: UnsafePointer<AvroInstruction>
        let numbers: UnsafePointer<Int32>
        let texts: UnsafePointer<AvroText>
        let memos: UnsafeMutablePointer<AvroMemo.Entry>
        let keys: UnsafePointer<KeyTable>
        /// By length.
        let masks: UnsafePointer<AvroMemo.Mask>
        let blank: EventBatch.Blank
        /// The name of the model the rows are for; `nil` where the program only looks whether a message is sound.
        let model: AvroText?
        /// Where the model's output goes.
        let output: AvroTargets.Column?
        /// The bits of `AvroRegisters.found` that every message has.
        let found: Int
        /// Every sound message fills every cell, or every segment, of its row: it need not be blank before.
        let fillsCells: Bool
        let fillsSegments: Bool

        @inline(__always)
        func memo(_ offset: Int32) -> AvroMemo {
            AvroMemo(
                entries: (UnsafeMutableRawPointer(memos) + Int(offset)).assumingMemoryBound(to: AvroMemo.Entry.self))
        }
    }

    let view: UnsafeMutablePointer<View>
    let paths: [String]

    private let keyCount: Int
    private let keys: UnsafeMutablePointer<KeyTable>
    private let code: UnsafeMutablePointer<AvroInstruction>
    private let numbers: UnsafeMutablePointer<Int32>
    private let texts: UnsafeMutablePointer<AvroText>
    private let textBytes: UnsafeMutableRawPointer
    private let masks: UnsafeMutablePointer<AvroMemo.Mask>
    private let memos: UnsafeMutablePointer<AvroMemo.Entry>

    init(
        _ assembler: AvroAssembler, model: String?, blank: EventBatch.Blank, output: AvroTargets.Column?,
        found: Int, fills: (cells: Bool, segments: Bool)
    ) {
        code = .allocate(capacity: assembler.code.count)
        code.initialize(from: assembler.code, count: assembler.code.count)
        numbers = .allocate(capacity: max(1, assembler.numbers.count))
        numbers.initialize(from: assembler.numbers, count: assembler.numbers.count)
        let all = assembler.texts + [model ?? ""]
        let bytes = all.reduce(into: [UInt8]()) { $0 += $1.utf8 }
        let storage = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
        UnsafeMutableRawBufferPointer(start: storage, count: bytes.count).copyBytes(from: bytes)
        textBytes = storage
        texts = .allocate(capacity: all.count)
        var offset = 0
        for (i, text) in all.enumerated() {
            (texts + i).initialize(to: AvroText(start: UnsafeRawPointer(textBytes + offset), count: text.utf8.count))
            offset += text.utf8.count
        }
        let entries = max(1, assembler.memos) * AvroMemo.size
        memos = .allocate(capacity: entries)
        memos.initialize(repeating: AvroMemo.Entry(), count: entries)
        masks = .allocate(capacity: AvroMemo.maximumBytes + 1)
        for count in 0...AvroMemo.maximumBytes { (masks + count).initialize(to: AvroMemo.Mask(count: count)) }
        keyCount = assembler.keyTables.count
        keys = .allocate(capacity: max(1, keyCount))
        keys.initialize(from: assembler.keyTables, count: keyCount)
        paths = assembler.paths
        view = .allocate(capacity: 1)
        view.initialize(
            to: View(
                code: code, numbers: numbers, texts: texts, memos: memos, keys: keys, masks: masks, blank: blank,
                model: model == nil ? nil : texts[all.count - 1], output: output, found: found, fillsCells: fills.cells,
                fillsSegments: fills.segments))
    }

    deinit {
        view.deallocate()
        code.deallocate()
        numbers.deallocate()
        texts.deallocate()
        textBytes.deallocate()
        masks.deallocate()
        memos.deallocate()
        keys.deinitialize(count: keyCount)
        keys.deallocate()
    }
}
