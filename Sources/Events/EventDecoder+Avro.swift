package import Values

/// What became of an Avro message.
package enum AvroOutcome: Sendable, Equatable {
    /// Its event is in a batch, or was rejected.
    case done
    /// Nothing was done: the schema of this number must be known first, and the message be brought again.
    case needsSchema(UInt32)
}

extension EventDecoder {
    /// Makes the schema registered under a number known.
    package mutating func setSchema(_ id: UInt32, _ json: [UInt8]) {}

    /// Whether the schema of that number is known.
    package func knowsSchema(_ id: UInt32) -> Bool { true }

    /// Appends a message's event to the batches, or reports why not.
    package mutating func decodeAvro(
        _ message: UnsafeRawBufferPointer, defaults: TopicDefaults, now: Timestamp?, reject: (Rejection) -> Void
    ) -> AvroOutcome {
        reject(
            Rejection(
                reason: .malformed, detail: "Avro is not read yet", range: 0..<message.count, index: 0))
        return .done
    }
}
