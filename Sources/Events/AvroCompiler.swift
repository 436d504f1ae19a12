/// Turns a writer's schema and a model into a program: the fields of a message are read in the order they stand in, each into
/// the place it goes to.
struct AvroCompiler {
    let schema: AvroSchema
    let shape: AvroEventShape
    let targets: AvroTargets
    func compile(model: String?) -> AvroProgram {
        var out = AvroAssembler(schema, melts: targets.hasModel)
        let postponed = postponedSegments
        let features = shape.roles.indices.filter { shape.roles[$0] == .feature }
        let featureTargets = assign(features.map { shape.fields[$0] }, to: targets.features)
        var unknown = 0
        for (i, field) in shape.fields.enumerated() {
            out.within(field.name) { out in
                switch shape.roles[i] {
                case .part(.segments) where i == postponed:
                    out.emit(.postpone)
                    out.skip(field.type)
                case .part(let part): each(&out, field.type) { read(part, &$0, $1, isSure: $1 == field.type) }
                case .feature:
                    if let target = features.firstIndex(of: i).flatMap({ featureTargets[$0] }) {
                        value(&out, field.type, target)
                    } else {
                        unknown += 1
                        out.skip(field.type)
                    }
                case .other: out.skip(field.type)
                }
            }
        }
        if unknown > 0 { out.emit(.unknown, a: unknown) }
        out.emit(.end, flag: postponed == nil ? 1 : 0)
        if let postponed {
            out.emit(.resume)
            out.within(shape.fields[postponed].name) { out in
                each(&out, shape.fields[postponed].type) { read(.segments, &$0, $1, isSure: false) }
            }
        }
        out.emit(.halt)
        out.finish()
        return AvroProgram(
            out, model: model, blank: shape.hasFeatures ? .featuresAndPrediction : .prediction,
            output: targets.prediction, found: sureParts, fills: fills)
    }

    /// The field with the segments, if it stands before a feature that is a dimension, too: segments count more than features,
    /// so they are read last.
    private var postponedSegments: Int? {
        guard !targets.dimensions.isEmpty, let place = shape.roles.firstIndex(of: .part(.segments)) else { return nil }
        let later = shape.roles[place...].contains { $0 == .feature || $0 == .part(.features) }
        return later ? place : nil
    }

    /// The target of each field: that of its name, or of an alias no other field has as its name.
    func assign<T>(_ fields: [AvroSchema.Field], to targets: [String: T]) -> [T?] {
        let names = Set(fields.map(\.name))
        var taken: Set<String> = []
        return fields.map { field in
            if let target = targets[field.name] { return target }
            for alias in field.aliases where !names.contains(alias) {
                if let target = targets[alias], taken.insert(alias).inserted { return target }
            }
            return nil
        }
    }

    /// Calls `body` for the type, or for each branch of a union.
    func each(_ out: inout AvroAssembler, _ type: Int, _ body: (inout AvroAssembler, _ type: Int) -> Void) {
        if case .union(let types) = schema.nodes[type] {
            out.branches(types, body)
        } else {
            body(&out, type)
        }
    }

    /// - Parameter isSure: Every message has the part, with this type: that it is there is said once, not for each message.
    private func read(
        _ part: AvroEventShape.Part, _ out: inout AvroAssembler, _ type: Int, isSure: Bool
    ) {
        if schema.nodes[type] == .null {
            if part == .model { out.emit(.modelNull) }
            if part == .score { score(&out, type) }
            return
        }
        guard part.accepts(schema.nodes[type]) else {
            if part == .ts {
                out.emit(.found, a: AvroRegisters.badTime)
            } else {
                out.emit(.bad, a: AvroEventShape.Part.allCases.firstIndex(of: part) ?? 0)
            }
            out.skip(type)
            return
        }
        switch part {
        case .type: text(&out, type) { $0.emit(.kindOfText) }
        case .model: text(&out, type) { $0.emit(.modelOfText) }
        case .version: version(&out, type)
        case .id: identity(&out, type)
        case .label: label(&out, type)
        case .ts: time(&out, type)
        case .features:
            if !isSure { out.emit(.found, a: AvroRegisters.features) }
            features(&out, type)
        case .segments: segments(&out, type)
        case .prediction:
            if !isSure { out.emit(.found, a: AvroRegisters.prediction) }
            prediction(&out, type)
        case .score: score(&out, type)
        }
    }

    private func version(_ out: inout AvroAssembler, _ type: Int) {
        let memo = out.memo(.version)
        switch schema.nodes[type] {
        case .string: out.emit(.versionText, a: memo)
        // A version is a name, so that a whole number keeps all its digits.
        case .int: digits(&out, flag: 1, memo)
        case .long: digits(&out, flag: 0, memo)
        default: text(&out, type) { $0.emit(.versionOfText, a: memo) }
        }
    }

    private func digits(_ out: inout AvroAssembler, flag: UInt8, _ memo: Int) {
        out.emit(.textDigits, flag: flag)
        out.emit(.versionOfText, a: memo)
    }

    private func time(_ out: inout AvroAssembler, _ type: Int) {
        switch schema.nodes[type] {
        case .string:
            out.emit(.text)
            out.emit(.timeOfText)
        case .int(isDate: true): out.emit(.timeInteger, flag: 1, a: 86_400, b: 1_000_000)
        case .int(isDate: false): out.emit(.timeEpochInteger, flag: 1)
        case .long(.milliseconds): out.emit(.timeInteger, a: 1_000, b: 1)
        case .long(.microseconds): out.emit(.timeInteger, a: 1, b: 1)
        case .long(.nanoseconds): out.emit(.timeInteger, a: -1_000, b: 1)
        case .long(nil): out.emit(.timeEpochInteger)
        case .float: out.emit(.timeEpochFloat)
        default: out.emit(.timeEpochDouble)
        }
    }
}
