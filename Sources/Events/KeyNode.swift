/// One key of an event, as a step of the order in which a model's events have been seen to name their keys.
///
/// Of the text between the end of this key's value and the start of the next one (`},"segments":`, white space and all) the
/// node remembers what stood there last. A verified literal implies where it leads: the grammar after a value of a section is the
/// same in every event.
struct KeyNode: BitwiseCopyable {
    /// What is read after the key.
    enum Action: UInt8 {
        /// Not a value: nothing is known of what follows, or the event has ended.
        case unlearned, end
        case number, category, segment
        /// A numeric or an ignored feature that is a dimension too.
        case dimensionNumber, dimensionOnly
        case skip
        /// A feature that nobody knows.
        case unknownFeature
        /// Members of the prediction.
        case score, value, predictedLabel, outcomeClass, classScores
        /// Members of the event that hold members themselves, or may.
        case features, segments, prediction
        case type, label, timestamp, model, version, id
    }

    /// The longest remembered text.
    static let literalBytes = 128
    /// How far a value in one of the usual forms may be read ahead of its start.
    static let valueReach = 64
    /// How far behind a value the text must be readable for the literal and the next value.
    static let reach = literalBytes + valueReach

    let action: Action
    /// The object whose grammar goes on after the value.
    let section: KeySection.Name
    /// Not a key's value but the opening brace of the section.
    let isOpening: Bool
    /// An index into the row's numbers or codes.
    var column: Int32 = -1
    /// The dimension the value names, −1 for none.
    var dimension: Int32 = -1
    /// The bit of a member of the event, 0 for other keys.
    var part: UInt32 = 0

    /// The literal's first sixteen bytes, and which of their bits count.
    private var words: (UInt64, UInt64) = (0, 0)
    private var masks: (UInt64, UInt64) = (.max, 0)
    /// The literal's length in bytes.
    private(set) var length = 0
    private(set) var successor: UnsafeMutablePointer<KeyNode>
    /// A successor seen once since; seen twice in a row it takes over, so that a shuffled stream does not relearn at every key.
    private var candidate: UnsafeMutablePointer<KeyNode>?
    /// The whole literal, padded with zeros.
    private let literal: UnsafeMutablePointer<UInt64>
    private var lastMask: UInt64 = .max

    init(
        _ action: Action, _ section: KeySection.Name, isOpening: Bool = false, unlearned: UnsafeMutablePointer<KeyNode>
    ) {
        self.action = action
        self.isOpening = isOpening
        self.section = section
        successor = unlearned
        literal = .allocate(capacity: Self.literalBytes / 8)
    }

    func destroy() { literal.deallocate() }

    /// Whether the remembered text stands at `start`, with at least `literalBytes` readable.
    @inline(__always)
    func matches(_ start: UnsafeRawPointer) -> Bool {
        // No text has eight NUL bytes where a key would be, but a hostile one may: what is unlearned leads to its own node.
        let first = (WordScan.load(start) ^ words.0) & masks.0
        let second = (WordScan.load(start, 8) ^ words.1) & masks.1
        guard first | second == 0 else { return false }
        return length <= 16 || matchesRest(start)
    }

    @inline(__always)
    private func matchesRest(_ start: UnsafeRawPointer) -> Bool {
        var i = 16
        var difference: UInt64 = 0
        while i < length &- 8 {
            difference |= WordScan.load(start, i) ^ literal[i &>> 3]
            i &+= 8
        }
        difference |= (WordScan.load(start, i) ^ literal[i &>> 3]) & lastMask
        return difference == 0
    }

    /// Learns what a careful look found after this key's value: a text and where it leads.
    @inline(__always)
    mutating func learn(_ text: UnsafeRawBufferPointer, _ next: UnsafeMutablePointer<KeyNode>) {
        if length == 0 || candidate == next {
            take(text, next)
        } else {
            candidate = next
        }
    }

    @inline(never)
    private mutating func take(_ text: UnsafeRawBufferPointer, _ next: UnsafeMutablePointer<KeyNode>) {
        guard !text.isEmpty, text.count <= Self.literalBytes else { return }
        candidate = nil
        successor = next
        length = text.count
        let bytes = UnsafeMutableRawBufferPointer(start: literal, count: Self.literalBytes)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        bytes.copyMemory(from: text)
        words = (literal[0], literal[1])
        masks = (Self.mask(text.count), Self.mask(text.count - 8))
        lastMask = Self.mask((text.count - 1) % 8 + 1)
    }

    /// The bits of a word's first `count` bytes.
    private static func mask(_ count: Int) -> UInt64 {
        count >= 8 ? .max : count <= 0 ? 0 : 1 << UInt64(8 * count) - 1
    }
}
