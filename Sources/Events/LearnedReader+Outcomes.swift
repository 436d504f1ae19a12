import Values

/// Where an event's identity, label and predicted class stand, for models whose performance is watched.
extension LearnedReader {
    /// A value's text: the inside of a plain string, or a number or word as it stands.
    struct Slice {
        var start: UnsafeRawPointer
        /// −1 where there is none.
        var count = -1
        var isText = false

        static func none(_ p: UnsafeRawPointer) -> Slice { Slice(start: p) }
        var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
        var exists: Bool { count >= 0 }
    }

    /// A string without escapes in ASCII, a number, a boolean or null; any other value is for the general way.
    /// - Returns: behind the value.
    func slice(_ p: Place, _ put: (Slice) -> Void) -> Place? {
        if byte(p) == 0x22 {
            let count = plainLength(p + 1)
            guard count >= 0 else { return nil }
            put(Slice(start: p + 1, count: count, isText: true))
            return p + count + 2
        }
        let first = byte(p)
        guard first != 0x7b, first != 0x5b, let end = skipValue(p) else { return nil }
        put(isNull(p) ? .none(p) : Slice(start: p, count: end - p))
        return end
    }

    /// The class a prediction with a score names too.
    func outcomeClass(_ p: Place) -> Place? {
        guard collects[state.pointee.modelIndex] != nil else { return skipValue(p) }
        return slice(p) { state.pointee.predicted = $0 }
    }

    /// Hands the outcome of the event just finished to its batch.
    /// - Parameter isLabel: the event is a label; otherwise the row that it becomes is numbered `row`.
    @inline(never)
    func commitOutcome(_ outcomes: OutcomeRows, isLabel: Bool, row: Int) {
        let state = state.pointee
        let id = state.identity.exists ? outcomes.identity(state.identity.bytes) : 0
        var label = state.label.exists ? state.labelValue : .nan
        // Now that the event counts, a new class may have its number.
        if label == Self.newClass, outcomes.kind.isClass { label = Self.label(state.label, outcomes) }
        if isLabel {
            outcomes.append(label: label, id: id, time: state.time)
        } else if state.seen & Part.prediction != 0 {
            outcomes.append(row: row, id: id, predicted: Self.classNumber(state.predicted, outcomes), label: label)
        }
    }

    private static func classNumber(_ slice: Slice, _ outcomes: OutcomeRows) -> Int32 {
        guard slice.exists else { return -1 }
        guard isNumber(slice) else { return outcomes.classNumber(slice.bytes) }
        return JSONText.withCanonicalNumber(slice.bytes, 0..<slice.count) { outcomes.classNumber($0) }
    }

    private static func isNumber(_ slice: Slice) -> Bool {
        !slice.isText && slice.count > 0 && WordScan.byte(slice.start) &- 0x61 > 25
    }

    /// In place of the number of a class that has none yet.
    private static let newClass = -2.0

    /// NaN where the value is no label.
    /// - Parameter isFinal: a new class gets its number; otherwise `newClass` stands for it.
    static func label(_ slice: Slice, _ outcomes: OutcomeRows, isFinal: Bool = true) -> Double {
        switch outcomes.kind {
        case .classes, .positive:
            func number(_ text: UnsafeRawBufferPointer) -> Int32 {
                isFinal ? outcomes.labelNumber(text) : outcomes.knownLabelNumber(text)
            }
            let found =
                isNumber(slice)
                ? JSONText.withCanonicalNumber(slice.bytes, 0..<slice.count) { number($0) } : number(slice.bytes)
            return found == -1 ? .nan : Double(found)
        case .numbers, .relevance:
            let first = slice.count > 0 ? WordScan.byte(slice.start) : 0
            guard !slice.isText, first == 0x2d || first &- 0x30 < 10 else { return .nan }
            let number = JSONText.double(slice.bytes, 0..<slice.count)
            return number.isFinite ? number : .nan
        }
    }
}
