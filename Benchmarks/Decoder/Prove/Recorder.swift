import Events
import Values

/// Decodes messages with one decoder and writes what it made of each, for `judge.py`: a frame is its length and, little-endian,
///
///     defaults u8 · clock i64 µs or its minimum · message length u32 · rejections u32 · rows u32 · unknown keys u32 ·
///     predictions, labels, features u32 each · message · rejections · rows
///
/// a rejection being `reason u8 · from u32 · to u32 · index u32` and a row, model by model, `model u8 · time i64 µs · numbers as the
/// bits of doubles · codes u16 · version · segment values`, texts as `length u32 · UTF-8` and `0xffffffff` for none.
struct Recorder {
    private(set) var out = Bytes()
    private var decoder = EventDecoder(Models.all)
    /// Rows that the batches held before this message.
    private var seen = [Int](repeating: 0, count: Models.all.count)

    mutating func add(_ message: Corpus.Message) {
        var rejections: [Rejection] = []
        // A block of exactly the message's size, as a broker's client lends it.
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: message.bytes.count, alignment: 1)
        defer { block.deallocate() }
        block.copyBytes(from: message.bytes)
        decoder.decode(UnsafeRawBufferPointer(block), defaults: Models.defaults[message.defaults], now: message.now) {
            rejections.append($0)
        }
        let counters = decoder.takeCounters()
        let rows = zip(decoder.batches, seen).map { $0.count - $1 }.reduce(0, +)

        let start = out.count
        put(UInt32(0))
        put(UInt8(message.defaults))
        put(message.now?.microseconds ?? .min)
        put(UInt32(message.bytes.count))
        put(UInt32(rejections.count))
        put(UInt32(rows))
        put(UInt32(counters.unknownKeys))
        for kind in counters.kinds { put(UInt32(kind)) }
        out += message.bytes
        for rejection in rejections { put(rejection) }
        for model in decoder.batches.indices { putRows(model) }
        let length = UInt32(out.count - start - 4)
        withUnsafeBytes(of: length.littleEndian) { bytes in
            for i in 0..<4 { out[start + i] = bytes[i] }
        }
    }

    mutating func removeAll() { out.removeAll(keepingCapacity: true) }

    private mutating func put<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { out.append(contentsOf: $0) }
    }

    private mutating func put(_ text: String?) {
        guard let text else { return put(UInt32.max) }
        put(UInt32(text.utf8.count))
        out.add(text)
    }

    private mutating func put(_ rejection: Rejection) {
        put(UInt8(RejectReason.allCases.firstIndex(of: rejection.reason) ?? 255))
        put(UInt32(rejection.range.lowerBound))
        put(UInt32(rejection.range.upperBound))
        put(UInt32(rejection.index))
    }

    private mutating func putRows(_ model: Int) {
        let batch = decoder.batches[model]
        for row in seen[model]..<batch.count {
            put(UInt8(model))
            put(batch.timestamps[row].microseconds)
            for i in 0..<batch.numberWidth { put(batch.numbers[row * batch.numberWidth + i].bitPattern) }
            for i in 0..<batch.codeWidth { put(batch.codes[row * batch.codeWidth + i]) }
            put(decoder.versionName(model: model, batch.versions[row]))
            for dimension in 0..<batch.segmentWidth {
                let number = batch.segments[row * batch.segmentWidth + dimension]
                put(
                    number == EventBatch.noSegment
                        ? nil : decoder.segmentValue(model: model, dimension: dimension, number))
            }
        }
        // Most rows are written over ones of another event, some into fresh memory.
        if batch.count > 700 { decoder.removeAll(model: model) }
        seen[model] = batch.count
    }
}
