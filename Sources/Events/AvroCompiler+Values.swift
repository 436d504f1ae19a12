extension AvroCompiler {
    /// A record's fields or a map's values as features.
    func features(_ out: inout AvroAssembler, _ type: Int) {
        switch schema.nodes[type] {
        case .record(_, let fields):
            var unknown = 0
            for (field, target) in zip(fields, assign(fields, to: targets.features)) {
                out.within(field.name) { out in
                    if let target {
                        value(&out, field.type, target)
                    } else {
                        unknown += 1
                        out.skip(field.type)
                    }
                }
            }
            if unknown > 0 { out.emit(.unknown, a: unknown) }
        case .map(let item):
            map(&out, item, targets.features, countsUnknown: true) { value(&$0, item, $1, replaces: true) }
        default: out.skip(type)
        }
    }

    /// A record's fields or a map's values as segments.
    func segments(_ out: inout AvroAssembler, _ type: Int) {
        switch schema.nodes[type] {
        case .record(_, let fields):
            for (field, dimension) in zip(fields, assign(fields, to: targets.dimensions)) {
                out.within(field.name) { out in
                    if let dimension {
                        value(&out, field.type, .init(column: nil, dimension: dimension))
                    } else {
                        out.skip(field.type)
                    }
                }
            }
        case .map(let item):
            map(&out, item, targets.dimensions) { value(&$0, item, .init(column: nil, dimension: $1)) }
        default: out.skip(type)
        }
    }

    /// A map whose keys are looked up; the values of keys without a target are passed over.
    func map<T>(
        _ out: inout AvroAssembler, _ item: Int, _ targets: [String: T], countsUnknown: Bool = false,
        _ body: (inout AvroAssembler, T) -> Void
    ) {
        let known = targets.sorted { $0.key < $1.key }
        let labels = known.map { _ in out.label() }
        let other = out.label()
        let joint = out.label()
        out.blocks { out in
            let table = out.add(keys: known.map(\.key), labels: labels + [other])
            let memo = out.memo(.key(table: table))
            out.emit(.key, a: table, b: memo)
            out.emit(.otherKey, a: table, b: memo)
            for ((name, target), label) in zip(known, labels) {
                out.bind(label)
                out.within(name) { body(&$0, target) }
                out.emit(.jump, to: joint)
            }
            out.bind(other)
            if countsUnknown { out.emit(.unknown, a: 1) }
            out.within("*") { $0.skip(item) }
            out.bind(joint)
        }
    }

    /// - Parameters:
    ///   - replaces: A value may follow another one for the same target, as keys of a map can.
    ///   - isOutput: A null is there only where no other output of the prediction is.
    ///   - outranks: Once it is there, outputs of lower rank do not count.
    func value(
        _ out: inout AvroAssembler, _ type: Int, _ target: AvroTargets.Target, replaces: Bool = false,
        isOutput: Bool = false, outranks: Bool = false
    ) {
        if target.column == nil && target.dimension == nil {
            out.skip(type)
            return
        }
        each(&out, type) { out, type in
            if schema.nodes[type] == .null {
                hole(&out, .null, target, replaces: replaces, onlyMissing: isOutput)
                return
            }
            if outranks { out.emit(.given) }
            if schema.nodes[type] == .string, fused(&out, target) {
                return
            } else if isText(type) {
                text(&out, type) { textTarget(&$0, target, isNumber: false) }
            } else if isNumber(type) {
                number(&out, type, target)
            } else if schema.nodes[type] == .boolean {
                text(&out, type) { textTarget(&$0, target, isNumber: true) }
            } else {
                hole(&out, .wrongType, target, replaces: replaces)
                out.skip(type)
            }
        }
    }

    /// A string with one use is taken and used in one step.
    private func fused(_ out: inout AvroAssembler, _ target: AvroTargets.Target) -> Bool {
        switch (target.column, target.dimension) {
        case (.code(let cell, let unseen), nil):
            out.emit(.codeText, cell: cell, a: out.memo(.code(column: cell)), b: unseen)
        case (nil, let dimension?):
            out.emit(.segmentText, cell: dimension, a: out.memo(.segment(dimension: dimension)))
        default: return false
        }
        return true
    }

    func isText(_ type: Int) -> Bool {
        switch schema.nodes[type] {
        case .string, .enumeration, .fixed(_, .uuid): true
        default: false
        }
    }

    func isNumber(_ type: Int) -> Bool {
        switch schema.nodes[type] {
        case .int, .long, .float, .double, .bytes(.some), .fixed(_, .decimal): true
        default: false
        }
    }

    private func hole(
        _ out: inout AvroAssembler, _ hole: Hole, _ target: AvroTargets.Target, replaces: Bool,
        onlyMissing: Bool = false
    ) {
        let flag: UInt8 = onlyMissing ? 1 : 0
        switch target.column {
        case .number(let cell): out.emit(.numberHole, flag: flag, cell: cell, a: Int(hole.rawValue))
        case .code(let cell, _): out.emit(.codeHole, flag: flag, cell: cell, a: Int(hole.rawValue))
        case nil: break
        }
        if replaces, let dimension = target.dimension { out.emit(.segmentNone, cell: dimension) }
    }

    /// Where a text that was just taken goes. One of a boolean is no text to a numeric column.
    private func textTarget(_ out: inout AvroAssembler, _ target: AvroTargets.Target, isNumber: Bool) {
        if let dimension = target.dimension {
            out.emit(.segmentOfText, cell: dimension, a: out.memo(.segment(dimension: dimension)))
        }
        switch target.column {
        case .number(let cell) where isNumber:
            out.emit(.numberHole, cell: cell, a: Int(Hole.wrongType.rawValue))
        case .number(let cell): out.emit(.numberOfText, cell: cell)
        case .code(let cell, let unseen):
            out.emit(.codeOfText, cell: cell, a: out.memo(.code(column: cell)), b: unseen)
        case nil: break
        }
    }

    private func number(_ out: inout AvroAssembler, _ type: Int, _ target: AvroTargets.Target) {
        guard case .number(let cell) = target.column else {
            text(&out, type) { textTarget(&$0, target, isNumber: true) }
            return
        }
        if let dimension = target.dimension {
            out.emit(.mark)
            text(&out, type) { textTarget(&$0, .init(column: nil, dimension: dimension), isNumber: true) }
            out.emit(.rewind)
        }
        switch schema.nodes[type] {
        case .int: out.emit(.numberInteger, flag: 1, cell: cell)
        case .float: out.emit(.numberFloat, cell: cell)
        case .double: out.emit(.numberDouble, cell: cell)
        case .bytes(let scale): out.emit(.numberDecimal, cell: cell, a: scale ?? 0, b: -1)
        case .fixed(let size, .decimal(let scale)): out.emit(.numberDecimal, cell: cell, a: scale, b: size)
        default: out.emit(.numberInteger, cell: cell)
        }
    }

    /// Takes a scalar as text and lets `use` say what becomes of it.
    func text(_ out: inout AvroAssembler, _ type: Int, _ use: (inout AvroAssembler) -> Void) {
        switch schema.nodes[type] {
        case .boolean: out.emit(.textBoolean)
        case .int: out.emit(.textInteger, flag: 1)
        case .long: out.emit(.textInteger)
        case .float: out.emit(.textFloat)
        case .double: out.emit(.textDouble)
        case .bytes(let scale?): out.emit(.textDecimal, a: scale, b: -1)
        case .fixed(let size, .decimal(let scale)): out.emit(.textDecimal, a: scale, b: size)
        case .fixed(_, .uuid): out.emit(.textUUID)
        case .enumeration(let symbols): out.emit(.textSymbol, a: out.add(texts: symbols), b: symbols.count)
        default: out.emit(.text)
        }
        use(&out)
    }
}
