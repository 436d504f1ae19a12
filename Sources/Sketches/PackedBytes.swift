/// Reads bytes that this process has packed or checked; anything else in them ends the process rather than reading on.
struct PackedReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    /// Sound: the reader lives within the closure that lends it the bytes.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func byte() -> UInt8 {
        precondition(position < bytes.count, "packed counts end too early")
        defer { position &+= 1 }
        return bytes[position]
    }

    @inline(__always)
    mutating func varint() -> UInt64 {
        let first = byte()
        return first < 0x80 ? UInt64(first) : longVarint(first)
    }

    private mutating func longVarint(_ first: UInt8) -> UInt64 {
        var value = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        while true {
            let next = byte()
            value |= UInt64(next & 0x7f) &<< shift
            if next < 0x80 { return value }
            shift &+= 7
        }
    }

    private mutating func word() -> UInt64 {
        precondition(position + 8 <= bytes.count, "packed counts end too early")
        defer { position &+= 8 }
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    mutating func moments() -> Moments {
        var m = Moments()
        m.count = varint()
        guard m.count > 0 else { return m }
        let sumLow = word()
        m.sum = Int128(Int64(bitPattern: word())) << 64 | Int128(sumLow)
        let squaresLow = word()
        m.sumOfSquares = Int128(Int64(bitPattern: word())) << 64 | Int128(squaresLow)
        m.minimum = Double(bitPattern: word())
        m.maximum = Double(bitPattern: word())
        return m
    }
}

/// Writes the same bytes as `ByteWriter`, into room that was reckoned before.
struct PackedWriter {
    /// Moments take as many at most.
    static let momentsBytes = 10 + 6 * 8

    /// A counter of 16 bits takes so many at most: three and, where counters are far apart, as many for the gap before it.
    static let counterBytes = 6

    private let room: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    /// Sound: the writer lives within the closure that lends it the room.
    init(_ room: UnsafeMutableRawBufferPointer) { self.room = room }

    mutating func byte(_ value: UInt8) {
        precondition(count < room.count, "packed counts need more room")
        room[count] = value
        count &+= 1
    }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func word(_ value: UInt64) {
        precondition(count + 8 <= room.count, "packed counts need more room")
        room.storeBytes(of: value.littleEndian, toByteOffset: count, as: UInt64.self)
        count &+= 8
    }

    mutating func moments(_ m: Moments) {
        varint(m.count)
        guard m.count > 0 else { return }
        for wide in [m.sum, m.sumOfSquares] {
            word(UInt64(truncatingIfNeeded: wide))
            word(UInt64(truncatingIfNeeded: wide >> 64))
        }
        word(m.minimum.bitPattern)
        word(m.maximum.bitPattern)
    }

    /// Writes those of some counters that are not zero, each behind the distance from the last.
    ///
    /// Whether a counter is zero, and how long it is, cannot be foretold, so nothing branches on it: what is written of a zero is
    /// overwritten by what follows.
    /// - Parameters:
    ///   - place: the first counter's number in the profile.
    ///   - last: the number after the last counter that was written.
    /// - Returns: the counters' sum.
    mutating func counters(_ counters: UnsafePointer<UInt16>, _ number: Int, place: Int, last: inout Int) -> UInt64 {
        precondition(count + Self.counterBytes * number + 4 <= room.count, "packed counts need more room")
        var (at, next, sum) = (count, last, UInt64(0))
        var i = 0
        while i < number {
            // Of a small group most are zero: four at a time.
            let isWhole = i &+ 4 <= number
            if isWhole, UnsafeRawPointer(counters + i).loadUnaligned(as: UInt64.self) == 0 {
                i &+= 4
                continue
            }
            let end = isWhole ? i &+ 4 : number
            while i < end {
                let counter = UInt32(counters[i])
                let gap = place &+ i &- next
                if gap >= 0x80, counter > 0 {
                    count = at
                    varint(UInt64(gap))
                    varint(UInt64(counter))
                    at = count
                    next = place &+ i &+ 1
                } else {
                    let isLong: UInt32 = counter >= 0x80 ? 1 : 0
                    let isLonger: UInt32 = counter >= 0x4000 ? 1 : 0
                    let sevens = counter & 0x7f | (counter & 0x3f80) &<< 1 | (counter & 0xc000) &<< 2
                    let bytes = sevens | isLong &<< 7 | isLonger &<< 15
                    let word = UInt32(truncatingIfNeeded: gap) & 0x7f | bytes &<< 8
                    room.storeBytes(of: word.littleEndian, toByteOffset: at, as: UInt32.self)
                    at &+= counter > 0 ? Int(2 &+ isLong &+ isLonger) : 0
                    next = counter > 0 ? place &+ i &+ 1 : next
                }
                sum &+= UInt64(counter)
                i &+= 1
            }
        }
        count = at
        last = next
        return sum
    }
}
