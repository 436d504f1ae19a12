import CZstd

/// Zstandard frames in memory, for what the ledger keeps.
package enum Zstd {
    package static func compress(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(bytes.count)) { buffer, count in
            let n = ZSTD_compress(buffer.baseAddress, buffer.count, bytes, bytes.count, 3)
            precondition(ZSTD_isError(n) == 0, "zstd cannot compress into a buffer of its own bound")
            count = n
        }
    }

    /// `nil` for bytes that are no whole frame with a stated size of at most `limit`.
    package static func decompress(_ bytes: [UInt8], limit: Int = 1 << 30) -> [UInt8]? {
        let size = ZSTD_getFrameContentSize(bytes, bytes.count)
        guard size <= UInt64(limit) else { return nil }
        var failed = false
        let out = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            let n = ZSTD_decompress(buffer.baseAddress, buffer.count, bytes, bytes.count)
            failed = ZSTD_isError(n) != 0
            count = failed ? 0 : n
        }
        return failed ? nil : out
    }
}
