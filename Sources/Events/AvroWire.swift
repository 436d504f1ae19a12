/// The parts of Avro's binary encoding. A place is only moved past what was there; on `nil` it stays.
enum AvroWire {
    /// A variable-length integer, still zig-zag coded.
    @inline(__always)
    static func integer(_ place: inout UnsafeRawPointer, _ end: UnsafeRawPointer) -> UInt64? {
        guard place < end else { return nil }
        let first = place.load(as: UInt8.self)
        if first < 0x80 {
            place += 1
            return UInt64(first)
        }
        if end - place >= 8 {
            // Up to eight bytes at once: the highest bit of the last one is the first that is clear. The seven bits of each are
            // then moved together, in pairs, pairs of pairs, and halves.
            let word = UInt64(littleEndian: place.loadUnaligned(as: UInt64.self))
            let last = ~word & 0x8080_8080_8080_8080
            if last != 0 {
                var bits = word & (last ^ (last &- 1)) & 0x7f7f_7f7f_7f7f_7f7f
                bits = (bits & 0x7f00_7f00_7f00_7f00) &>> 1 | bits & 0x007f_007f_007f_007f
                bits = (bits & 0x3fff_0000_3fff_0000) &>> 2 | bits & 0x0000_3fff_0000_3fff
                bits = (bits & 0x0fff_ffff_0000_0000) &>> 4 | bits & 0x0000_0000_0fff_ffff
                place += last.trailingZeroBitCount &>> 3 &+ 1
                return bits
            }
        }
        let (value, next) = longInteger(place, end)
        guard let next else { return nil }
        place = next
        return value
    }

    /// Byte by byte: near the end of a message, and beyond eight bytes. The place is not passed as one to write to, so that the
    /// caller can keep it in a register.
    @inline(never)
    private static func longInteger(
        _ place: UnsafeRawPointer, _ end: UnsafeRawPointer
    ) -> (value: UInt64, next: UnsafeRawPointer?) {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        var at = place
        while at < end {
            let byte = at.load(as: UInt8.self)
            at += 1
            value |= UInt64(byte & 0x7f) &<< shift
            // The tenth byte has room for one bit.
            if byte < 0x80 { return shift == 63 && byte > 1 ? (0, nil) : (value, at) }
            shift &+= 7
            if shift > 63 { break }
        }
        return (0, nil)
    }

    /// Why there was no integer.
    static func integerFailure(_ place: UnsafeRawPointer, _ end: UnsafeRawPointer) -> AvroFailure.Kind {
        end - place >= 10 ? .integerTooLong : .endsInInteger
    }

    @inline(__always)
    static func signed(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ (0 &- Int64(bitPattern: value & 1))
    }

    /// An int or long; an int must fit 32 bits.
    @inline(__always)
    static func whole(
        _ place: inout UnsafeRawPointer, _ end: UnsafeRawPointer, narrow: Bool
    ) -> Int64? {
        let start = place
        guard let raw = integer(&place, end) else { return nil }
        if narrow, raw > UInt64(UInt32.max) {
            place = start
            return nil
        }
        return signed(raw)
    }

    static func wholeFailure(_ place: UnsafeRawPointer, _ end: UnsafeRawPointer) -> AvroFailure.Kind {
        var at = place
        return integer(&at, end) == nil ? integerFailure(place, end) : .integerTooLarge
    }

    /// A length and as many bytes.
    @inline(__always)
    static func text(_ place: inout UnsafeRawPointer, _ end: UnsafeRawPointer) -> AvroText? {
        var at = place
        guard let raw = integer(&at, end) else { return nil }
        let count = Int(signed(raw))
        guard count >= 0, count <= end - at else { return nil }
        place = at + count
        return AvroText(start: at, count: count)
    }

    static func textFailure(_ place: UnsafeRawPointer, _ end: UnsafeRawPointer) -> AvroFailure.Kind {
        var at = place
        guard let raw = integer(&at, end) else { return integerFailure(place, end) }
        return signed(raw) < 0 ? .negativeLength : .endsInText
    }

    /// The bytes of a decimal: a fixed of `size`, or, where that is negative, a length and as many.
    static func bytes(_ place: inout UnsafeRawPointer, _ end: UnsafeRawPointer, size: Int) -> AvroText? {
        if size < 0 { return text(&place, end) }
        guard size <= end - place else { return nil }
        place += size
        return AvroText(start: place - size, count: size)
    }

    static func bytesFailure(_ place: UnsafeRawPointer, _ end: UnsafeRawPointer, size: Int) -> AvroFailure.Kind {
        size < 0 ? textFailure(place, end) : .endsInBytes
    }
}
