/// A profile as the bytes of `Profile.encode`: how counts wait, travel between workers and lie in the ledger. Most counters of a small
/// segment are zero, so it takes a tenth of the profile's memory.
///
/// Packed profiles of one layout merge without being unpacked, to the very bytes that merging the profiles gives.
package struct PackedProfile: Sendable, Hashable {
    package private(set) var bytes: [UInt8]
    /// Rows with fields that the model does not list.
    package var fields = FieldCounts()

    package init(_ profile: Profile) {
        bytes = profile.encode()
        fields = profile.fields
    }

    /// What `stored` gave; throws where it is damaged or of another layout.
    package init(checking stored: [UInt8], layout: Layout) throws(CodecError) {
        guard stored.first == Self.withFields else {
            _ = try Profile(decoding: stored, layout: layout)
            bytes = stored
            return
        }
        var reader = ByteReader(stored)
        _ = try reader.byte()
        fields = try FieldCounts(&reader)
        bytes = reader.rest
        _ = try Profile(decoding: bytes, layout: layout)
    }

    private static let withFields: UInt8 = 2

    /// The bytes to keep: those of the profile, behind what there is of unlisted fields.
    package var stored: [UInt8] {
        guard !fields.isEmpty else { return bytes }
        var out = ByteWriter()
        out.bytes.append(Self.withFields)
        fields.write(into: &out)
        return out.bytes + bytes
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
        var profile = Self.sound { () throws(CodecError) in try Profile(decoding: bytes, layout: layout) }
        profile.fields = fields
        return profile
    }

    /// Adds another packed profile of the same layout. O(counters that are not zero).
    package mutating func merge(_ other: PackedProfile) {
        bytes = Self.merged(bytes, other.bytes)
        fields.merge(other.fields)
    }

    /// The bytes were made or checked by this process, so reading them cannot fail.
    private static func sound<R>(_ body: () throws(CodecError) -> R) -> R {
        do throws(CodecError) {
            return try body()
        } catch {
            preconditionFailure("counts packed by this process cannot be read back: \(error)")
        }
    }

    private static func merged(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        // No number of a sum is longer than both of its parts together.
        Self.packing(capacity: a.count + b.count) { out in
            a.withUnsafeBytes { a in
                b.withUnsafeBytes { b in
                    var x = PackedReader(a)
                    var y = PackedReader(b)
                    merge(&x, &y, into: &out)
                }
            }
        }
    }

    private static func merge(_ x: inout PackedReader, _ y: inout PackedReader, into out: inout PackedWriter) {
        let format = x.byte()
        precondition(y.byte() == format, "formats differ")
        out.byte(format)
        out.varint(x.varint() &+ y.varint())
        let (counters, moments) = (x.varint(), x.varint())
        precondition(y.varint() == counters && y.varint() == moments, "layouts differ")
        out.varint(counters)
        out.varint(moments)
        var (left, right) = (x.varint(), y.varint())
        var last: UInt64 = 0
        while left < counters || right < counters {
            let index = min(left, right)
            var sum: UInt64 = 0
            if left == index {
                sum = x.varint()
                left = index &+ 1 &+ x.varint()
            }
            if right == index {
                sum &+= y.varint()
                right = index &+ 1 &+ y.varint()
            }
            out.varint(index &- last)
            out.varint(sum)
            last = index &+ 1
        }
        out.varint(counters &- last)
        for _ in 0..<moments {
            var sum = x.moments()
            sum.merge(y.moments())
            out.moments(sum)
        }
    }

    /// What `write` puts into room of so many bytes at most, in an array of just its size: packed counts wait for long.
    private static func packing(capacity: Int, _ write: (inout PackedWriter) -> Void) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) { room in
            var out = PackedWriter(room)
            write(&out)
            return Array(UnsafeRawBufferPointer(rebasing: room[..<out.count]))
        }
    }
}

extension PackedProfile {
    /// Packs hot counters without a profile between.
    ///
    /// - Parameters:
    ///   - counts: those of the layout's columns, column `c`'s from `bases[c]` on.
    ///   - moments: for each numeric column its sums, given how many valid values its counters have.
    package init(
        rows: UInt64, counts: UnsafePointer<UInt16>, bases: UnsafePointer<UInt32>, _ layout: Layout,
        moments: (_ index: Int, _ valid: UInt64) -> Moments
    ) {
        let room = PackedWriter.counterBytes * layout.codeCount + PackedWriter.momentsBytes * layout.momentsCount + 64
        bytes = Self.packing(capacity: room) { out in
            out.byte(Profile.version)
            out.varint(rows)
            out.varint(UInt64(layout.codeCount))
            out.varint(UInt64(layout.momentsCount))
            var sums: [Moments] = []
            sums.reserveCapacity(layout.momentsCount)
            var last = 0
            for (c, column) in layout.columns.enumerated() {
                let own = counts + Int(bases[c])
                let (width, bins) = (column.codeCount, column.bins.count)
                let valid = out.counters(own, bins, place: column.offset, last: &last)
                _ = out.counters(own + bins, width - bins, place: column.offset + bins, last: &last)
                if let index = column.momentsIndex { sums.append(moments(index, valid)) }
            }
            out.varint(UInt64(layout.codeCount &- last))
            for sum in sums { out.moments(sum) }
        }
    }
}
