import Values

/// Scalars that are read as text, as time, or as the score of a class.
enum AvroScalars {
    typealias Registers = UnsafeMutablePointer<AvroRegisters>

    /// Takes a scalar and leaves its text in the registers, spelled as JSON's canonical numbers are.
    static func text(
        _ step: AvroInstruction, _ program: UnsafePointer<AvroProgram.View>, _ scratch: AvroScratch
    ) -> AvroFailure.Kind? {
        let r = scratch.registers
        switch step.operation {
        case .textSymbol:
            let (index, failure) = AvroSteps.symbol(step.b, r)
            if failure == nil { r.pointee.text = program.pointee.texts[Int(step.a) + index] }
            return failure
        case .textBoolean:
            guard r.pointee.place < r.pointee.end else { return .endsInBytes }
            let byte = r.pointee.place.load(as: UInt8.self)
            guard byte < 2 else { return .notABoolean }
            r.pointee.place += 1
            spell(byte == 1 ? "true" : "false", scratch)
            return nil
        case .textUUID:
            guard r.pointee.end - r.pointee.place >= 16 else { return .endsInBytes }
            uuid(scratch)
            return nil
        case .textInteger, .textDigits:
            let (value, failure) = whole(step, r)
            if step.operation == .textDigits {
                spell(value.description, scratch)
            } else {
                spell(JSONText.canonical(Double(value)), scratch)
            }
            return failure
        default:
            let (value, failure) = number(step, r)
            spell(JSONText.canonical(value), scratch)
            return failure
        }
    }

    private static func spell(_ text: String, _ scratch: AvroScratch) {
        var copy = text
        let count = copy.withUTF8 { bytes in
            let count = min(bytes.count, AvroScratch.textBytes)
            if let start = bytes.baseAddress { scratch.text.copyMemory(from: start, byteCount: count) }
            return count
        }
        scratch.registers.pointee.text = AvroText(start: UnsafeRawPointer(scratch.text), count: count)
    }

    /// RFC 9562, section 4: sixteen bytes as 8-4-4-4-12 hexadecimal digits.
    private static func uuid(_ scratch: AvroScratch) {
        let r = scratch.registers
        var at = 0
        func put(_ byte: UInt8) {
            scratch.text.storeBytes(of: byte, toByteOffset: at, as: UInt8.self)
            at += 1
        }
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
        for i in 0..<16 {
            if i == 4 || i == 6 || i == 8 || i == 10 { put(0x2d) }
            let byte = r.pointee.place.load(fromByteOffset: i, as: UInt8.self)
            put(digit(byte >> 4))
            put(digit(byte & 15))
        }
        r.pointee.place += 16
        r.pointee.text = AvroText(start: UnsafeRawPointer(scratch.text), count: at)
    }

    private static func whole(_ step: AvroInstruction, _ r: Registers) -> (value: Int64, failure: AvroFailure.Kind?) {
        guard let value = AvroWire.whole(&r.pointee.place, r.pointee.end, narrow: step.flag != 0) else {
            return (0, AvroWire.wholeFailure(r.pointee.place, r.pointee.end))
        }
        return (value, nil)
    }

    static func decimal(_ step: AvroInstruction, _ r: Registers) -> (value: Double, failure: AvroFailure.Kind?) {
        let size = Int(step.b)
        guard let bytes = AvroWire.bytes(&r.pointee.place, r.pointee.end, size: size) else {
            return (0, AvroWire.bytesFailure(r.pointee.place, r.pointee.end, size: size))
        }
        return (AvroDecimal.double(bytes.bytes, scale: Int(step.a)), nil)
    }

    private static func float(_ r: Registers) -> (value: Double, failure: AvroFailure.Kind?) {
        guard r.pointee.end - r.pointee.place >= 4 else { return (0, .endsInNumber) }
        let bits = UInt32(littleEndian: r.pointee.place.loadUnaligned(as: UInt32.self))
        r.pointee.place += 4
        return (Double(Float(bitPattern: bits)), nil)
    }

    private static func double(_ r: Registers) -> (value: Double, failure: AvroFailure.Kind?) {
        guard r.pointee.end - r.pointee.place >= 8 else { return (0, .endsInNumber) }
        let bits = UInt64(littleEndian: r.pointee.place.loadUnaligned(as: UInt64.self))
        r.pointee.place += 8
        return (Double(bitPattern: bits), nil)
    }

    private static func number(_ step: AvroInstruction, _ r: Registers) -> (value: Double, failure: AvroFailure.Kind?) {
        switch step.operation {
        case .textFloat, .timeEpochFloat, .bestFloat: float(r)
        case .textDouble, .timeEpochDouble, .bestDouble: double(r)
        case .textDecimal, .bestDecimal: decimal(step, r)
        default:
            switch whole(step, r) {
            case (let value, let failure): (Double(value), failure)
            }
        }
    }

    static func time(_ step: AvroInstruction, _ r: Registers) -> AvroFailure.Kind? {
        let time: Timestamp?
        if step.operation == .timeOfText {
            guard r.pointee.text.isSound else { return .badUTF8 }
            time = Timestamp(rfc3339: r.pointee.text.bytes)
        } else {
            let (value, failure) = number(step, r)
            if let failure { return failure }
            time = EventDecoder.timestamp(epoch: value)
        }
        r.pointee.time = time?.microseconds ?? 0
        r.pointee.found |= time == nil ? AvroRegisters.badTime : AvroRegisters.time
        return nil
    }

    /// A class's score; one that is no number does not compare.
    static func best(_ step: AvroInstruction, _ r: Registers) -> AvroFailure.Kind? {
        let (score, failure) = number(step, r)
        r.pointee.score = failure == nil ? score : .nan
        if failure == nil, !score.isNaN, !r.pointee.hasBest || score > r.pointee.bestScore {
            r.pointee.bestScore = score
            r.pointee.bestKey = r.pointee.key
            r.pointee.hasBest = true
        }
        return failure
    }
}
