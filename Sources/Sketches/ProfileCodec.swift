/// A profile as bytes, for the ledger and for deltas between processes: format 1.
///
/// `version(1) rows codeCount momentsCount { gap value }… 0-terminated-by-codeCount { count sumLow sumHigh sqLow sqHigh min max }…`
/// where every integer is an unsigned LEB128 varint, `gap` is the distance to the next non-zero counter, doubles are eight little-endian
/// bytes, and the counter list ends with the gap that reaches `codeCount`. Most counters of a small segment are zero,
/// so this is a tenth of the flat size.
extension Profile {
    static let version: UInt8 = 1

    package func encode() -> [UInt8] {
        var out = ByteWriter()
        out.bytes.append(Self.version)
        out.varint(rows)
        out.varint(UInt64(counts.count))
        out.varint(UInt64(moments.count))
        var last = 0
        for (i, count) in counts.enumerated() where count > 0 {
            out.varint(UInt64(i - last))
            out.varint(count)
            last = i + 1
        }
        out.varint(UInt64(counts.count - last))
        for m in moments { out.moments(m) }
        return out.bytes
    }

    /// Reads what `encode` wrote. Damaged bytes throw; they never trap.
    package init(decoding bytes: [UInt8], layout: Layout) throws(CodecError) {
        var input = ByteReader(bytes)
        guard try input.byte() == Self.version else { throw CodecError(reason: "unknown profile format") }
        self.init(layout)
        rows = try input.varint()
        guard try input.varint() == UInt64(layout.codeCount), try input.varint() == UInt64(layout.momentsCount) else {
            throw CodecError(reason: "profile was written for another reference")
        }
        var at: UInt64 = 0
        while true {
            let (next, overflow) = at.addingReportingOverflow(try input.varint())
            guard !overflow, next <= UInt64(counts.count) else { throw CodecError(reason: "counter out of range") }
            if next == UInt64(counts.count) { break }
            counts[Int(next)] = try input.varint()
            at = next + 1
        }
        for i in moments.indices { moments[i] = try input.moments() }
        guard input.isAtEnd else { throw CodecError(reason: "bytes after the profile") }
    }
}

/// Why stored bytes could not be read.
package struct CodecError: Error, Sendable, Equatable, CustomStringConvertible {
    package let reason: String
    package init(reason: String) { self.reason = reason }
    package var description: String { reason }
}

package struct ByteWriter {
    package var bytes: [UInt8] = []
    package init() {}

    package mutating func varint(_ value: UInt64) {
        var v = value
        while v >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: v) | 0x80)
            v >>= 7
        }
        bytes.append(UInt8(v))
    }

    package mutating func word(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}

extension ByteWriter {
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
}

extension ByteReader {
    mutating func moments() throws(CodecError) -> Moments {
        var m = Moments()
        m.count = try varint()
        guard m.count > 0 else { return m }
        let sumLow = try word()
        let sumHigh = try word()
        let squaresLow = try word()
        let squaresHigh = try word()
        m.sum = Int128(Int64(bitPattern: sumHigh)) << 64 | Int128(sumLow)
        m.sumOfSquares = Int128(Int64(bitPattern: squaresHigh)) << 64 | Int128(squaresLow)
        m.minimum = Double(bitPattern: try word())
        m.maximum = Double(bitPattern: try word())
        return m
    }
}

package struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var isAtEnd: Bool { position == bytes.count }
    /// What has not been read.
    var rest: [UInt8] { Array(bytes[position...]) }

    package mutating func byte() throws(CodecError) -> UInt8 {
        guard position < bytes.count else { throw CodecError(reason: "bytes end too early") }
        position += 1
        return bytes[position - 1]
    }

    package mutating func varint() throws(CodecError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let b = try byte()
            guard shift < 64, shift < 63 || b <= 1 else { throw CodecError(reason: "number too large") }
            value |= UInt64(b & 0x7f) << shift
            if b < 0x80 { return value }
            shift += 7
        }
    }

    package mutating func word() throws(CodecError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 8) { value |= UInt64(try byte()) << shift }
        return value
    }
}
