/// One key of an event, as a step of the order in which a model's events have been seen to name their keys.
///
/// Of the text between the end of this key's value and the start of the next one (`},"segments":`, white space and all) the
/// node remembers what stood there last. A verified literal implies where it leads: the grammar after a value of a section is the
/// same in every event.
struct KeyNode: BitwiseCopyable {
    /// What is read after the key.
    enum Action: UInt8 {
        /// Not a value: nothing is known of what follows, or the general way must read the event.
        case unlearned, end
        case number, category, segment
        /// A number or an ignored feature that is a dimension too.
        case dimensionNumber, dimensionOnly
        case skip
        /// A feature that nobody knows.
        case unknownFeature
        case type, model, version, id, timestamp, label
        /// Members of the event that hold members themselves.
        case features, segments, prediction
        case score, value, predictedLabel, classScores
    }

    /// The longest remembered text.
    static let literalBytes = 128
    /// What a value may be read ahead of its start, beside the text before it.
    static let valueReach = 64

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

    /// The literal's first eight bytes and which of their bits count.
    private(set) var word: UInt64 = 0
    private(set) var mask: UInt64 = .max
    /// The literal's length in bytes.
    private(set) var length = 0
    /// How far behind this key's value must be readable for the literal and the successor's value.
    private(set) var reach = KeyNode.valueReach
    private(set) var successor: UnsafeMutablePointer<KeyNode>
    /// A successor seen once since; seen twice in a row it takes over, so that a shuffled stream does not relearn at every key.
    private var candidate: UnsafeMutablePointer<KeyNode>?
    /// The literal's words, the last one padded with zeros, and the bits of it that count.
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

    /// Whether the remembered text stands at `start`, of which `reach` bytes are readable.
    @inline(__always)
    func matches(_ start: UnsafeRawPointer) -> Bool {
        // No text has eight NUL bytes where a key would be, but a hostile one may: what is unlearned leads to its own node.
        guard (start.loadUnaligned(as: UInt64.self) ^ word) & mask == 0 else { return false }
        return length <= 8 || matchesRest(start)
    }

    @inline(__always)
    private func matchesRest(_ start: UnsafeRawPointer) -> Bool {
        var i = 8
        var difference: UInt64 = 0
        while i < length &- 8 {
            difference |= start.loadUnaligned(fromByteOffset: i, as: UInt64.self) ^ literal[i &>> 3]
            i &+= 8
        }
        difference |= (start.loadUnaligned(fromByteOffset: i, as: UInt64.self) ^ literal[i &>> 3]) & lastMask
        return difference == 0
    }

    /// Learns what a careful look found after this key's value: a text and where it leads.
    mutating func learn(_ text: UnsafeRawBufferPointer, _ next: UnsafeMutablePointer<KeyNode>) {
        guard !text.isEmpty, text.count <= Self.literalBytes else { return }
        guard length == 0 || candidate == next else {
            candidate = next
            return
        }
        candidate = nil
        successor = next
        length = text.count
        reach = (text.count + 7) / 8 * 8 + Self.valueReach
        for i in stride(from: 0, to: text.count, by: 8) {
            literal[i / 8] = ByteStringIndex.word(UnsafeRawBufferPointer(rebasing: text[i..<min(i + 8, text.count)]))
        }
        let rest = UInt64(text.count % 8)
        lastMask = rest == 0 ? .max : 1 << (8 * rest) - 1
        word = literal[0]
        mask = text.count < 8 ? lastMask : .max
    }
}
