import Values

/// Identities and labels of events that take the general way.
extension EventDecoder {
    /// Why an event's label is none that its model can have; `nil` where it is one, or nobody asks.
    func labelFault(_ message: UnsafeRawBufferPointer, _ parts: EventParts, model: Int) -> String? {
        guard let outcomes = batches[model].outcomes, let label = parts.label,
            outcomes.label(message, label, parts.labelRange).isNaN
        else { return nil }
        return outcomes.fault(message, label, parts.labelRange)
    }

    /// Notes a label event of a model whose performance is watched.
    func takeLabel(_ message: UnsafeRawBufferPointer, _ parts: EventParts, model: Int, time: Timestamp) {
        guard let outcomes = batches[model].outcomes, let id = Self.identity(message, parts.id, outcomes) else {
            return
        }
        outcomes.append(label: outcomes.label(message, parts.label, parts.labelRange), id: id, time: time)
    }

    /// Notes what a prediction brings for the join: the row it has just become is its batch's last.
    func takeOutcome(_ message: UnsafeRawBufferPointer, _ parts: EventParts, model: Int) {
        let batch = batches[model]
        guard let outcomes = batch.outcomes, parts.prediction != nil else { return }
        var predicted: Int32 = -1
        var scores: [OutcomeRows.ClassScore] = []
        switch (parts.prediction, models[model].tables.prediction) {
        case (.object(let range), .numeric), (.object(let range), .categorical):
            let found = PredictionParts(message, range)
            var part = found.label
            if case .categorical = models[model].tables.prediction {
                part = part ?? found.bestClass
                if let all = found.scores {
                    PredictionParts.each(message, all) { name, score in
                        let number = JSONText.withUnescaped(message, name) { outcomes.classNumber($0) }
                        scores.append(.init(number: number, score: score))
                    }
                }
            }
            if let part { predicted = outcomes.classNumber(message, part.value, part.raw) }
        case (.text(let text), .categorical):
            predicted = JSONText.withUnescaped(message, text) { outcomes.classNumber($0) }
        case (.number(let range), .categorical):
            predicted = JSONText.withCanonicalNumber(message, range) { outcomes.classNumber($0) }
        default: break
        }
        let label = parts.label.map { outcomes.label(message, $0, parts.labelRange) } ?? .nan
        outcomes.append(
            row: batch.count - 1, id: Self.identity(message, parts.id, outcomes) ?? 0, predicted: predicted,
            label: label,
            scores: scores)
    }

    private static func identity(
        _ message: UnsafeRawBufferPointer, _ id: EventParts.Value?, _ outcomes: OutcomeRows
    ) -> UInt64? {
        switch id {
        case .text(let text): JSONText.withUnescaped(message, text) { outcomes.identity($0) }
        case .number(let range): outcomes.identity(UnsafeRawBufferPointer(rebasing: message[range]))
        default: nil
        }
    }
}
