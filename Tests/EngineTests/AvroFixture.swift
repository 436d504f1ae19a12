import Events
import Values

/// `EventFixture`, fed with Avro.
extension EventFixture {
    @discardableResult
    mutating func decodeAvro(
        _ message: [UInt8], model: String? = nil, version: String? = nil, now: Timestamp? = nil
    ) -> AvroOutcome {
        var found: [Rejection] = []
        let outcome = message.withUnsafeBytes {
            decoder.decodeAvro($0, defaults: TopicDefaults(model: model, version: version), now: now) {
                found.append($0)
            }
        }
        add(found)
        return outcome
    }

    mutating func setSchema(_ id: UInt32, _ type: AvroType) { setSchema(id, type.json.text) }

    mutating func setSchema(_ id: UInt32, _ json: String) {
        Array(json.utf8).withUnsafeBytes { decoder.setSchema(id, $0) }
    }

    /// Reads one value by one schema.
    static func avro(
        _ value: AvroValue, _ type: AvroType, model: String? = nil, version: String? = nil, now: Timestamp? = nil
    ) -> EventFixture {
        var seen = EventFixture()
        seen.setSchema(1, type)
        seen.decodeAvro(AvroWriter.message(1, value, type), model: model, version: version, now: now)
        return seen
    }

    /// What became of the messages so far, told apart from what they hold.
    var counts: [UInt64] {
        [UInt64(batch.count), UInt64(petBatch.count), UInt64(rejections.count)] + decoder.kinds + [decoder.unknownKeys]
    }

    /// A row in words that two decoders can be compared by: numbers bit by bit, segments and version by their texts.
    func words(model: Int, row: Int) -> [String] {
        let batch = decoder.batches[model]
        let numbers = (0..<batch.numberWidth).map {
            String(batch.numbers[row * batch.numberWidth + $0].bitPattern, radix: 16)
        }
        let codes = (0..<batch.codeWidth).map { String(batch.codes[row * batch.codeWidth + $0]) }
        let segments = (0..<batch.segmentWidth).map { dimension in
            let number = batch.segments[row * batch.segmentWidth + dimension]
            return number == EventBatch.noSegment
                ? "-" : decoder.segmentValue(model: model, dimension: dimension, number)
        }
        return numbers + codes + segments + [
            decoder.versionName(model: model, batch.versions[row]), batch.timestamps[row].rfc3339,
            String(batch.sources[row]),
        ]
    }
}
