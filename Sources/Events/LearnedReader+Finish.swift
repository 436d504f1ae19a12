import Values

extension LearnedReader {
    /// Whether the event just read is one that counts, and if so gives its row the last touches; the general way knows why it does not.
    @inline(__always)
    func finish(_ defaults: TopicDefaults, _ latest: Timestamp?) -> Bool {
        let seen = state.pointee.seen
        guard seen & Part.timestamp != 0 else { return false }
        if let latest, state.pointee.time > latest { return false }
        let usual = Part.features | Part.prediction | Part.version
        let kind = state.pointee.kind ?? .prediction
        guard seen & (usual | Part.label) == usual, kind == .prediction, !state.pointee.hasNewName else {
            return finishUnusual(defaults) && takeLabel()
        }
        state.pointee.kind = .prediction
        return true
    }

    /// Takes the label in of an event that is fit to count otherwise; the general way knows why a value is none.
    private func takeLabel() -> Bool {
        let seen = state.pointee.seen
        let counts = state.pointee.kind == .label || seen & Part.prediction != 0
        guard counts, state.pointee.kind != .features, state.pointee.label.exists,
            let outcomes = collects[state.pointee.modelIndex]
        else { return true }
        state.pointee.labelValue = Self.label(state.pointee.label, outcomes, isFinal: false)
        return !state.pointee.labelValue.isNaN
    }

    @inline(never)
    private func finishUnusual(_ defaults: TopicDefaults) -> Bool {
        let seen = state.pointee.seen
        let hasFeatures = seen & Part.features != 0
        let hasPrediction = seen & Part.prediction != 0
        let hasLabel = seen & Part.label != 0
        let kind = state.pointee.kind ?? (hasLabel && !hasPrediction ? .label : .prediction)
        state.pointee.kind = kind
        switch kind {
        case .label: return hasLabel && seen & Part.id != 0
        case .features: guard hasFeatures else { return false }
        case .prediction: guard hasFeatures || hasPrediction else { return false }
        }
        guard !state.pointee.hasNewName else { return false }
        let tables = tables[state.pointee.modelIndex]
        if seen & Part.version == 0 {
            guard let name = defaults.version else {
                state.pointee.version = tables.unnamedVersion
                return blank(kind, tables, hasFeatures)
            }
            let number = tables.versions.find(name)
            guard number >= 0 else { return false }
            state.pointee.version = UInt16(number)
        }
        return blank(kind, tables, hasFeatures)
    }

    /// The row began as one with features and a prediction; takes back what the event cannot have.
    private func blank(_ kind: EventKind, _ tables: ModelTables, _ hasFeatures: Bool) -> Bool {
        guard kind == .features || !hasFeatures else { return true }
        let row = state.pointee
        switch tables.prediction {
        case .numeric(let column):
            let value = kind == .features ? Hole.absent.asDouble : row.numbers[column]
            if !hasFeatures { rows[row.modelIndex].pointee.blank(.nothing) }
            row.numbers[column] = value
        case .categorical(let column):
            let code = kind == .features ? Hole.absent.asCode : row.codes[column]
            if !hasFeatures { rows[row.modelIndex].pointee.blank(.nothing) }
            row.codes[column] = code
        case .ignored, nil:
            if !hasFeatures { rows[row.modelIndex].pointee.blank(.nothing) }
        }
        return true
    }

    /// Adds the event just finished to its batch and to what is counted.
    @inline(__always)
    func commit(_ source: UInt16, _ counters: EventCounters) {
        guard let kind = state.pointee.kind else { return }
        counters.kinds[kind.rawValue] &+= 1
        counters.fast.pointee &+= 1
        guard kind != .label else {
            if let outcomes = collects[state.pointee.modelIndex] { commitOutcome(outcomes, isLabel: true, row: 0) }
            return
        }
        counters.unknownKeys.pointee &+= state.pointee.unknownKeys
        let dimensions = state.pointee.graph.pointee.dimensions
        let rows = rows[state.pointee.modelIndex]
        for i in 0..<rows.pointee.segmentWidth {
            // The number that all values past the limit share.
            if Int32(state.pointee.segments[i]) == dimensions[i].overflowNumber { dimensions[i].overflowed &+= 1 }
        }
        if kind == .prediction, let outcomes = collects[state.pointee.modelIndex] {
            commitOutcome(outcomes, isLabel: false, row: rows.pointee.count)
        }
        rows.pointee.commit(state.pointee.time, source: source, version: state.pointee.version)
    }
}
