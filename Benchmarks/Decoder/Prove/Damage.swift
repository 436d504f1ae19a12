/// What happens to messages on their way: cut, changed, spliced.
enum Damage {
    private static let spice: Bytes =
        Array(#"{}[]",:\u0/eE+-.019ntf"#.utf8) + [0, 0x09, 0x0a, 0x0d, 0x20, 0x1f, 0x7f, 0x80, 0xc3, 0xe2, 0xf0, 0xff]

    static func apply(to message: inout Bytes, previous: Bytes, _ dice: inout Dice) {
        for _ in 0..<(dice.chance(700) ? 1 : dice.between(2, 4)) {
            guard !message.isEmpty else { return }
            one(&message, previous, &dice)
        }
    }

    private static func one(_ message: inout Bytes, _ previous: Bytes, _ dice: inout Dice) {
        let at = dice.below(message.count)
        switch dice.below(14) {
        case 0: message.removeSubrange(at...)
        case 1: message.removeSubrange(structural(message, from: at)...)
        case 2: message[at] = dice.pick(spice)
        case 3: message.insert(dice.pick(spice), at: at)
        case 4: message.remove(at: at)
        case 5: message.removeSubrange(at..<min(message.count, at + dice.between(1, 60)))
        case 6:
            message.insert(
                contentsOf: message[at..<min(message.count, at + dice.between(1, 60))], at: dice.below(message.count))
        case 7:
            guard !previous.isEmpty else { return }
            message.replaceSubrange(at..., with: previous[dice.below(previous.count)...])
        case 8: message.swapAt(at, dice.below(message.count))
        case 9:
            message.insert(
                dice.pick([0x20, 0x09, 0x0a, 0x0d]), at: dice.chance(500) ? at : structural(message, from: at))
        case 10: message[at] ^= 1 << UInt8(dice.below(8))
        case 11: message.insert(contentsOf: dice.pick(Texts.notUTF8), at: at)
        case 12:
            // A letter or digit for another: the length and everything around stay.
            guard let place = message[at...].firstIndex(where: { $0 >= 0x30 && $0 <= 0x7a }) else { return }
            message[place] = message[place] <= 0x39 ? 0x30 + UInt8(dice.below(10)) : 0x61 + UInt8(dice.below(26))
        default: message += Texts.broken(&dice)
        }
    }

    /// A place before or after a bracket, quote, comma or colon.
    private static func structural(_ message: Bytes, from at: Int) -> Int {
        let marks: Bytes = [0x22, 0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d, 0x5c]
        return message[at...].firstIndex { marks.contains($0) } ?? at
    }
}
