/// The values of a row: one cell each, in the usual forms at once, in all others by way of `ModelTables`, as the general way does.
extension LearnedReader {
    typealias Place = UnsafeRawPointer

    /// `null` as a word of four bytes.
    private static let null: UInt32 = 0x6c6c_756e

    /// A number of up to seven characters: its digits and point are in one word, which is read once.
    @inline(__always)
    func numberCell(_ p: Place, _ node: UnsafeMutablePointer<KeyNode>) -> Place? {
        let cell = state.pointee.numbers + Int(node.pointee.column)
        let isNegative = WordScan.byte(p) == 0x2d
        let start = isNegative ? p + 1 : p
        let word = WordScan.load(start) ^ WordScan.zeros
        // Where, in bits, the first byte stands that is no digit, and the second.
        let flags = WordScan.nonDigits(word)
        let point = flags.trailingZeroBitCount & 0x38
        let whole = WordScan.lowBits(point)
        let rest = flags & (flags &- 1)
        guard rest != 0 else { return otherNumber(p, cell) }
        // A number starts with one digit, or with several of which the first is not 0.
        guard point == 8 || word & 0xff != 0, point != 0 else { return nullOrOther(p, cell) }
        let behind = word &>> UInt64(point) & 0xff
        if behind != 0x1e {
            // No point: a whole number, unless an exponent follows.
            guard (behind ^ 0x30) | 0x20 != 0x65 else { return otherNumber(p, cell) }
            let value = Double(Int64(bitPattern: WordScan.number(word &<< UInt64(64 &- point))))
            cell.pointee = isNegative ? 0 - value : value
            return start + point &>> 3
        }
        let end = rest.trailingZeroBitCount & 0x38
        let places = end &- point &- 8
        let after = start + end &>> 3
        guard places > 0, WordScan.byte(after) | 0x20 != 0x65 else { return otherNumber(p, cell) }
        let digits = (word & whole | word &>> 8 & ~whole) &<< UInt64(72 &- end)
        let value = Double(Int64(bitPattern: WordScan.number(digits))) / powers.exact[places &>> 3]
        cell.pointee = isNegative ? 0 - value : value
        return after
    }

    @inline(never)
    private func nullOrOther(_ p: Place, _ cell: UnsafeMutablePointer<Double>) -> Place? {
        guard isNull(p) else { return otherNumber(p, cell) }
        cell.pointee = Hole.null.asDouble
        return p + 4
    }

    /// Any other number, or what is no number.
    @inline(never)
    private func otherNumber(_ p: Place, _ cell: UnsafeMutablePointer<Double>) -> Place? {
        if let end = longNumber(p) {
            cell.pointee = state.pointee.number.isFinite ? state.pointee.number : Hole.invalid.asDouble
            return end
        }
        return withValue(p) { text, value, _ in cell.pointee = ModelTables.numberCell(text, value) }
    }

    @inline(__always)
    func categoryCell(_ p: Place, _ node: UnsafeMutablePointer<KeyNode>) -> Place? {
        let column = Int(node.pointee.column)
        let word = WordScan.load(p, 1)
        let bits = WordScan.bitsToQuote(word)
        guard WordScan.byte(p) == 0x22, bits >= 0 else { return otherCategory(p, node) }
        let name = word & WordScan.lowBits(bits)
        let count = bits &>> 3
        let categories = state.pointee.graph.pointee.categories[column]
        let number = categories.names.find(plain: name, length: count)
        guard number >= 0 else { return otherCategory(p, node) }
        if node.pointee.dimension >= 0, !putFeatureSegment(name, count, Int(node.pointee.dimension)) {
            return otherCategory(p, node)
        }
        state.pointee.codes[column] = categories.codes[number]
        return p + count + 2
    }

    /// Of a known value of up to seven bytes, without a call to the tables; false for any other.
    private func putFeatureSegment(_ name: UInt64, _ count: Int, _ dimension: Int) -> Bool {
        let number = state.pointee.graph.pointee.dimensions[dimension].values.find(plain: name, length: count)
        guard number >= 0 else { return false }
        if state.pointee.dimensionsTaken & 1 &<< UInt64(truncatingIfNeeded: dimension) == 0 {
            state.pointee.segments[dimension] = UInt16(truncatingIfNeeded: number)
        }
        return true
    }

    /// A category of more than seven bytes or that no reference knows, or what is no plain string.
    @inline(never)
    func otherCategory(_ p: Place, _ node: UnsafeMutablePointer<KeyNode>) -> Place? {
        let column = Int(node.pointee.column)
        let dimension = Int(node.pointee.dimension)
        let cell = state.pointee.codes + column
        if p.loadUnaligned(as: UInt32.self) == Self.null {
            cell.pointee = Hole.null.asCode
            if dimension >= 0 { clearFeatureSegment(dimension) }
            return p + 4
        }
        let count = WordScan.byte(p) == 0x22 ? plainLength(p + 1) : -1
        if count > 7, dimension < 0 {
            let categories = state.pointee.graph.pointee.categories[column]
            let number = categories.names.find(UnsafeRawBufferPointer(start: p + 1, count: count))
            if number >= 0 {
                cell.pointee = categories.codes[number]
                return p + count + 2
            }
        }
        let tables = tables[state.pointee.modelIndex]
        if count >= 0 {
            let text = UnsafeRawBufferPointer(start: p + 1, count: count)
            cell.pointee = tables.textCode(text, column: column)
            if dimension >= 0 { putFeatureSegment(text, dimension) }
            return p + count + 2
        }
        return withValue(p) { text, value, raw in
            cell.pointee = tables.codeCell(text, value, raw, column: column)
            if dimension >= 0 { putFeatureSegment(text, value, raw, dimension) }
        }
    }

    @inline(__always)
    func segmentCell(_ p: Place, _ node: UnsafeMutablePointer<KeyNode>) -> Place? {
        let dimension = Int(node.pointee.dimension)
        let word = WordScan.load(p, 1)
        let bits = WordScan.bitsToQuote(word)
        guard WordScan.byte(p) == 0x22 else { return otherSegment(p, dimension) }
        guard bits >= 0 else { return longSegment(p, dimension) }
        let number = state.pointee.graph.pointee.dimensions[dimension].values.find(
            plain: word & WordScan.lowBits(bits), length: bits &>> 3)
        guard number >= 0 else { return otherSegment(p, dimension) }
        state.pointee.segments[dimension] = UInt16(truncatingIfNeeded: number)
        state.pointee.dimensionsTaken |= 1 &<< UInt64(truncatingIfNeeded: dimension)
        return p + (bits &>> 3 &+ 2)
    }

    /// A value of more than seven bytes.
    @inline(never)
    private func longSegment(_ p: Place, _ dimension: Int) -> Place? {
        let count = plainLength(p + 1)
        guard count >= 0 else { return otherSegment(p, dimension) }
        let number = state.pointee.graph.pointee.dimensions[dimension].values.find(
            UnsafeRawBufferPointer(start: p + 1, count: count))
        guard number >= 0 else { return otherSegment(p, dimension) }
        state.pointee.segments[dimension] = UInt16(truncatingIfNeeded: number)
        state.pointee.dimensionsTaken |= 1 &<< UInt64(truncatingIfNeeded: dimension)
        return p + count + 2
    }

    /// A value not met before, or one that is no plain string.
    @inline(never)
    private func otherSegment(_ p: Place, _ dimension: Int) -> Place? {
        if p.loadUnaligned(as: UInt32.self) == Self.null { return p + 4 }
        return withValue(p) { text, value, raw in
            ModelTables.withSegmentText(text, value, raw) { name in
                putSegment(name, dimension)
                state.pointee.dimensionsTaken |= 1 << UInt64(dimension)
            }
        }
    }

    /// The rarer kinds of value.
    @inline(never)
    func rareCell(_ p: Place, _ node: UnsafeMutablePointer<KeyNode>) -> Place? {
        switch node.pointee.action {
        case .skip: return skipValue(p)
        case .unknownFeature:
            noteStray(p, node)
            state.pointee.unknownKeys &+= 1
            return skipValue(p)
        case .dimensionNumber, .dimensionOnly:
            let dimension = Int(node.pointee.dimension)
            return withValue(p) { text, value, raw in
                if node.pointee.action == .dimensionNumber {
                    state.pointee.numbers[Int(node.pointee.column)] = ModelTables.numberCell(text, value)
                }
                putFeatureSegment(text, value, raw, dimension)
            }
        case .type: return type(p)
        case .label:
            if isNull(p) { return p + 4 }
            return mark(Part.label) ? slice(p) { state.pointee.label = $0 } : nil
        case .value:
            // `score` counts before it, whichever comes first.
            return state.pointee.seen & Part.score == 0 ? numberCell(p, node) : skipValue(p)
        case .predictedLabel:
            guard collects[state.pointee.modelIndex] == nil || slice(p, { state.pointee.predicted = $0 }) != nil else {
                return nil
            }
            return otherCategory(p, node)
        case .outcomeClass: return outcomeClass(p)
        default: return nil
        }
    }

    /// Any value, in the depth where features stand.
    private func withValue(
        _ p: Place, _ body: (UnsafeRawBufferPointer, EventParts.Value?, Range<Int>) -> Void
    ) -> Place? {
        let text = UnsafeRawBufferPointer(start: p, count: state.pointee.end - p)
        var scanner = JSONScanner(text)
        guard let value = EventParts.value(&scanner, depth: state.pointee.depth + 2) else { return nil }
        body(text, value, 0..<scanner.position)
        return p + scanner.position
    }

    /// Passes a value that nobody reads; it must be sound all the same.
    func skipValue(_ p: Place) -> Place? {
        if byte(p) == 0x22 {
            let count = plainLength(p + 1)
            if count >= 0 { return p + count + 2 }
        }
        var scanner = JSONScanner(UnsafeRawBufferPointer(start: p, count: state.pointee.end - p))
        guard (try? scanner.skipValue(depth: state.pointee.depth + 2)) != nil else { return nil }
        return p + scanner.position
    }

    private func putFeatureSegment(
        _ text: UnsafeRawBufferPointer, _ value: EventParts.Value?, _ raw: Range<Int>, _ dimension: Int
    ) {
        clearFeatureSegment(dimension)
        ModelTables.withSegmentText(text, value, raw) { putFeatureSegment($0, dimension) }
    }

    /// A feature that is a dimension gives its value where `segments` does not.
    private func putFeatureSegment(_ name: UnsafeRawBufferPointer, _ dimension: Int) {
        if state.pointee.dimensionsTaken & 1 << UInt64(dimension) == 0 {
            putSegment(name, dimension)
        } else if tables[state.pointee.modelIndex].dimensions[dimension].known(name) < 0 {
            state.pointee.hasNewName = true
        }
    }

    /// A key given twice: the last one counts.
    private func clearFeatureSegment(_ dimension: Int) {
        guard state.pointee.dimensionsTaken & 1 << UInt64(dimension) == 0 else { return }
        state.pointee.segments[dimension] = EventBatch.noSegment
    }

    private func putSegment(_ name: UnsafeRawBufferPointer, _ dimension: Int) {
        let number = tables[state.pointee.modelIndex].dimensions[dimension].known(name)
        if number < 0 {
            state.pointee.hasNewName = true
        } else {
            state.pointee.segments[dimension] = UInt16(number)
        }
    }

    func isNull(_ p: Place) -> Bool { p.loadUnaligned(as: UInt32.self) == Self.null }

    /// Notes a part of the event; false where it came before: the general way knows which one counts.
    func mark(_ part: UInt32) -> Bool {
        guard state.pointee.seen & part == 0 else { return false }
        state.pointee.seen |= part
        return true
    }
}
