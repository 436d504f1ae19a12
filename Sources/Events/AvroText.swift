#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Some bytes of text that lie in a message, a program or the decoder's own memory.
struct AvroText: BitwiseCopyable {
    let start: UnsafeRawPointer
    let count: Int

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    @inline(__always)
    static func == (a: AvroText, b: AvroText) -> Bool { a.count == b.count && memcmp(a.start, b.start, a.count) == 0 }

    @inline(__always)
    func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && memcmp(start, text.utf8Start, count) == 0
    }

    /// Whether the bytes are UTF-8, with a short way for ASCII.
    @inline(__always)
    var isSound: Bool {
        if count >= 8, count <= 16 {
            let first = start.loadUnaligned(as: UInt64.self)
            let last = start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            if (first | last) & 0x8080_8080_8080_8080 == 0 { return true }
        }
        return isSoundThroughout
    }

    @inline(never)
    private var isSoundThroughout: Bool {
        var i = 0
        while i &+ 8 <= count {
            if start.loadUnaligned(fromByteOffset: i, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 {
                return isUTF8
            }
            i &+= 8
        }
        var rest: UInt8 = 0
        while i < count {
            rest |= start.load(fromByteOffset: i, as: UInt8.self)
            i &+= 1
        }
        return rest < 0x80 || isUTF8
    }

    @inline(never)
    private var isUTF8: Bool {
        let text = UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: count)
        do {
            _ = try UTF8Span(validating: text.span)
            return true
        } catch {
            return false
        }
    }
}
