import Values

/// The instructions that few events need, or that are not worth a place in the hot loop. Each takes the registers' place on.
enum AvroSteps {
    static func take(
        _ step: AvroInstruction, _ program: UnsafePointer<AvroProgram.View>, _ scratch: AvroScratch, _ row: AvroRow
    ) -> AvroStop {
        let r = scratch.registers
        let kind: AvroFailure.Kind?
        switch step.operation {
        case .branch: kind = branch(step, program, r)
        case .call, .return, .blocks, .next, .emptyBlocks, .otherKey, .keepKey:
            kind = AvroBlocks.take(step, program, scratch)
        case .skipSymbol: kind = symbol(step.a, r).failure
        case .text, .textSymbol, .textBoolean, .textInteger, .textDigits, .textFloat, .textDouble, .textDecimal,
            .textUUID:
            kind = AvroScalars.text(step, program, scratch)
        case .keepText: kind = keep(step, scratch)
        case .keepScore:
            keepScore(scratch)
            kind = nil
        case .timeOfText, .timeEpochInteger, .timeEpochFloat, .timeEpochDouble: kind = AvroScalars.time(step, r)
        case .bestInteger, .bestFloat, .bestDouble, .bestDecimal: kind = AvroScalars.best(step, r)
        case .numberDecimal:
            let (value, failure) = AvroScalars.decimal(step, r)
            row.numbers[Int(step.cell)] = value.isFinite ? value + 0 : Hole.invalid.asDouble
            kind = failure
        case .modelNull where program.pointee.model != nil && !r.pointee.isDefaultModel: return .otherModel
        default:
            settle(step, program, r, row)
            kind = nil
        }
        return kind.map { .failed($0) } ?? .done
    }

    /// The instructions that read nothing.
    private static func settle(
        _ step: AvroInstruction, _ program: UnsafePointer<AvroProgram.View>, _ r: UnsafeMutablePointer<AvroRegisters>,
        _ row: AvroRow
    ) {
        switch step.operation {
        case .constantKey: r.pointee.key = program.pointee.texts[Int(step.a)]
        case .mark: r.pointee.marked = r.pointee.place
        case .rewind: r.pointee.place = r.pointee.marked
        case .postpone: r.pointee.postponed = r.pointee.place
        case .resume: r.pointee.place = r.pointee.postponed
        case .given: r.pointee.given = true
        case .unlessGiven: if r.pointee.given { jump(step, program, r) }
        case .numberOfText:
            let hole: Hole = NonFiniteWord.matches(r.pointee.text.bytes) ? .invalid : .wrongType
            row.numbers[Int(step.cell)] = hole.asDouble
        case .codeHole:
            let cell = row.codes + Int(step.cell)
            if step.flag == 0 || cell.pointee == Hole.missing.asCode {
                cell.pointee = UInt16.max &- UInt16(truncatingIfNeeded: step.a)
            }
        case .segmentNone: row.segments[Int(step.cell)] = EventBatch.noSegment
        case .kindOfText: r.pointee.kind = kind(r.pointee.text)
        case .bad: r.pointee.bad = step.a
        case .bestNone: r.pointee.hasBest = false
        case .bestText:
            r.pointee.text = r.pointee.bestKey
            if !r.pointee.hasBest { jump(step, program, r) }
        default: break
        }
    }

    /// The hot loop goes one on from where an instruction leaves off.
    static func jump(
        _ step: AvroInstruction, _ program: UnsafePointer<AvroProgram.View>, _ r: UnsafeMutablePointer<AvroRegisters>
    ) {
        r.pointee.code = program.pointee.code + Int(step.a) - 1
    }

    private static func kind(_ text: AvroText) -> UInt8 {
        if text.equals("prediction") { return UInt8(EventKind.prediction.rawValue) }
        if text.equals("label") { return UInt8(EventKind.label.rawValue) }
        if text.equals("features") { return UInt8(EventKind.features.rawValue) }
        return AvroRegisters.unknownKind
    }

    /// Whether a byte is a branch of a union in itself.
    @inline(__always)
    static func isBranch(_ byte: UInt8, of count: Int32) -> Bool {
        byte & 0x81 == 0 && Int32(byte &>> 1) < count
    }

    private static func branch(
        _ step: AvroInstruction, _ program: UnsafePointer<AvroProgram.View>, _ r: UnsafeMutablePointer<AvroRegisters>
    ) -> AvroFailure.Kind? {
        var place = r.pointee.place
        guard let raw = AvroWire.integer(&place, r.pointee.end) else {
            return AvroWire.integerFailure(place, r.pointee.end)
        }
        let number = AvroWire.signed(raw)
        guard number >= 0, number < Int64(step.b) else { return .noSuchBranch }
        r.pointee.place = place
        r.pointee.code = program.pointee.code + Int(program.pointee.numbers[Int(step.a) + Int(number)]) - 1
        return nil
    }

    /// Why the number of a branch is neither of two, in whichever way it is written.
    static func branchFailure(_ place: UnsafeRawPointer, _ end: UnsafeRawPointer) -> AvroFailure.Kind {
        var at = place
        return AvroWire.integer(&at, end) == nil ? AvroWire.integerFailure(place, end) : .noSuchBranch
    }

    /// The index of an enum's symbol, of `count`.
    static func symbol(
        _ count: Int32, _ r: UnsafeMutablePointer<AvroRegisters>
    ) -> (index: Int, failure: AvroFailure.Kind?) {
        var place = r.pointee.place
        guard let raw = AvroWire.integer(&place, r.pointee.end) else {
            return (0, AvroWire.integerFailure(place, r.pointee.end))
        }
        let index = AvroWire.signed(raw)
        guard index >= 0, index < Int64(count) else { return (0, .noSuchSymbol) }
        r.pointee.place = place
        return (Int(index), nil)
    }

    private static let earliest = Timestamp.writable.lowerBound.microseconds
    private static let latest = Timestamp.writable.upperBound.microseconds

    @inline(__always)
    static func take(time value: Int64, _ step: AvroInstruction, _ r: UnsafeMutablePointer<AvroRegisters>) {
        let micros: Int64
        let overflow: Bool
        if step.a > 0 {
            (micros, overflow) = value.multipliedReportingOverflow(by: Int64(step.a) &* Int64(step.b))
        } else {
            // Downwards, as the digits of RFC 3339 beyond microseconds are cut off.
            let divisor = Int64(-step.a)
            micros = value / divisor - (value % divisor < 0 ? 1 : 0)
            overflow = false
        }
        r.pointee.time = micros
        let isTime = !overflow && micros >= earliest && micros <= latest
        r.pointee.found |= isTime ? AvroRegisters.time : AvroRegisters.badTime
    }
}
