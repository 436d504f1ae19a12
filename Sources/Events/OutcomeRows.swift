package import Values

/// What a model's labels are, and so how they are read.
package enum OutcomeKind: Sendable {
    /// Classes by name: numbers, booleans and texts that are written alike are one class.
    case classes
    case numbers
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
    }

    /// A label event.
    package struct Label: Sendable {
        package let id: UInt64
        package let time: Timestamp
        /// A class's number or a value; NaN where a number was due and something else came.
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
    private var classes: [String: Int32] = [:]
    package private(set) var classNames: [String] = []

    init(_ kind: OutcomeKind) { self.kind = kind }

    package func className(_ number: Int32) -> String { classNames[Int(number)] }

    func removeAll() {
        predictions.removeAll(keepingCapacity: predictions.count < 16_384)
        labels.removeAll(keepingCapacity: labels.count < 16_384)
    }

    /// How much there is, for `takeBack`.
    var marks: Marks { Marks(predictions: predictions.count, labels: labels.count, classes: classNames.count) }

    struct Marks {
        var predictions = 0
        var labels = 0
        var classes = 0
    }

    /// Forgets what came after a mark.
    func takeBack(to marks: Marks) {
        predictions.removeLast(predictions.count - marks.predictions)
        labels.removeLast(labels.count - marks.labels)
        for name in classNames[marks.classes...] { classes[name] = nil }
        classNames.removeLast(classNames.count - marks.classes)
    }

    func append(row: Int, id: UInt64, predicted: Int32, label: Double) {
        guard id != 0 || !label.isNaN else { return }
        predictions.append(
            Prediction(row: Int32(truncatingIfNeeded: row), predicted: predicted, id: id, label: label))
    }

    func append(label value: Double, id: UInt64, time: Timestamp) {
        labels.append(Label(id: id, time: time, value: value))
    }

    /// The number of a class, given when it first comes.
    func classNumber(_ text: UnsafeRawBufferPointer) -> Int32 {
        let name =
            text.count > Self.maximumClassBytes ? Self.otherClass : String(decoding: text, as: UTF8.self)
        if let known = classes[name] { return known }
        let isOther = classNames.count >= Self.maximumClasses
        if isOther, let other = classes[Self.otherClass] { return other }
        let number = Int32(classNames.count)
        classNames.append(isOther ? Self.otherClass : name)
        classes[isOther ? Self.otherClass : name] = number
        return number
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
        case .classes:
            let number = classNumber(message, value, raw)
            return number < 0 ? .nan : Double(number)
        case .numbers:
            guard case .number(let range) = value else { return .nan }
            let number = JSONText.double(message, range)
            return number.isFinite ? number : .nan
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

    private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
