/// What the labels of a model with two classes can be, so that a word nobody knows is not taken for the other class.
///
/// Classes are compared by what they mean: `1`, `1.0` and `true` are one class however they are written, as are `0` and `false`.
package struct LabelVocabulary: Sendable, Hashable {
    private let positives: Set<String>
    private let others: Set<String>

    /// - Parameters:
    ///   - positives: spellings of the positive class.
    ///   - others: further classes that labels are known to have; empty where nobody knows. Then a label may be any number where the
    ///     positive class is one, and any word where that is a word.
    package init(positives: [String], others: [String] = []) {
        let positives = Set(positives.map(Self.meaning))
        self.positives = positives
        self.others = Set(others.map(Self.meaning)).subtracting(positives)
    }

    /// What a class's name stands for: its number where it is one, `1` and `0` for `true` and `false`.
    package static func meaning(_ name: String) -> String {
        switch name.lowercased() {
        case "true": return "1"
        case "false": return "0"
        default:
            guard let number = Double(name), number.isFinite else { return name }
            return JSONText.canonical(number + 0)
        }
    }

    package func isPositive(_ name: String) -> Bool { positives.contains(Self.meaning(name)) }

    /// Whether a label may have a name.
    package func accepts(_ name: String) -> Bool {
        let meaning = Self.meaning(name)
        if positives.contains(meaning) { return true }
        if !others.isEmpty { return others.contains(meaning) }
        return Double(meaning) != nil || !positives.allSatisfy { Double($0) != nil }
    }

    /// The classes there can be, in words.
    var description: String {
        let positive = "the positive class (\(positives.sorted().joined(separator: ", ")))"
        return others.isEmpty
            ? "\(positive) nor a number"
            : "\(positive) nor another class of the reference (\(others.sorted().prefix(10).joined(separator: ", ")))"
    }
}
