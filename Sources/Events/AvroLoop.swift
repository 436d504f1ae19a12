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
                let step = code.pointee
                switch step.operation {
                case .numberDouble where step.b > 0 && end - place >= 8 &* (Int(step.b) &+ 1):
                    let cells = row.numbers + Int(step.cell)
                    for i in 0...Int(step.b) {
                        cells[i] = double(place.loadUnaligned(fromByteOffset: 8 &* i, as: UInt64.self))
                    }
                    place += 8 &* (Int(step.b) &+ 1)
                    code += Int(step.b) &+ 1
                    continue
                case .numberDouble:
                    guard end - place >= 8 else {
                        failure = .endsInNumber
                        break steps
                    }
                    row.numbers[Int(step.cell)] = double(place.loadUnaligned(as: UInt64.self))
                    place += 8
                case .numberFloat:
                    guard end - place >= 4 else {
                        failure = .endsInNumber
                        break steps
                    }
                    let value = Float(bitPattern: UInt32(littleEndian: place.loadUnaligned(as: UInt32.self)))
                    place += 4
                    row.numbers[Int(step.cell)] = value.isFinite ? Double(value) + 0 : Hole.invalid.asDouble
                case .numberInteger:
                    guard let value = AvroWire.whole(&place, end, narrow: step.flag != 0) else {
                        failure = AvroWire.wholeFailure(place, end)
                        break steps
                    }
                    row.numbers[Int(step.cell)] = Double(value)
                case .nullable:
                    guard place < end else {
                        failure = .endsInInteger
                        break steps
                    }
                    let branch = place.load(as: UInt8.self)
                    if branch == step.flag {
                        place += 1
                    } else if branch == 2 &- step.flag {
                        place += 1
                        code = first + Int(step.a)
                        continue
                    } else {
                        failure = AvroSteps.branchFailure(place, end)
                        break steps
                    }
                case .numberHole:
                    let cell = row.numbers + Int(step.cell)
                    if step.flag == 0 || Hole(nan: cell.pointee) == .missing && cell.pointee.isNaN {
                        cell.pointee = Double(bitPattern: Hole.quietNaN | UInt64(step.a))
                    }
                case .jump:
                    code = first + Int(step.a)
                    continue
                case .codeText:
                    // Strings mostly come one after the other.
                    var next = step
                    while let found = takeRemembered(&place, end, program, next) {
                        row.codes[Int(next.cell)] = found
                        code += 1
                        next = code.pointee
                        if next.operation != .codeText { continue steps }
                    }
                    guard let text = AvroWire.text(&place, end) else {
                        failure = AvroWire.textFailure(place, end)
                        break steps
                    }
                    registers.pointee.text = text
                    break texts
                case .codeOfText:
                    guard let found = remembered(registers.pointee.text, program, step) else { break texts }
                    row.codes[Int(step.cell)] = found
                case .segmentText:
                    var next = step
                    while let found = takeRemembered(&place, end, program, next) {
                        row.segments[Int(next.cell)] = found
                        code += 1
                        next = code.pointee
                        if next.operation != .segmentText { continue steps }
                    }
                    guard let text = AvroWire.text(&place, end) else {
                        failure = AvroWire.textFailure(place, end)
                        break steps
                    }
                    registers.pointee.text = text
                    break texts
                case .segmentOfText:
                    guard let found = remembered(registers.pointee.text, program, step) else { break texts }
                    row.segments[Int(step.cell)] = found
                case .versionText:
                    if let found = takeRemembered(&place, end, program, step) {
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
                    guard let found = remembered(registers.pointee.text, program, step) else { break texts }
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
                    registers.pointee.found |= Int(step.a)
                case .timeInteger:
                    guard let value = AvroWire.whole(&place, end, narrow: step.flag != 0) else {
                        failure = AvroWire.wholeFailure(place, end)
                        break steps
                    }
                    AvroSteps.take(time: value, step, registers)
                case .modelOfText:
                    registers.pointee.model = registers.pointee.text
                    if let model = program.pointee.model, !(model == registers.pointee.text) { return .otherModel }
                case .found: registers.pointee.found |= Int(step.a)
                case .unknown: registers.pointee.unknown &+= UInt64(step.a)
                case .skipBytes:
                    guard end - place >= Int(step.a) else {
                        failure = step.flag == 0 ? .endsInBytes : .endsInNumber
                        break steps
                    }
                    place += Int(step.a)
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
                    if step.flag != 0 { return .done }
                case .halt: return .done
                default:
                    registers.pointee.place = place
                    registers.pointee.code = code
                    let stop = AvroSteps.take(step, program, scratch, row)
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
        _ step: AvroInstruction
    ) -> UInt16? {
        // With 16 bytes behind the length there is nothing more to check: the text is shorter.
        guard end - place > 16 else {
            let (found, next) = lastRemembered(place, end, program, step)
            guard let next else { return nil }
            place = next
            return found
        }
        let length = place.load(as: UInt8.self)
        guard length & 1 == 0, length <= 2 * AvroMemo.maximumBytes else { return nil }
        let count = Int(length &>> 1)
        let key = AvroMemo.Key(place + 1, program.pointee.masks[count])
        guard let found = program.pointee.memo(step.a).find(key) else { return nil }
        place += 1 &+ count
        return found
    }

    /// The same within the last bytes of a message.
    @inline(never)
    private static func lastRemembered(
        _ place: UnsafeRawPointer, _ end: UnsafeRawPointer, _ program: UnsafePointer<AvroProgram.View>,
        _ step: AvroInstruction
    ) -> (found: UInt16, next: UnsafeRawPointer?) {
        var at = place
        guard let text = AvroWire.text(&at, end), let found = remembered(text, program, step) else { return (0, nil) }
        return (found, at)
    }

    /// What a text stands for, if it was looked up before.
    @inline(__always)
    private static func remembered(
        _ text: AvroText, _ program: UnsafePointer<AvroProgram.View>, _ step: AvroInstruction
    ) -> UInt16? {
        guard text.count <= AvroMemo.maximumBytes else { return nil }
        return program.pointee.memo(step.a).find(AvroMemo.Key(text))
    }
}
