/// What is the same in all messages of a schema, so that it need not be found out, or undone, for each of them.
extension AvroCompiler {
    /// The parts that are there in every message, as bits of `AvroRegisters.found`.
    var sureParts: Int {
        var found = shape.isFlat && shape.hasFeatures ? AvroRegisters.features : 0
        for (part, bit) in [
            (AvroEventShape.Part.features, AvroRegisters.features), (.prediction, AvroRegisters.prediction),
        ] {
            if let type = type(of: part), part.accepts(schema.nodes[type]), schema.nodes[type] != .null { found |= bit }
        }
        return found
    }

    /// Whether every message fills all cells of its row, and all segments.
    var fills: (cells: Bool, segments: Bool) {
        guard targets.hasModel else { return (true, true) }
        var columns: Set<AvroTargets.Column> = []
        var dimensions: Set<Int> = []
        for (field, target) in featureFields {
            if let column = target.column { columns.insert(column) }
            if let dimension = target.dimension, isUsable(field.type) { dimensions.insert(dimension) }
        }
        if let type = type(of: .segments), case .record(_, let fields) = schema.nodes[type] {
            for (field, dimension) in zip(fields, assign(fields, to: targets.dimensions)) {
                if let dimension, isUsable(field.type) { dimensions.insert(dimension) }
            }
        }
        if let column = targets.prediction, fillsPrediction(column) { columns.insert(column) }
        return (columns.count == targets.columnCount, dimensions.count == targets.dimensions.count)
    }

    /// The type of a part, `nil` where it is a union or there is no such field.
    private func type(of part: AvroEventShape.Part) -> Int? {
        guard let place = shape.roles.firstIndex(of: .part(part)) else { return nil }
        if case .union = schema.nodes[shape.fields[place].type] { return nil }
        return shape.fields[place].type
    }

    /// The features every message has, and where they go.
    private var featureFields: [(AvroSchema.Field, AvroTargets.Target)] {
        var fields: [AvroSchema.Field] = []
        if shape.isFlat {
            fields = shape.roles.indices.filter { shape.roles[$0] == .feature }.map { shape.fields[$0] }
        } else if let type = type(of: .features), case .record(_, let parts) = schema.nodes[type] {
            fields = parts
        }
        return zip(fields, assign(fields, to: targets.features)).compactMap { field, target in
            target.map { (field, $0) }
        }
    }

    private func fillsPrediction(_ column: AvroTargets.Column) -> Bool {
        if case .number = column, shape.roles.contains(.part(.score)) { return true }
        guard let type = type(of: .prediction) else { return false }
        switch schema.nodes[type] {
        case .record(_, let fields):
            let first: [String: Int] =
                switch column {
                case .number: ["score": 0]
                case .code: ["label": 0]
                }
            return zip(fields, assign(fields, to: first)).contains { field, rank in rank != nil && isPlain(field.type) }
        case .map, .null: return false
        default: return AvroEventShape.Part.prediction.accepts(schema.nodes[type])
        }
    }

    /// Neither null nor a union, which may be null.
    private func isPlain(_ type: Int) -> Bool {
        switch schema.nodes[type] {
        case .null, .union: false
        default: true
        }
    }

    /// Whether every value of a type is a segment's.
    private func isUsable(_ type: Int) -> Bool { schema.nodes[type] == .boolean || isText(type) || isNumber(type) }
}
