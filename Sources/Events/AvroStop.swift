/// Why a program stopped. Where it did stands in the registers.
enum AvroStop: Equatable {
    case done
    /// The message belongs to another model than the program.
    case otherModel
    /// The text in the registers is not remembered: `ModelReader.look` knows what it stands for, and running goes on there.
    case unknownText
    case failed(AvroFailure.Kind)
}

/// The row a program writes.
struct AvroRow: BitwiseCopyable {
    let numbers: UnsafeMutablePointer<Double>
    let codes: UnsafeMutablePointer<UInt16>
    let segments: UnsafeMutablePointer<UInt16>

    @inline(__always)
    init(_ batch: EventBatch) {
        numbers = batch.numbers + batch.count &* batch.numberWidth
        codes = batch.codes + batch.count &* batch.codeWidth
        segments = batch.segments + batch.count &* batch.segmentWidth
    }
}
