import Values

/// A day as RFC 3339 writes it and when it begins: events of one day are many.
struct KnownDay: BitwiseCopyable {
    /// `2026-03-`, and the two bytes after it; what no two bytes are where nothing is known yet.
    var yearAndMonth: UInt64 = 0
    var day = UInt64.max
    var start: Int64 = 0

    static let count = 8
    /// Neighbouring days have places of their own.
    @inline(__always)
    static func place(_ day: UInt64) -> Int { Int(truncatingIfNeeded: day &>> 8 & 7) }
}

extension LearnedReader {
    /// `2026-03-01T12:00:00.250Z` on a day that was read before, as positions have it; all other times as the general way reads them.
    @inline(never)
    func timestamp(_ p: Place) -> Place? {
        if isNull(p) { return p + 4 }
        guard mark(Part.timestamp) else { return nil }
        let date = WordScan.load(p, 1)
        let rest = WordScan.load(p, 9)
        let known = days[KnownDay.place(rest)]
        let separator = UInt8(truncatingIfNeeded: rest &>> 16)
        guard WordScan.byte(p) == 0x22, date == known.yearAndMonth, rest & 0xffff == known.day,
            separator == 0x54 || separator == 0x74 || separator == 0x20
        else { return otherTimestamp(p) }
        // `12:00:00` becomes the digits' values and zeros for the colons.
        let clock = WordScan.load(p, 12) ^ 0x3030_3a30_303a_3030
        guard ((clock &+ 0x7676_7f76_767f_7676) | clock) & 0x8080_8080_8080_8080 == 0 else { return otherTimestamp(p) }
        let pairs = clock &* 10 &+ clock &>> 8
        let hour = Int64(pairs & 0xff)
        let minute = Int64(pairs &>> 24 & 0xff)
        let second = Int64(pairs &>> 48 & 0xff)
        // A leap second, too, is for the general way.
        guard hour < 24, minute < 60, second < 60 else { return otherTimestamp(p) }
        var microseconds: Int64 = 0
        var q = p + 20
        if WordScan.byte(q) == 0x2e {
            let digits = WordScan.load(q, 1) ^ WordScan.zeros
            let count = WordScan.digits(digits)
            guard count >= 1, count <= 6 else { return otherTimestamp(p) }
            microseconds = Int64(
                truncatingIfNeeded: WordScan.number(digits, count) &* powers.whole[6 &- count])
            q += count + 1
        }
        // `Z"`, or the `+00:00"` of many libraries.
        let zone = WordScan.load(q)
        if zone & 0xffdf == 0x225a {
            q += 2
        } else if WordScan.prefix(zone, 7) == 0x22_3030_3a30_302b {
            q += 7
        } else {
            return otherTimestamp(p)
        }
        let seconds = (hour &* 60 &+ minute) &* 60 &+ second
        state.pointee.time = Timestamp(microseconds: known.start &+ seconds &* 1_000_000 &+ microseconds)
        return q
    }

    private func otherTimestamp(_ p: Place) -> Place? {
        let text = UnsafeRawBufferPointer(start: p, count: state.pointee.end - p)
        var scanner = JSONScanner(text)
        guard let value = EventParts.value(&scanner, depth: state.pointee.depth + 1), let value,
            let time = EventDecoder.timestamp(text, value)
        else { return nil }
        state.pointee.time = time
        if case .text(let written) = value, !written.escaped {
            learnDay(UnsafeRawBufferPointer(rebasing: text[written.range]))
        }
        return p + scanner.position
    }

    /// `time` was read as RFC 3339, so its day exists.
    private func learnDay(_ time: UnsafeRawBufferPointer) {
        let midnight: StaticString = "T00:00:00Z"
        var day = (UInt64(0), UInt64(0), UInt64(0))
        withUnsafeMutableBytes(of: &day) { bytes in
            bytes.copyBytes(from: time.prefix(10))
            midnight.withUTF8Buffer { UnsafeMutableRawBufferPointer(rebasing: bytes[10...]).copyBytes(from: $0) }
            guard let start = Timestamp(rfc3339: UnsafeRawBufferPointer(rebasing: bytes[..<20])) else { return }
            let known = KnownDay(
                yearAndMonth: bytes.load(as: UInt64.self), day: UInt64(bytes[8]) | UInt64(bytes[9]) << 8,
                start: start.microseconds)
            days[KnownDay.place(known.day)] = known
        }
    }
}
