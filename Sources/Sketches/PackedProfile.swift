/// A profile as the bytes of `Profile.encode`: how counts wait, travel between workers and lie in the ledger. Most counters of a small
/// segment are zero, so it takes a tenth of the profile's memory.
///
/// Packed profiles of one layout merge without being unpacked, to the very bytes that merging the profiles gives.
package struct PackedProfile: Sendable, Hashable {
    package private(set) var bytes: [UInt8]

    package init(_ profile: Profile) { bytes = profile.encode() }

    /// Bytes from outside; throws where they are damaged or of another layout.
    package init(checking bytes: [UInt8], layout: Layout) throws(CodecError) {
        _ = try Profile(decoding: bytes, layout: layout)
        self.bytes = bytes
    }

    /// Rows counted.
    package var rows: UInt64 {
        Self.sound {
            () throws(CodecError) in
            var reader = ByteReader(bytes)
            _ = try reader.byte()
            return try reader.varint()
        }
    }

    /// - Parameter layout: the one it was packed with.
    package func profile(_ layout: Layout) -> Profile {
        Self.sound { () throws(CodecError) in try Profile(decoding: bytes, layout: layout) }
    }

    /// Adds another packed profile of the same layout. O(counters that are not zero).
    package mutating func merge(_ other: PackedProfile) {
        bytes = Self.sound { () throws(CodecError) in try Self.merged(bytes, other.bytes) }
    }

    /// The bytes were made or checked by this process, so reading them cannot fail.
    private static func sound<R>(_ body: () throws(CodecError) -> R) -> R {
        do throws(CodecError) {
            return try body()
        } catch {
            preconditionFailure("counts packed by this process cannot be read back: \(error)")
        }
    }

    private static func merged(_ a: [UInt8], _ b: [UInt8]) throws(CodecError) -> [UInt8] {
        var x = ByteReader(a)
        var y = ByteReader(b)
        var out = ByteWriter()
        out.bytes.reserveCapacity(max(a.count, b.count) + 16)
        let format = try x.byte()
        guard try y.byte() == format else { throw CodecError(reason: "formats differ") }
        out.bytes.append(format)
        out.varint(try x.varint() &+ y.varint())
        let counters = try x.varint()
        let moments = try x.varint()
        guard try y.varint() == counters, try y.varint() == moments else {
            throw CodecError(reason: "layouts differ")
        }
        out.varint(counters)
        out.varint(moments)
        var left = try NonZero(&x, after: 0, counters)
        var right = try NonZero(&y, after: 0, counters)
        var last: UInt64 = 0
        while left.index < counters || right.index < counters {
            let index = min(left.index, right.index)
            var sum: UInt64 = 0
            if left.index == index {
                sum &+= left.value
                left = try NonZero(&x, after: index + 1, counters)
            }
            if right.index == index {
                sum &+= right.value
                right = try NonZero(&y, after: index + 1, counters)
            }
            out.varint(index - last)
            out.varint(sum)
            last = index + 1
        }
        out.varint(counters - last)
        for _ in 0..<moments {
            var sum = try x.moments()
            sum.merge(try y.moments())
            out.moments(sum)
        }
        return out.bytes
    }

    /// The next counter that is not zero; its index is the number of counters where there is none.
    private struct NonZero {
        let index: UInt64
        let value: UInt64

        init(_ reader: inout ByteReader, after start: UInt64, _ counters: UInt64) throws(CodecError) {
            index = start &+ (try reader.varint())
            value = index < counters ? try reader.varint() : 0
        }
    }
}
