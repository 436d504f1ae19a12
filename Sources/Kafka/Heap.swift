import CRdkafka

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How the C library treats memory that is given back.
///
/// What a broker answers is a block of megabytes, and a step packs thousands of counters and frees them all. glibc gives such memory back to
/// the kernel at once and asks for it again a moment later, and then every page of it costs a fault.
package enum Heap {
    /// Only blocks from so many bytes on are mapped on their own, and unmapped when they are freed. A broker's answers
    /// (`fetch.max.bytes`) are smaller.
    private static let mappedBytes: Int32 = 8 << 20
    /// So many bytes may stay free at the end of an arena: what a consumer's queue holds, a few times over.
    private static let keptBytes: Int32 = 32 << 20
    /// An arena grows by so many bytes at least.
    private static let grownBytes: Int32 = 1 << 20

    /// Keeps freed memory for what comes next, in the whole process; for its start. What the environment says of the heap stands, and C
    /// libraries other than glibc stay as they are.
    package static func keepFreedMemory() {
        let own = ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"]
        guard own.allSatisfy({ getenv($0) == nil }) else { return }
        holdfast_keep_freed_memory(mappedBytes, keptBytes, grownBytes)
    }
}
