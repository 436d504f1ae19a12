/// The interpreter. What nearly every event needs is done here, in a loop that knows neither decoder nor model and so needs no more
/// than some registers; the rest is in `AvroSteps`.
enum AvroLoop {
    /// Runs a program over the message in the registers, up to its end or the first thing that is wrong or not known.
    static func run(_ program: UnsafePointer<AvroProgram.View>, _ scratch: AvroScratch, _ row: AvroRow) -> AvroStop {
        let first = program.pointee.code
        let registers = scratch.registers
        var place = registers.pointee.place
        let end = registers.pointee.end
        var code = registers.pointee.code
        var failure = AvroFailure.Kind.bytesLeft
        texts: do {
            steps: while true {
                // Read field by field where it is used: taken whole, every step would pay for all fields.
                switch code.pointee.operation {
                case .numberDouble where code.pointee.b > 0 && end - place >= 8 &* (Int(code.pointee.b) &+ 1):
                    let cells = row.numbers + Int(code.pointee.cell)
                    for i in 0...Int(code.pointee.b) {
                        cells[i] = double(place.loadUnaligned(fromByteOffset: 8 &* i, as: UInt64.self))
                    }
                    place += 8 &* (Int(code.pointee.b) &+ 1)
                    code += Int(code.pointee.b) &+ 1
                    continue
                case .numberDouble:
                    guard end - place >= 8 else {
                        failure = .endsInNumber
                        break steps
                    }
                    row.numbers[Int(code.pointee.cell)] = double(place.loadUnaligned(as: UInt64.self))
                    place += 8
                case .numberFloat:
                    guard end - place >= 4 else {
                        failure = .endsInNumber
                        break steps
                    }
                    let value = Float(bitPattern: UInt32(littleEndian: place.loadUnaligned(as: UInt32.self)))
                    place += 4
                    row.numbers[Int(code.pointee.cell)] = value.isFinite ? Double(value) + 0 : Hole.invalid.asDouble
                case .numberInteger:
                    guard let value = AvroWire.whole(&place, end, narrow: code.pointee.flag != 0) else {
                        failure = AvroWire.wholeFailure(place, end)
                        break steps
                    }
                    row.numbers[Int(code.pointee.cell)] = Double(value)
                case .nullableDouble where end - place >= 9 && place.load(as: UInt8.self) == code.pointee.flag:
                    row.numbers[Int(code.pointee.cell)] = double(
                        place.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
                    place += 9
                    code = first + Int(code.pointee.b)
                    continue
                case .nullableCode where place < end && place.load(as: UInt8.self) == code.pointee.flag:
                    place += 1
                    if let found = takeRemembered(&place, end, program, code[1].a) {
                        row.codes[Int(code.pointee.cell)] = found
                        code = first + Int(code.pointee.b)
                        continue
                    }
                case .nullableSegment where place < end && place.load(as: UInt8.self) == code.pointee.flag:
                    place += 1
                    if let found = takeRemembered(&place, end, program, code[1].a) {
                        row.segments[Int(code.pointee.cell)] = found
                        code = first + Int(code.pointee.b)
                        continue
                    }
                case .key:
                    if let found = takeRemembered(&place, end, program, code.pointee.b) {
                        let target = program.pointee.keys[Int(code.pointee.a)].firstTarget + Int(found)
                        code = first + Int(program.pointee.numbers[target])
                        continue
                    }
                case .branch where place < end && AvroSteps.isBranch(place.load(as: UInt8.self), of: code.pointee.b):
                    let branch = Int(place.load(as: UInt8.self) &>> 1)
                    place += 1
                    code = first + Int(program.pointee.numbers[Int(code.pointee.a) + branch])
                    continue
                case .next where scratch.frames[registers.pointee.depth - 1].remaining > 1:
                    scratch.frames[registers.pointee.depth - 1].remaining -= 1
                    code = scratch.frames[registers.pointee.depth - 1].body
                case .nullable, .nullableDouble, .nullableCode, .nullableSegment:
                    guard place < end else {
                        failure = .endsInInteger
                        break steps
                    }
                    let branch = place.load(as: UInt8.self)
                    if branch == code.pointee.flag {
                        place += 1
                    } else if branch == 2 &- code.pointee.flag {
                        place += 1
                        code = first + Int(code.pointee.a)
                        continue
                    } else {
                        failure = AvroSteps.branchFailure(place, end)
                        break steps
                    }
                case .numberHole:
                    let cell = row.numbers + Int(code.pointee.cell)
                    if code.pointee.flag == 0 || Hole(nan: cell.pointee) == .missing && cell.pointee.isNaN {
                        cell.pointee = Double(bitPattern: Hole.quietNaN | UInt64(code.pointee.a))
                    }
                case .jump:
                    code = first + Int(code.pointee.a)
                    continue
                case .codeText:
                    // Strings mostly come one after the other.
                    while let found = takeRemembered(&place, end, program, code.pointee.a) {
                        row.codes[Int(code.pointee.cell)] = found
                        code += 1
                        if code.pointee.operation != .codeText { continue steps }
                    }
                    guard let text = AvroWire.text(&place, end) else {
                        failure = AvroWire.textFailure(place, end)
                        break steps
                    }
                    registers.pointee.text = text
                    break texts
                case .codeOfText:
                    guard let found = remembered(registers.pointee.text, program, code.pointee.a) else { break texts }
                    row.codes[Int(code.pointee.cell)] = found
                case .segmentText:
                    while let found = takeRemembered(&place, end, program, code.pointee.a) {
                        row.segments[Int(code.pointee.cell)] = found
                        code += 1
                        if code.pointee.operation != .segmentText { continue steps }
                    }
                    guard let text = AvroWire.text(&place, end) else {
                        failure = AvroWire.textFailure(place, end)
                        break steps
                    }
                    registers.pointee.text = text
                    break texts
                case .segmentOfText:
                    guard let found = remembered(registers.pointee.text, program, code.pointee.a) else { break texts }
                    row.segments[Int(code.pointee.cell)] = found
                case .versionText:
                    if let found = takeRemembered(&place, end, program, code.pointee.a) {
                        registers.pointee.version = found
                    } else {
                        guard let text = AvroWire.text(&place, end) else {
                            failure = AvroWire.textFailure(place, end)
                            break steps
                        }
                        registers.pointee.text = text
                        break texts
                    }
                case .versionOfText:
                    guard let found = remembered(registers.pointee.text, program, code.pointee.a) else { break texts }
                    registers.pointee.version = found
                case .text:
                    guard let text = AvroWire.text(&place, end) else {
                        failure = AvroWire.textFailure(place, end)
                        break steps
                    }
                    registers.pointee.text = text
                case .identity:
                    guard let text = AvroWire.text(&place, end) else {
                        failure = AvroWire.textFailure(place, end)
                        break steps
                    }
                    guard text.isSound else {
                        place = text.start
                        failure = .badUTF8
                        break steps
                    }
                    registers.pointee.found |= Int(code.pointee.a)
                case .timeInteger:
                    guard let value = AvroWire.whole(&place, end, narrow: code.pointee.flag != 0) else {
                        failure = AvroWire.wholeFailure(place, end)
                        break steps
                    }
                    AvroSteps.take(time: value, code.pointee, registers)
                case .modelOfText:
                    registers.pointee.model = registers.pointee.text
                    if let model = program.pointee.model, !(model == registers.pointee.text) { return .otherModel }
                case .found: registers.pointee.found |= Int(code.pointee.a)
                case .unknown: registers.pointee.unknown &+= UInt64(code.pointee.a)
                case .skipBytes:
                    guard end - place >= Int(code.pointee.a) else {
                        failure = code.pointee.flag == 0 ? .endsInBytes : .endsInNumber
                        break steps
                    }
                    place += Int(code.pointee.a)
                case .skipInteger:
                    guard AvroWire.integer(&place, end) != nil else {
                        failure = AvroWire.integerFailure(place, end)
                        break steps
                    }
                case .skipText:
                    guard AvroWire.text(&place, end) != nil else {
                        failure = AvroWire.textFailure(place, end)
                        break steps
                    }
                case .end:
                    if place != end { break steps }
                    if code.pointee.flag != 0 { return .done }
                case .halt: return .done
                default:
                    registers.pointee.place = place
                    registers.pointee.code = code
                    let stop = AvroSteps.take(code.pointee, program, scratch, row)
                    guard stop == .done else { return stop }
                    place = registers.pointee.place
                    code = registers.pointee.code
                }
                code += 1
            }
            registers.pointee.place = place
            registers.pointee.code = code
            return .failed(failure)
        }
        registers.pointee.place = place
        registers.pointee.code = code
        return .unknownText
    }

    @inline(__always)
    private static func double(_ littleEndian: UInt64) -> Double {
        let value = Double(bitPattern: UInt64(littleEndian: littleEndian))
        // The sum makes -0 the 0 it is in JSON.
        return value.isFinite ? value + 0 : Hole.invalid.asDouble
    }

    /// Takes a short text and returns what it stands for, if it was looked up before; otherwise takes nothing.
    @inline(__always)
    private static func takeRemembered(
        _ place: inout UnsafeRawPointer, _ end: UnsafeRawPointer, _ program: UnsafePointer<AvroProgram.View>,
        _ memo: Int32
    ) -> UInt16? {
        // With 16 bytes behind the length there is nothing more to check: the text is shorter.
        guard end - place > 16 else {
            let (found, next) = lastRemembered(place, end, program, memo)
            guard let next else { return nil }
            place = next
            return found
        }
        let length = place.load(as: UInt8.self)
        guard length & 1 == 0, length <= 2 * AvroMemo.maximumBytes else { return nil }
        let count = Int(length &>> 1)
        let key = AvroMemo.Key(place + 1, program.pointee.masks[count])
        guard let found = program.pointee.memo(memo).find(key) else { return nil }
        place += 1 &+ count
        return found
    }

    /// The same within the last bytes of a message. Of two to eight bytes the word is read that ends with them; as the header's five
    /// bytes stand before every text, it does not begin before the message.
    @inline(never)
    private static func lastRemembered(
        _ place: UnsafeRawPointer, _ end: UnsafeRawPointer, _ program: UnsafePointer<AvroProgram.View>,
        _ memo: Int32
    ) -> (found: UInt16, next: UnsafeRawPointer?) {
        let length = place < end ? place.load(as: UInt8.self) : 0
        let count = Int(length &>> 1)
        if length & 1 == 0, count >= 2, count <= 8, end - place > count {
            let word = UInt64(littleEndian: place.loadUnaligned(fromByteOffset: count &- 7, as: UInt64.self))
            let key = AvroMemo.Key(word: word &>> UInt64(truncatingIfNeeded: 64 &- 8 &* count), count)
            guard let found = program.pointee.memo(memo).find(key) else { return (0, nil) }
            return (found, place + (1 &+ count))
        }
        var at = place
        guard let text = AvroWire.text(&at, end), let found = remembered(text, program, memo) else { return (0, nil) }
        return (found, at)
    }

    /// What a text stands for, if it was looked up before.
    @inline(__always)
    private static func remembered(
        _ text: AvroText, _ program: UnsafePointer<AvroProgram.View>, _ memo: Int32
    ) -> UInt16? {
        guard text.count <= AvroMemo.maximumBytes else { return nil }
        return program.pointee.memo(memo).find(AvroMemo.Key(text))
    }
}
