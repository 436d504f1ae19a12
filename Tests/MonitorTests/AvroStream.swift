import Events
import Foundation
import Values

/// The events of `StreamFixture` in Avro, as a serialising producer writes them.
enum AvroStream {
    static let schema =
        #"{"type":"record","name":"Event","fields":[{"name":"model","type":"string"},{"name":"version","type":"string"},{"name":"id","type":"string"},{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"features","type":{"type":"record","name":"Features","fields":[{"name":"amount","type":"double"},{"name":"plan","type":["null","string"]}]}},{"name":"prediction","type":{"type":"record","name":"Prediction","fields":[{"name":"score","type":"double"}]}},{"name":"segments","type":{"type":"record","name":"Segments","fields":[{"name":"country","type":"string"}]}}]}"#

    /// A registry's answer with a schema's text in it.
    static func answer(_ schema: String) -> String { JSON.members(("schema", .string(schema))).text }

    /// Confluent's framing: a zero, the schema's number, the record.
    static func message(_ event: String, schema id: UInt32) throws -> [UInt8] {
        let json = try JSON(parsing: event.utf8)
        guard let ts = json["ts"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let amount = json["features"]?["amount"]?.numberValue,
            let score = json["prediction"]?["score"]?.numberValue
        else { throw TestFailure("not an event of the fixture: \(event)") }
        var bytes: [UInt8] = [0]
        withUnsafeBytes(of: id.bigEndian) { bytes += $0 }
        func long(_ value: Int64) {
            var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
            while rest > 0x7f {
                bytes.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        func text(_ value: JSON?) {
            let utf8 = Array((value?.stringValue ?? "").utf8)
            long(Int64(utf8.count))
            bytes += utf8
        }
        func double(_ value: Double) { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 } }
        for key in ["model", "version", "id"] { text(json[key]) }
        long(ts.microseconds / 1_000)
        double(amount)
        let plan = json["features"]?["plan"]
        long(plan?.stringValue == nil ? 0 : 1)
        if plan?.stringValue != nil { text(plan) }
        double(score)
        text(json["segments"]?["country"])
        return bytes
    }
}
