/// Which fields of a record are which parts of an event.
///
/// Two forms are read. Nested, as the JSON events of contracts.md section 2: `features` is a record or a map. Flat: without a field
/// `features`, all fields but those with names of parts are features. In both, a field `score` is the prediction's score if there
/// is no field `prediction`. Where no field has a part's name, an alias counts.
struct AvroEventShape {
    enum Part: String, CaseIterable {
        case type, model, version, id, ts, features, segments, prediction, label, score

        /// What a value of the part may be, for messages.
        fileprivate var form: String {
            switch self {
            case .type, .model: "a string or an enum"
            case .version, .id: "a string or a number"
            case .ts: "RFC 3339 text, a timestamp or a number"
            case .features, .segments: "a record or a map"
            case .prediction: "a number, a text, a record or a map"
            case .label, .score: "anything"
            }
        }

        func accepts(_ node: AvroSchema.Node) -> Bool {
            switch (self, node) {
            case (.label, _), (.score, _): true
            case (_, .null): self != .ts
            case (.ts, .string), (.ts, .int), (.ts, .long), (.ts, .float), (.ts, .double): true
            case (.ts, _): false
            case (.type, .string), (.type, .enumeration), (.model, .string), (.model, .enumeration): true
            case (.type, _), (.model, _): false
            case (.features, .record), (.features, .map), (.segments, .record), (.segments, .map): true
            case (.features, _), (.segments, _): false
            case (.prediction, .record), (.prediction, .map): true
            case (_, .string), (_, .enumeration), (_, .fixed(_, .uuid)): true
            case (_, .int), (_, .long), (_, .float), (_, .double), (_, .bytes(.some)), (_, .fixed(_, .decimal)): true
            default: false
            }
        }
    }

    enum Role: Equatable {
        case part(Part)
        case feature
        case other
    }

    let fields: [AvroSchema.Field]
    /// By field.
    let roles: [Role]
    let hasModel: Bool
    let hasFeatures: Bool
    /// The fields themselves are the features.
    let isFlat: Bool

    init(_ schema: AvroSchema) throws(AvroSchemaError) {
        guard case .record(_, let fields) = schema.nodes[schema.root] else {
            let found = schema.describe(schema.root).prefix(200)
            throw AvroSchemaError(path: "", reason: "the schema is a \(found), an event is a record")
        }
        var places: [Part: Int] = [:]
        for part in Part.allCases where part != .score || places[.prediction] == nil {
            let place =
                fields.firstIndex { $0.name == part.rawValue }
                ?? fields.indices.first { i in
                    fields[i].aliases.contains(part.rawValue) && Part(rawValue: fields[i].name) == nil
                        && !places.values.contains(i)
                }
            guard let place else { continue }
            places[part] = place
            let type = fields[place].type
            guard schema.branches(type).contains(where: { part.accepts(schema.nodes[$0]) }) else {
                let reason = "\(schema.describe(type).prefix(200)), where \(part.rawValue) is \(part.form)"
                throw AvroSchemaError(path: fields[place].name, reason: reason)
            }
        }
        guard places[.ts] != nil else { throw AvroSchemaError(path: "ts", reason: "the record has no such field") }
        isFlat = places[.features] == nil
        var roles = [Role](repeating: isFlat ? .feature : .other, count: fields.count)
        for (part, place) in places { roles[place] = .part(part) }
        hasModel = places[.model] != nil
        hasFeatures = roles.contains { $0 == .feature || $0 == .part(.features) }
        guard hasFeatures || [.prediction, .score, .label].contains(where: { places[$0] != nil }) else {
            throw AvroSchemaError(path: "", reason: "the record has neither features nor prediction nor label")
        }
        self.fields = fields
        self.roles = roles
    }
}
