import Values

/// An endless sequence of messages: runs of a shape, changes of shape, arrays, lines and damage.
struct Corpus {
    struct Message {
        var bytes: Bytes
        var defaults: Int
        var now: Timestamp?
    }

    private var writer: EventWriter
    private var shapes: [Shape]
    private var current = 0
    private var left = 0
    private var previous = Bytes()

    private static let noon = Timestamp(microseconds: 1_772_366_400_000_000)

    init(seed: UInt64) {
        var dice = Dice(seed: seed)
        shapes = (0..<4).map { _ in Shape(&dice) }
        writer = EventWriter(dice: dice)
    }

    mutating func next() -> Message {
        if left == 0 { turn() }
        left -= 1
        let shape = shapes[current]
        writer.out.removeAll(keepingCapacity: true)
        switch writer.dice.below(1_000) {
        case 0..<820: writer.event(shape)
        case 820..<890: lines(shape)
        case 890..<960: array(shape)
        case 960..<980: special()
        default:
            // Two producers into one topic.
            current = writer.dice.below(shapes.count)
            writer.event(shapes[current])
        }
        if writer.dice.chance(20) {
            writer.out.insert(contentsOf: writer.dice.pick([[0x20], [0x0a, 0x0a], [0x0d, 0x0a], [0x09]]), at: 0)
        }
        if writer.dice.chance(100) {
            writer.out += writer.dice.pick([[0x20], [0x0a], [0x0d, 0x0a], [0x0a, 0x0a, 0x20]])
        }
        let isLong = shape.spacing == .pretty || shape.spacing == .wild
        if writer.dice.chance(isLong ? 30 : 130) {
            Damage.apply(to: &writer.out, previous: previous, &writer.dice)
        }
        previous = writer.out
        return Message(bytes: writer.out, defaults: shapes[current].defaults, now: clock(shapes[current]))
    }

    /// The next run: another of the known shapes, now and then a new one.
    private mutating func turn() {
        left = writer.dice.pick([1, 2, 5, 20, 50, 200, 500])
        current = writer.dice.below(shapes.count)
        if writer.dice.chance(300) { shapes[current] = Shape(&writer.dice) }
    }

    private mutating func clock(_ shape: Shape) -> Timestamp? {
        guard shape.hasClock else { return nil }
        let offsets: [Int64] = [
            0, -600_000_000, -600_000_001, -599_999_999, Int64(writer.dice.below(86_400)) * 1_000_000,
        ]
        return Timestamp(microseconds: Self.noon.microseconds + writer.dice.pick(offsets))
    }

    private mutating func lines(_ shape: Shape) {
        for _ in 0..<writer.dice.between(1, 5) {
            switch writer.dice.below(20) {
            case 0: writer.out += Texts.broken(&writer.dice)
            case 1: writer.out.add(Texts.odd(&writer.dice))
            case 2: writer.out.removeLast(min(writer.out.count, writer.dice.below(40)))
            default: writer.event(shape)
            }
            writer.out.add(writer.dice.pick(["\n", "\n", "\n", "\r\n", " \t\n", "\n\n \n", " ", ""]))
        }
    }

    private mutating func array(_ shape: Shape) {
        writer.out.add(writer.dice.pick(["[", "[ ", "\n[\n"]))
        for i in 0..<writer.dice.below(5) {
            if i > 0 { writer.out.add(writer.dice.pick([",", ", ", " ,\n"])) }
            switch writer.dice.below(30) {
            case 0: writer.out += Texts.broken(&writer.dice)
            case 1: writer.out.add(Texts.odd(&writer.dice))
            default: writer.event(shape)
            }
        }
        writer.out.add(writer.dice.pick(["]", " ]", "\n]\n", "]", "]", "] ", "", "]]", ",]"]))
    }

    /// No event at all.
    private mutating func special() {
        switch writer.dice.below(5) {
        case 0: writer.out += Texts.deep(&writer.dice)
        case 1: writer.out.add(Texts.odd(&writer.dice))
        case 2: writer.out += Texts.broken(&writer.dice)
        case 3: writer.out.addNumber(.mixed, &writer.dice)
        default:
            writer.out += writer.dice.pick([
                [], [0x20], [0x0a, 0x0a], [0xef, 0xbb, 0xbf], [0x5b, 0x5d], [0x7b, 0x7d], [0x5b, 0x20, 0x5d],
            ])
        }
    }
}
