/// Messages written by fastavro 1.13.1 (Python), made once by
/// ```python
/// import fastavro, io, json, struct, datetime, decimal
/// D = decimal.Decimal
/// UTC = datetime.timezone.utc
/// schema = {"type": "record", "name": "Event", "namespace": "org.example", "fields": [
///     {"name": "type", "type": {"type": "enum", "name": "Kind", "symbols": ["prediction", "label", "features"]}},
///     {"name": "model", "type": "string"},
///     {"name": "version", "type": ["null", "string", "int"]},
///     {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
///     {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
///     {"name": "features", "type": {"type": "record", "name": "Features", "fields": [
///         {"name": "amount", "type": ["null", "double", {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}]},
///         {"name": "history", "type": {"type": "array", "items": {"type": "map", "values": ["null", "float"]}}},
///         {"name": "country", "type": ["null", "string"]},
///         {"name": "device", "type": {"type": "enum", "name": "Device", "symbols": ["app", "web"]}},
///         {"name": "parent", "type": ["null", "Features"]}]}},
///     {"name": "prediction", "type": ["null", "double", {"type": "record", "name": "Output", "fields": [
///         {"name": "score", "type": "float"}, {"name": "label", "type": "string"}]}]},
///     {"name": "segments", "type": {"type": "map", "values": ["null", "string", "long", "boolean"]}},
///     {"name": "label", "type": ["null", "string"]}]}
/// parsed = fastavro.parse_schema(schema)
/// def features(amount, country, device, parent=None):
///     return {"amount": amount, "history": [{"a": 0.5, "b": None}, {}], "country": country, "device": device, "parent": parent}
/// at = datetime.datetime(2026, 3, 1, 12, 0, 0, 250000, UTC)
/// common = {"model": "fraud", "id": "6f1c0a1e-8d2b-4c57-9f3c-000000000001", "ts": at}
/// events = [
///     {**common, "type": "prediction", "version": "14", "features": features(12.5, "BR", "web"), "prediction": 0.83,
///      "segments": {"country": "BR", "region": "south"}, "label": None},
///     {**common, "type": "prediction", "version": 15, "features": features(D("-1234.56"), "São", "app", features(1.0, None, "web")),
///      "prediction": {"score": 0.25, "label": "1"}, "segments": {"region": 7, "country": True}, "label": "1"},
///     {**common, "type": "features", "version": None, "features": features(None, None, "app", features(D("1"), "x", "app", features(2.0, "y", "web"))),
///      "prediction": None, "segments": {}, "label": None},
///     {**common, "type": "label", "version": None, "features": features(0.0, "US", "web"), "prediction": None,
///      "segments": {"region": None}, "label": "0"},
/// ]
/// print(json.dumps(schema, separators=(",", ":")))
/// for event in events:
///     out = io.BytesIO()
///     fastavro.schemaless_writer(out, parsed, event)
///     print((b"\0" + struct.pack(">I", 9) + out.getvalue()).hex())
/// ```
enum AvroLibraryFixture {
    static let schema = #"""
        {"type":"record","name":"Event","namespace":"org.example","fields":[{"name":"type","type":{"type":"enum",
        "name":"Kind","symbols":["prediction","label","features"]}},{"name":"model","type":"string"},
        {"name":"version","type":["null","string","int"]},{"name":"id","type":{"type":"string","logicalType":"uuid"}},
        {"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"features",
        "type":{"type":"record","name":"Features","fields":[{"name":"amount","type":["null","double",{"type":"bytes",
        "logicalType":"decimal","precision":12,"scale":2}]},{"name":"history","type":{"type":"array",
        "items":{"type":"map","values":["null","float"]}}},{"name":"country","type":["null","string"]},
        {"name":"device","type":{"type":"enum","name":"Device","symbols":["app","web"]}},{"name":"parent",
        "type":["null","Features"]}]}},{"name":"prediction","type":["null","double",{"type":"record","name":"Output",
        "fields":[{"name":"score","type":"float"},{"name":"label","type":"string"}]}]},{"name":"segments",
        "type":{"type":"map","values":["null","string","long","boolean"]}},{"name":"label","type":["null","string"]}]}
        """#

    static var messages: [[UInt8]] { hexadecimal.map(bytes) }

    private static let hexadecimal = [
        """
        0000000009000a6672617564020431344836663163306131652d386432622d346335372d396633632d303030303030303030303031f4ab\
        a894956702000000000000294004040261020000003f026200000000020442520200028fc2f5285c8fea3f040e636f756e747279020442\
        520c726567696f6e020a736f7574680000
        """,
        """
        0000000009000a6672617564041e4836663163306131652d386432622d346335372d396633632d303030303030303030303031f4aba894\
        95670406fe1dc004040261020000003f026200000000020853c3a36f000202000000000000f03f04040261020000003f02620000000000\
        0200040000803e0231040c726567696f6e040e0e636f756e747279060100020231
        """,
        """
        0000000009040a6672617564004836663163306131652d386432622d346335372d396633632d303030303030303030303031f4aba89495\
        670004040261020000003f02620000000000000204026404040261020000003f0262000000000202780002020000000000000040040402\
        61020000003f0262000000000202790200000000
        """,
        """
        0000000009020a6672617564004836663163306131652d386432622d346335372d396633632d303030303030303030303031f4aba89495\
        6702000000000000000004040261020000003f02620000000002045553020000020c726567696f6e0000020230
        """,
    ]

    private static func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.map { UInt8($0 < 0x3a ? $0 - 0x30 : $0 - 0x57) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
