import Events

/// The fuzzer of the event decoder: libFuzzer calls this with each input. Beside the decoder it gives the input to the readers of
/// lines that stand outside batches.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDecoder(_ data: UnsafeRawPointer?, _ size: Int) -> Int32 {
    // Exactly as large as the input, for the address sanitizer: libFuzzer's own block may be larger.
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
    defer { block.deallocate() }
    block.copyBytes(from: UnsafeRawBufferPointer(start: data, count: size))
    let input = UnsafeRawBufferPointer(block)
    if let fault = replay.fault(in: input) { fatalError(fault) }
    _ = EventDecoder.eventTime(of: input)
    for range in EventDecoder.elements(of: input) ?? [] {
        guard !range.isEmpty, range.upperBound <= size else { fatalError("an element at \(range)") }
    }
    return 0
}

/// libFuzzer calls from one thread only.
nonisolated(unsafe) private var replay = FuzzReplay()
