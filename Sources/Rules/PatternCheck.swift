/// Refuses regular expressions that may take for ever. The matcher backtracks, so a repetition of something that can itself be matched in
/// several ways needs exponential time on a text that almost matches, and the texts come from traffic.
struct PatternCheck {
    /// Why a pattern is refused, `nil` where it is harmless.
    static func problem(_ pattern: String) -> String? {
        if pattern.count > LabelMatcher.maximumPattern {
            return "is longer than \(LabelMatcher.maximumPattern) characters"
        }
        var check = PatternCheck(Array(pattern))
        return check.run()
            ? nil : "repeats a group that holds `|` or another repetition, which can take for ever; write it without"
    }

    private let characters: [Character]
    private var i = 0

    private init(_ characters: [Character]) { self.characters = characters }

    /// For each open group, whether what it holds can match in several ways.
    private var groups: [Bool] = [false]

    /// - Returns: whether the pattern is harmless.
    private mutating func run() -> Bool {
        while i < characters.count {
            switch characters[i] {
            case "\\": i += 1
            case "[": skipClass()
            case "(": groups.append(false)
            case "|": groups[groups.count - 1] = true
            case ")":
                let isVaried = groups.count > 1 ? groups.removeLast() : false
                let isRepeated = repetition(at: i + 1)
                if isVaried && isRepeated { return false }
                if isVaried || isRepeated { groups[groups.count - 1] = true }
            case "*", "+", "{": groups[groups.count - 1] = true
            default: break
            }
            i += 1
        }
        return true
    }

    /// `*`, `+` and `{2,}` repeat; `?` and `{3}` do not multiply the ways.
    private func repetition(at index: Int) -> Bool {
        guard index < characters.count else { return false }
        if characters[index] == "*" || characters[index] == "+" { return true }
        guard characters[index] == "{", let end = characters[index...].firstIndex(of: "}") else { return false }
        return characters[index..<end].contains(",")
    }

    private mutating func skipClass() {
        i += 1
        if i < characters.count, characters[i] == "^" { i += 1 }
        if i < characters.count, characters[i] == "]" { i += 1 }
        while i < characters.count, characters[i] != "]" {
            if characters[i] == "\\" { i += 1 }
            i += 1
        }
    }
}
