/// Why a message is not what its schema says, with the byte it was found at.
struct AvroFailure: Error, Equatable {
    enum Kind: Equatable {
        case endsInInteger
        case integerTooLong
        case integerTooLarge
        case endsInText
        case endsInNumber
        case endsInBytes
        case negativeLength
        case notABoolean
        case noSuchBranch
        case noSuchSymbol
        case badUTF8
        case blockCount
        case blockSize
        case tooDeep
        case bytesLeft
    }

    let kind: Kind
    /// Names of fields from the root, joined by points; `*` stands for an item.
    let path: String
    /// From the start of the message.
    let offset: Int

    var detail: String { (path.isEmpty ? "" : "field \(path): ") + "\(reason) at byte \(offset)" }

    private var reason: String {
        switch kind {
        case .endsInInteger: "the data ends within an integer"
        case .integerTooLong: "an integer of more than 64 bits"
        case .integerTooLarge: "an int of more than 32 bits"
        case .endsInText: "a length beyond the end of the data"
        case .endsInNumber: "the data ends within a number"
        case .endsInBytes: "the data ends too early"
        case .negativeLength: "a negative length"
        case .notABoolean: "a boolean that is neither 0 nor 1"
        case .noSuchBranch: "a branch that the union does not have"
        case .noSuchSymbol: "a symbol that the enum does not have"
        case .badUTF8: "invalid UTF-8"
        case .blockCount: "an impossible number of items"
        case .blockSize: "a block whose stated size does not fit"
        case .tooDeep: "nested too deeply"
        case .bytesLeft: "bytes left over after the event"
        }
    }
}
