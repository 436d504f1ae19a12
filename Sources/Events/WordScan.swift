/// Eight bytes of text at a time, as a little-endian word: the first byte is the lowest.
enum WordScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080
    /// Eight times the digit 0.
    static let zeros: UInt64 = 0x3030_3030_3030_3030

    @inline(__always)
    static func load(_ start: UnsafeRawPointer, _ offset: Int = 0) -> UInt64 {
        start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    @inline(__always)
    static func byte(_ start: UnsafeRawPointer, _ offset: Int = 0) -> UInt8 {
        start.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// How many of a string's next bytes are plain (ASCII, no escape, no control character, no quote), and whether a quote ends
    /// them. A borrow in the subtractions can only flag bytes above one that is rightly flagged, and only the lowest counts.
    @inline(__always)
    static func plainBytes(_ word: UInt64) -> (count: Int, isEnd: Bool) {
        let quote = word ^ 0x2222_2222_2222_2222
        let escape = word ^ 0x5c5c_5c5c_5c5c_5c5c
        let quotes = (quote &- ones) & ~quote
        let others = (escape &- ones) & ~escape | (word &- 0x2020_2020_2020_2020) & ~word | word
        let flags = (quotes | others) & tops
        let lowest = flags & (0 &- flags)
        return (flags.trailingZeroBitCount &>> 3, quotes & lowest != 0)
    }

    /// The bits before a word's first quote, a multiple of eight; −1 where it has none.
    @inline(__always)
    static func bitsToQuote(_ word: UInt64) -> Int {
        let quote = word ^ 0x2222_2222_2222_2222
        let flags = (quote &- ones) & ~quote & tops
        return flags == 0 ? -1 : flags.trailingZeroBitCount & 0x38
    }

    /// How many of the next bytes need no escape in a JSON string.
    static func plainText(_ word: UInt64) -> Int {
        let quote = word ^ 0x2222_2222_2222_2222
        let escape = word ^ 0x5c5c_5c5c_5c5c_5c5c
        let flags = (quote &- ones) & ~quote | (escape &- ones) & ~escape | (word &- 0x2020_2020_2020_2020) & ~word
        return (flags & tops).trailingZeroBitCount &>> 3
    }

    /// The first `count` bytes of a word, fewer than eight, the others zero.
    @inline(__always)
    static func prefix(_ word: UInt64, _ count: Int) -> UInt64 {
        word & (1 &<< UInt64(truncatingIfNeeded: count &<< 3) &- 1)
    }

    /// The lowest `count` bits.
    @inline(__always)
    static func lowBits(_ count: Int) -> UInt64 { 1 &<< UInt64(truncatingIfNeeded: count) &- 1 }

    /// The top bit of each byte that is no digit, up to the first one behind a byte of 0xba and more; `values` is the word
    /// exclusive-or `zeros`.
    @inline(__always)
    static func nonDigits(_ values: UInt64) -> UInt64 { ((values &+ 0x7676_7676_7676_7676) | values) & tops }

    /// How many of the next bytes are digits; `values` is the word exclusive-or `zeros`.
    @inline(__always)
    static func digits(_ values: UInt64) -> Int {
        nonDigits(values).trailingZeroBitCount &>> 3
    }

    /// The number that eight digits make, given as their values, the first digit lowest. Three multiplications (Lemire, "Quickly
    /// parsing eight digits", 2018).
    @inline(__always)
    static func number(_ values: UInt64) -> UInt64 {
        let pairs = values &* 10 &+ values &>> 8
        let upper = (pairs & 0x0000_00ff_0000_00ff) &* 0x000f_4240_0000_0064
        let lower = (pairs &>> 16 & 0x0000_00ff_0000_00ff) &* 0x0000_2710_0000_0001
        return (upper &+ lower) &>> 32
    }

    /// The number that the first `count` digits of eight make, 1…8 of them.
    @inline(__always)
    static func number(_ values: UInt64, _ count: Int) -> UInt64 {
        number(values &<< UInt64(truncatingIfNeeded: 64 &- count &<< 3))
    }
}
