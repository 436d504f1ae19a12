package import Values

/// What a model's labels are, and so how they are read.
package enum OutcomeKind: Sendable, Equatable {
    /// Classes by name: numbers, booleans and texts that are written alike are one class.
    case classes
    /// The same of a model with a positive class and others.
    case positive(LabelVocabulary)
    case numbers
    /// How relevant an item is to its query, a number. An identity is the query's name, the separator and the item's name.
    case relevance(separator: UInt8)

    var isClass: Bool {
        switch self {
        case .classes, .positive: true
        case .numbers, .relevance: false
        }
    }
}

/// What some events of one model say that joins predictions with labels: identities, labels, and the classes predictions chose. Beside
/// the rows of an `EventBatch`, for models whose performance is watched.
///
/// An event's values are noted as places in its message while it is read, and taken when it is known to count: to decline an event
/// leaves no trace.
package final class OutcomeRows {
    /// A prediction that can be joined, or that brings its own label.
    package struct Prediction: Sendable {
        /// The row in the batch.
        package let row: Int32
        /// The class it chose, a number of `className`; −1 where it says none.
        package let predicted: Int32
        /// The hash of its identity; 0 without one.
        package let id: UInt64
        /// Its own label: a class's number or a value; NaN where it has none.
        package let label: Double
        /// Places in `classScores`.
        package let scores: Range<Int32>
    }

    /// What a prediction says of one class.
    package struct ClassScore: Sendable, Hashable {
        /// A number of `className`.
        package let number: Int32
        package let score: Double

        package init(number: Int32, score: Double) {
            self.number = number
            self.score = score
        }
    }

    /// A label event.
    package struct Label: Sendable {
        package let id: UInt64
        package let time: Timestamp
        /// A class's number or a value.
        package let value: Double

        package init(id: UInt64, time: Timestamp, value: Double) {
            self.id = id
            self.time = time
            self.value = value
        }
    }

    /// Past this many classes new ones share the last number.
    static let maximumClasses = 1_000
    static let otherClass = "(other)"
    private static let maximumClassBytes = 256

    package let kind: OutcomeKind
    package private(set) var predictions: [Prediction] = []
    package private(set) var labels: [Label] = []
    /// Of predictions that bring the score of each class.
    package private(set) var classScores: [ClassScore] = []
    /// Scores of one prediction past this many are left out.
    static let maximumScores = 100
    private var classes: [String: Int32] = [:]
    package private(set) var classNames: [String] = []
    /// By the number of a class: whether labels may have it.
    private var canLabel: [Bool] = []

    init(_ kind: OutcomeKind) { self.kind = kind }

    package func className(_ number: Int32) -> String { classNames[Int(number)] }

    func removeAll() {
        predictions.removeAll(keepingCapacity: predictions.count < 16_384)
        labels.removeAll(keepingCapacity: labels.count < 16_384)
        classScores.removeAll(keepingCapacity: classScores.count < 65_536)
    }

    /// How much there is, for `takeBack`.
    var marks: Marks {
        Marks(
            predictions: predictions.count, labels: labels.count, classes: classNames.count, scores: classScores.count)
    }

    struct Marks {
        var predictions = 0
        var labels = 0
        var classes = 0
        var scores = 0
    }

    /// Forgets what came after a mark.
    func takeBack(to marks: Marks) {
        predictions.removeLast(predictions.count - marks.predictions)
        labels.removeLast(labels.count - marks.labels)
        classScores.removeLast(classScores.count - marks.scores)
        for name in classNames[marks.classes...] { classes[name] = nil }
        classNames.removeLast(classNames.count - marks.classes)
        canLabel.removeLast(canLabel.count - marks.classes)
    }

    func append(row: Int, id: UInt64, predicted: Int32, label: Double, scores: [ClassScore] = []) {
        guard id != 0 || !label.isNaN else { return }
        let first = Int32(truncatingIfNeeded: classScores.count)
        if !scores.isEmpty { classScores += scores.prefix(Self.maximumScores) }
        predictions.append(
            Prediction(
                row: Int32(truncatingIfNeeded: row), predicted: predicted, id: id, label: label,
                scores: first..<Int32(truncatingIfNeeded: classScores.count)))
    }

    func append(label value: Double, id: UInt64, time: Timestamp) {
        labels.append(Label(id: id, time: time, value: value))
    }

    /// The hash of an identity.
    func identity(_ text: UnsafeRawBufferPointer) -> UInt64 {
        guard case .relevance(let separator) = kind else { return IdentityHash.hash(text) }
        return IdentityHash.hash(text, queryEnd: text.lastIndex(of: separator) ?? text.count)
    }

    /// The number of a class, given when it first comes.
    func classNumber(_ text: UnsafeRawBufferPointer) -> Int32 {
        number(ofClass: Self.className(text))
    }

    private static func className(_ text: UnsafeRawBufferPointer) -> String {
        text.count > maximumClassBytes ? otherClass : String(decoding: text, as: UTF8.self)
    }

    private func number(ofClass name: String) -> Int32 {
        if let known = classes[name] { return known }
        let isOther = classNames.count >= Self.maximumClasses
        if isOther, let other = classes[Self.otherClass] { return other }
        let number = Int32(classNames.count)
        classNames.append(isOther ? Self.otherClass : name.nameForm)
        canLabel.append(isLabel(classNames[Int(number)]))
        classes[isOther ? Self.otherClass : name] = number
        return number
    }

    /// Whether a class may be a label.
    private func isLabel(_ name: String) -> Bool {
        var name = name
        let isWord = name.withUTF8 { !$0.isEmpty && !NonFiniteWord.matches(UnsafeRawBufferPointer($0)) }
        guard case .positive(let vocabulary) = kind else { return isWord }
        return isWord && vocabulary.accepts(name)
    }

    /// The same without giving a number: −2 where the class will get one.
    func knownLabelNumber(_ text: UnsafeRawBufferPointer) -> Int32 {
        let name = Self.className(text)
        if let known = classes[name] { return canLabel[Int(known)] ? known : -1 }
        return isLabel(name) ? -2 : -1
    }

    /// The number of a label's class; −1 where it is none a label can have, which gets no number here.
    func labelNumber(_ text: UnsafeRawBufferPointer) -> Int32 {
        let name = Self.className(text)
        if let known = classes[name] { return canLabel[Int(known)] ? known : -1 }
        return isLabel(name) ? number(ofClass: name) : -1
    }

    /// A value as a class's number, −1 where it is none.
    func classNumber(_ message: UnsafeRawBufferPointer, _ value: EventParts.Value?, _ raw: Range<Int>) -> Int32 {
        switch value {
        case .text(let text): JSONText.withUnescaped(message, text) { classNumber($0) }
        case .number(let range): JSONText.withCanonicalNumber(message, range) { classNumber($0) }
        case .other where message[raw.lowerBound] != 0x5b: classNumber(UnsafeRawBufferPointer(rebasing: message[raw]))
        default: -1
        }
    }

    /// A label: a class's number, or a number; NaN where it is neither.
    func label(_ message: UnsafeRawBufferPointer, _ value: EventParts.Value?, _ raw: Range<Int>) -> Double {
        switch kind {
        case .classes, .positive:
            let number: Int32 =
                switch value {
                case .text(let text): JSONText.withUnescaped(message, text) { labelNumber($0) }
                case .number(let range): JSONText.withCanonicalNumber(message, range) { labelNumber($0) }
                case .other where message[raw.lowerBound] != 0x5b:
                    labelNumber(UnsafeRawBufferPointer(rebasing: message[raw]))
                default: -1
                }
            return number < 0 ? .nan : Double(number)
        case .numbers, .relevance:
            guard case .number(let range) = value else { return .nan }
            let number = JSONText.double(message, range)
            return number.isFinite ? number : .nan
        }
    }

    /// The same of a scalar's text, numbers spelled as `JSONText.canonical` does.
    func label(_ text: UnsafeRawBufferPointer, isNumber: Bool) -> Double {
        switch kind {
        case .classes, .positive:
            let number = labelNumber(text)
            return number < 0 ? .nan : Double(number)
        case .numbers, .relevance:
            guard isNumber, !NonFiniteWord.matches(text) else { return .nan }
            let number = JSONText.double(text, 0..<text.count)
            return number.isFinite ? number : .nan
        }
    }
}

extension OutcomeRows {
    /// Why a value is no label.
    func fault(_ message: UnsafeRawBufferPointer, _ value: EventParts.Value, _ raw: Range<Int>) -> String {
        switch value {
        case .text(let text): JSONText.withUnescaped(message, text) { fault($0, isNumber: false) }
        case .number(let range): fault(UnsafeRawBufferPointer(rebasing: message[range]), isNumber: true)
        case .object: fault(nil, isNumber: false)
        case .other where message[raw.lowerBound] == 0x5b: fault(nil, isNumber: false)
        case .other: fault(UnsafeRawBufferPointer(rebasing: message[raw]), isNumber: false)
        }
    }

    /// Why a scalar, or where there is none a value of another type, is no label.
    func fault(_ text: UnsafeRawBufferPointer?, isNumber: Bool) -> String {
        guard let text else { return "label has a type that a label cannot have, \(wanted)" }
        let shown = String(decoding: text.prefix(60), as: UTF8.self)
        switch kind {
        case .numbers, .relevance:
            return isNumber ? "label is no finite number" : "label '\(shown)' is no number, \(wanted)"
        case .classes, .positive:
            guard !text.isEmpty else { return "label is an empty text, \(wanted)" }
            guard case .positive(let vocabulary) = kind, !NonFiniteWord.matches(text) else {
                return "label '\(shown)' names no class"
            }
            return
                "label '\(shown)' is neither \(vocabulary.description); the model's `positive` names the class that counts"
        }
    }

    private var wanted: String {
        switch kind {
        case .classes, .positive: "and this model's are classes: a text, a number or a boolean"
        case .numbers, .relevance: "and this model's are numbers"
        }
    }
}

/// A 64-bit hash of an event's `id`, which stands for it: among a billion identities the chance that two share one is 3%, among ten
/// million 3 in a million. The same in every process and release, so that sampling by it is too.
package enum IdentityHash {
    private static let seeds: (UInt64, UInt64) = (0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db)

    /// Never 0. Multiplications of 64 by 64 bits folded to 64, as wyhash does (Wang Yi, 2019).
    package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var h = fold(UInt64(truncatingIfNeeded: bytes.count) ^ seeds.0, seeds.1)
        guard let start = bytes.baseAddress else { return h | 1 }
        var i = 0
        while bytes.count &- i > 8 {
            h = fold(h ^ start.loadUnaligned(fromByteOffset: i, as: UInt64.self), seeds.1)
            i &+= 8
        }
        h = fold(h ^ ByteStringIndex.word(UnsafeRawBufferPointer(rebasing: bytes[i...])), seeds.0)
        h = fold(h ^ seeds.0, seeds.1)
        return h == 0 ? 1 : h
    }

    /// Bits that tell the items of a query apart: among a thousand items of a query two share theirs in 3 of 100 queries.
    private static let itemBits: UInt64 = 24

    /// The hash of an identity that begins with the name of a query: its upper bits are the query's, so that a sample by the hash takes
    /// queries whole.
    static func hash(_ bytes: UnsafeRawBufferPointer, queryEnd: Int) -> UInt64 {
        let items: UInt64 = (1 << itemBits) - 1
        let query = hash(UnsafeRawBufferPointer(rebasing: bytes[..<queryEnd])) & ~items
        let own = query | (hash(bytes) & items)
        return own == 0 ? 1 : own
    }

    /// The query's part of such a hash.
    package static func query(of id: UInt64) -> UInt64 { id >> itemBits }

    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
