extension AvroCompiler {
    /// A bare value, or a record or map with `score`, `value`, `label` or `scores`.
    ///
    /// As in JSON a score counts before a value, and a label before scores; but since a record cannot leave a field out, a null
    /// there leaves the next one in rank to count.
    func prediction(_ out: inout AvroAssembler, _ type: Int) {
        guard let column = targets.prediction else {
            out.skip(type)
            return
        }
        var outputs: [String: Int] =
            switch column {
            case .number: ["score": 0, "value": 1]
            case .code: ["label": 0, "scores": 1]
            }
        // Beside a number the class is no output, but what the number is judged by.
        let classRank = 2
        if targets.joins, case .number = column { outputs["label"] = classRank }
        switch schema.nodes[type] {
        case .record(_, let fields):
            let ranks = assign(fields, to: outputs)
            let isAlone = ranks.count { $0 != nil && $0 != classRank } == 1
            for (field, rank) in zip(fields, ranks) {
                out.within(field.name) { out in
                    if rank == classRank {
                        predictedClass(&out, field.type)
                    } else if let rank {
                        output(&out, field.type, column, rank: rank, isAlone: isAlone)
                    } else {
                        out.skip(field.type)
                    }
                }
            }
        case .map(let item):
            map(&out, item, outputs) { out, rank in
                if rank == classRank {
                    predictedClass(&out, item)
                } else {
                    output(&out, item, column, rank: rank, isAlone: false)
                }
            }
        default:
            keepClass(&out, type, column)
            value(&out, type, .init(column: column, dimension: nil))
        }
    }

    /// A field `score` beside the others is a prediction with that score.
    func score(_ out: inout AvroAssembler, _ type: Int) {
        if schema.nodes[type] != .null { out.emit(.found, a: AvroRegisters.prediction) }
        guard case .number? = targets.prediction, let column = targets.prediction else {
            out.skip(type)
            return
        }
        value(&out, type, .init(column: column, dimension: nil))
    }

    private func output(
        _ out: inout AvroAssembler, _ type: Int, _ column: AvroTargets.Column, rank: Int, isAlone: Bool
    ) {
        let target = AvroTargets.Target(column: column, dimension: nil)
        if rank == 0 {
            keepClass(&out, type, column)
            value(&out, type, target, isOutput: true, outranks: !isAlone)
            return
        }
        if case .code = column { classScores(&out, type) }
        let outranked = out.label()
        let after = out.label()
        out.emit(.unlessGiven, to: outranked)
        switch column {
        case .number: value(&out, type, target, isOutput: true)
        case .code(let cell, let unseen): each(&out, type) { best(&$0, $1, cell, unseen) }
        }
        out.emit(.jump, to: after)
        out.bind(outranked)
        out.skip(type)
        out.bind(after)
    }

    /// The value of a categorical output is the class, too.
    private func keepClass(_ out: inout AvroAssembler, _ type: Int, _ column: AvroTargets.Column) {
        guard targets.joins, case .code = column else { return }
        out.emit(.mark)
        predictedClass(&out, type)
        out.emit(.rewind)
    }

    /// The class with the highest score, the first one of equals.
    private func best(_ out: inout AvroAssembler, _ type: Int, _ cell: Int, _ unseen: Int) {
        guard candidates(&out, type) else { return }
        let none = out.label()
        out.emit(.bestText, to: none)
        if targets.joins { out.keep(.predicted, found: AvroRegisters.predicted) }
        out.emit(.codeOfText, cell: cell, a: out.memo(.code(column: cell)), b: unseen)
        out.bind(none)
    }

    /// Reads the score of each class, and calls `use` after each.
    /// - Returns: whether the type can hold scores; otherwise its value is passed over.
    @discardableResult
    func candidates(
        _ out: inout AvroAssembler, _ type: Int, _ use: (inout AvroAssembler) -> Void = { _ in }
    ) -> Bool {
        switch schema.nodes[type] {
        case .record(_, let fields):
            out.emit(.bestNone)
            for field in fields {
                out.within(field.name) { out in
                    out.emit(.constantKey, a: out.add(texts: [field.name]))
                    each(&out, field.type) { candidate(&$0, $1, use) }
                }
            }
        case .map(let item):
            out.emit(.bestNone)
            out.blocks { out in
                out.emit(.keepKey)
                out.within("*") { out in each(&out, item) { candidate(&$0, $1, use) } }
            }
        default:
            out.skip(type)
            return false
        }
        return true
    }

    private func candidate(_ out: inout AvroAssembler, _ type: Int, _ use: (inout AvroAssembler) -> Void) {
        switch schema.nodes[type] {
        case .int: out.emit(.bestInteger, flag: 1)
        case .long: out.emit(.bestInteger)
        case .float: out.emit(.bestFloat)
        case .double: out.emit(.bestDouble)
        case .bytes(let scale?): out.emit(.bestDecimal, a: scale, b: -1)
        case .fixed(let size, .decimal(let scale)): out.emit(.bestDecimal, a: scale, b: size)
        default:
            out.skip(type)
            return
        }
        use(&out)
    }
}
