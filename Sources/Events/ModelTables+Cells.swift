/// What a value of any JSON type means in a cell. `text` holds the value; `nil` is null, `raw` where the value stands.
extension ModelTables {
    static func numberCell(_ text: UnsafeRawBufferPointer, _ value: EventParts.Value?) -> Double {
        switch value {
        case nil: return Hole.null.asDouble
        case .number(let range):
            let read = JSONText.double(text, range)
            return read.isFinite ? read : Hole.invalid.asDouble
        case .text(let word):
            return (ModelReader.namesNonFinite(text, word) ? Hole.invalid : Hole.wrongType).asDouble
        case .object, .other: return Hole.wrongType.asDouble
        }
    }

    func codeCell(
        _ text: UnsafeRawBufferPointer, _ value: EventParts.Value?, _ raw: Range<Int>, column: Int
    ) -> UInt16 {
        switch value {
        case nil: return Hole.null.asCode
        case .text(let word): return JSONText.withUnescaped(text, word) { textCode($0, column: column) }
        case .number(let range):
            return JSONText.withCanonicalNumber(text, range) { categoryCode($0, column: column) }
        case .other:
            let bytes = UnsafeRawBufferPointer(rebasing: text[raw])
            return bytes.first == 0x5b ? Hole.wrongType.asCode : categoryCode(bytes, column: column)
        case .object: return Hole.wrongType.asCode
        }
    }

    /// Calls `body` with the segment that a value names, if it names one: nulls, arrays and objects do not.
    static func withSegmentText(
        _ text: UnsafeRawBufferPointer, _ value: EventParts.Value?, _ raw: Range<Int>,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        switch value {
        case .text(let word): JSONText.withUnescaped(text, word) { body($0) }
        case .number(let range): JSONText.withCanonicalNumber(text, range) { body($0) }
        case .other:
            let bytes = UnsafeRawBufferPointer(rebasing: text[raw])
            if bytes.first != 0x5b { body(bytes) }
        case .object, nil: break
        }
    }
}
