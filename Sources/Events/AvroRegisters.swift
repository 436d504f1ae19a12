/// What a program has found in a message so far. It lies in memory of its own, so that a message costs no allocation, and nothing
/// of it reaches the decoder's tables before the whole message is known to be sound.
struct AvroRegisters {
    // Bits of `found`.
    static let features = 1
    static let prediction = 2
    static let identity = 4
    static let label = 8
    static let time = 16
    static let badTime = 32
    /// The label is a scalar, and its text was kept; it is a number.
    static let labelText = 64
    static let labelNumber = 128
    /// The class the prediction names was kept.
    static let predicted = 256
    /// Scores by class were kept.
    static let scores = 512

    /// `kind` of an event that names none, or an unknown one.
    static let noKind: UInt8 = 255
    static let unknownKind: UInt8 = 254
    /// In the row: a value that is not in the decoder's table yet; its text is in `pending`.
    static let pendingSegment = EventBatch.noSegment - 1
    static let noVersion = UInt16.max
    static let pendingVersion = UInt16.max - 1

    /// Where reading goes on, and where the message ends.
    var place: UnsafeRawPointer
    var end: UnsafeRawPointer
    var code: UnsafePointer<AvroInstruction>

    /// The scalar taken last, as text: in the message, the program or `AvroScratch.text`.
    var text: AvroText
    /// A map's key.
    var key: AvroText
    var bestKey: AvroText
    var bestScore = 0.0
    /// The score taken last; NaN where it is no number.
    var score = 0.0
    var hasBest = false
    var given = false

    var found = 0
    var kind = AvroRegisters.noKind
    var version = AvroRegisters.noVersion
    /// Index of the last part with a type that an event cannot have; negative: none.
    var bad: Int32 = -1
    var unknown: UInt64 = 0
    /// Microseconds.
    var time: Int64 = 0
    /// The model the message names, `nil` where it leaves it to the topic.
    var model: AvroText?
    var hasPending = false

    var marked: UnsafeRawPointer
    var postponed: UnsafeRawPointer
    /// Open blocks and calls.
    var depth = 0

    /// The topic leaves the model to be that of the program.
    var isDefaultModel = false

    init(_ place: UnsafeRawPointer, _ code: UnsafePointer<AvroInstruction>) {
        self.place = place
        self.code = code
        end = place
        text = AvroText(start: place, count: 0)
        key = text
        bestKey = text
        marked = place
        postponed = place
    }

    /// Begins a message. What instructions set before others read it keeps its last value.
    @inline(__always)
    mutating func begin(
        _ place: UnsafeRawPointer, _ end: UnsafeRawPointer, _ program: UnsafePointer<AvroProgram.View>,
        isDefaultModel: Bool
    ) {
        self.place = place
        self.end = end
        code = program.pointee.code
        self.isDefaultModel = isDefaultModel
        given = false
        found = program.pointee.found
        kind = Self.noKind
        version = Self.noVersion
        bad = -1
        unknown = 0
        model = nil
        hasPending = false
        depth = 0
    }
}

/// The memory programs work in: one for each decoder.
final class AvroScratch {
    static let maximumDepth = 128
    /// Room for a number or a UUID as text.
    static let textBytes = 48

    /// A block that is being read, or a call that returns.
    struct Frame: BitwiseCopyable {
        var remaining: Int64
        /// Where the block must end; `nil` where it does not say.
        var blockEnd: UnsafeRawPointer?
        /// Of a call: the instruction after it.
        var body: UnsafePointer<AvroInstruction>
        var isCall: Bool
    }

    let registers: UnsafeMutablePointer<AvroRegisters>
    let frames: UnsafeMutablePointer<Frame>
    let text: UnsafeMutableRawPointer
    /// By dimension, one for the version, and those of the join: texts that get their numbers when the event is counted.
    let pending: UnsafeMutablePointer<AvroText>
    /// A program for the registers to stand in before the first message.
    private let code: UnsafeMutablePointer<AvroInstruction>
    private let pendingTexts: UnsafeMutableRawPointer
    let versionSlot: Int
    /// The scores of a prediction by class, where its model's performance is watched.
    var scores: [(name: AvroText, score: Double)] = []

    init(dimensions: Int) {
        versionSlot = dimensions
        let slots = dimensions + 1 + AvroOutcomeText.allCases.count
        registers = .allocate(capacity: 1)
        code = .allocate(capacity: 1)
        frames = .allocate(capacity: Self.maximumDepth)
        text = .allocate(byteCount: Self.textBytes, alignment: 8)
        code.initialize(to: AvroInstruction(operation: .halt))
        registers.initialize(to: AvroRegisters(UnsafeRawPointer(text), UnsafePointer(code)))
        pending = .allocate(capacity: slots)
        pending.initialize(repeating: AvroText(start: UnsafeRawPointer(text), count: 0), count: slots)
        pendingTexts = .allocate(byteCount: Self.textBytes * slots, alignment: 8)
    }

    deinit {
        registers.deallocate()
        code.deallocate()
        frames.deallocate()
        text.deallocate()
        pending.deallocate()
        pendingTexts.deallocate()
    }

    /// A text kept for the join.
    func kept(_ text: AvroOutcomeText) -> UnsafeRawBufferPointer { pending[slot(text)].bytes }

    func slot(_ text: AvroOutcomeText) -> Int { versionSlot + 1 + text.rawValue }

    /// Keeps a text until the event is counted. Texts of the message and the program stay where they are.
    func keep(_ found: AvroText, _ slot: Int) {
        guard found.start == UnsafeRawPointer(text) else {
            pending[slot] = found
            return
        }
        let copy = pendingTexts + slot * Self.textBytes
        copy.copyMemory(from: found.start, byteCount: found.count)
        pending[slot] = AvroText(start: UnsafeRawPointer(copy), count: found.count)
    }
}
