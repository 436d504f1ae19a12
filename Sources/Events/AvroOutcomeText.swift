import Values

/// What a message says that joins predictions with labels, kept as text until the event is known to count.
enum AvroOutcomeText: Int, CaseIterable {
    case identity
    case label
    /// The class the prediction names.
    case predicted
}

extension AvroCompiler {
    /// The event's identity, spelled as JSON spells it.
    func identity(_ out: inout AvroAssembler, _ type: Int) {
        guard targets.joins else { return mention(&out, type, AvroRegisters.identity) }
        let keep: (inout AvroAssembler) -> Void = { $0.keep(.identity, found: AvroRegisters.identity) }
        switch schema.nodes[type] {
        // All digits, not those of the double it stands for.
        case .int:
            out.emit(.textDigits, flag: 1)
            keep(&out)
        case .long:
            out.emit(.textDigits)
            keep(&out)
        default: text(&out, type, keep)
        }
    }

    func label(_ out: inout AvroAssembler, _ type: Int) {
        guard targets.joins, isScalar(type) else { return mention(&out, type, AvroRegisters.label) }
        let number = isNumber(type) ? AvroRegisters.labelNumber : 0
        text(&out, type) { $0.keep(.label, found: AvroRegisters.label | AvroRegisters.labelText | number) }
    }

    /// The class a prediction names; reads nothing else of it.
    func predictedClass(_ out: inout AvroAssembler, _ type: Int) {
        each(&out, type) { out, type in
            guard isScalar(type) else { return out.skip(type) }
            text(&out, type) { $0.keep(.predicted, found: AvroRegisters.predicted) }
        }
    }

    /// The score of each class, beside what is done with the best of them.
    func classScores(_ out: inout AvroAssembler, _ type: Int) {
        guard targets.joins else { return }
        out.emit(.mark)
        each(&out, type) { out, type in candidates(&out, type) { $0.emit(.keepScore) } }
        out.emit(.rewind)
    }

    private func isScalar(_ type: Int) -> Bool { isText(type) || isNumber(type) || schema.nodes[type] == .boolean }

    /// A part that only has to be there.
    private func mention(_ out: inout AvroAssembler, _ type: Int, _ bit: Int) {
        if schema.nodes[type] == .string {
            out.emit(.identity, a: bit)
        } else {
            out.emit(.found, a: bit)
            out.skip(type)
        }
    }
}

extension AvroAssembler {
    mutating func keep(_ text: AvroOutcomeText, found: Int) {
        emit(.keepText, cell: text.rawValue, a: found)
    }
}

extension AvroSteps {
    /// Keeps the text in the registers, which must be UTF-8.
    static func keep(_ step: AvroInstruction, _ scratch: AvroScratch) -> AvroFailure.Kind? {
        let r = scratch.registers
        guard r.pointee.text.isSound else {
            r.pointee.place = r.pointee.text.start
            return .badUTF8
        }
        if let text = AvroOutcomeText(rawValue: Int(step.cell)) {
            scratch.keep(r.pointee.text, scratch.slot(text))
            r.pointee.found |= Int(step.a)
        }
        return nil
    }
}

extension AvroSteps {
    static func keepScore(_ scratch: AvroScratch) {
        let r = scratch.registers
        guard !r.pointee.score.isNaN, r.pointee.key.isSound else { return }
        if r.pointee.found & AvroRegisters.scores == 0 { scratch.scores.removeAll(keepingCapacity: true) }
        r.pointee.found |= AvroRegisters.scores
        scratch.scores.append((r.pointee.key, r.pointee.score))
    }
}

/// Identities, labels and classes of Avro events, for models whose performance is watched.
extension EventDecoder {
    /// The label of the event in the registers, NaN without one.
    /// - Returns: `fault` says why a value that is there is no label.
    @inline(never)
    func avroLabel(_ model: Int) -> (value: Double, fault: String?) {
        let found = avro.scratch.registers.pointee.found
        guard let outcomes = batches[model].outcomes, found & AvroRegisters.label != 0 else { return (.nan, nil) }
        let isNumber = found & AvroRegisters.labelNumber != 0
        let text = found & AvroRegisters.labelText != 0 ? avro.scratch.kept(.label) : nil
        let value = text.map { outcomes.label($0, isNumber: isNumber) } ?? .nan
        return (value, value.isNaN ? outcomes.fault(text, isNumber: isNumber) : nil)
    }

    /// Hands the outcome of the event in the registers to its batch; a prediction's row is the batch's last.
    @inline(never)
    func takeAvroOutcome(_ model: Int, _ kind: EventKind, label: Double) {
        let batch = batches[model]
        let found = avro.scratch.registers.pointee.found
        guard let outcomes = batch.outcomes else { return }
        let id = found & AvroRegisters.identity != 0 ? outcomes.identity(avro.scratch.kept(.identity)) : 0
        if kind == .label {
            outcomes.append(label: label, id: id, time: Timestamp(microseconds: avro.scratch.registers.pointee.time))
        } else if found & AvroRegisters.prediction != 0 {
            let names = found & AvroRegisters.predicted != 0
            let predicted = names ? outcomes.classNumber(avro.scratch.kept(.predicted)) : -1
            var scores: [OutcomeRows.ClassScore] = []
            if found & AvroRegisters.scores != 0 {
                scores = avro.scratch.scores.map { .init(number: outcomes.classNumber($0.name.bytes), score: $0.score) }
            }
            outcomes.append(row: batch.count - 1, id: id, predicted: predicted, label: label, scores: scores)
        }
    }
}
