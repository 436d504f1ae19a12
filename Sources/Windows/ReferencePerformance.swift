package import Events
package import Sketches
package import Statistics
import Values

/// The performance of a reference's labelled rows.
package enum ReferencePerformance {
    /// - Parameters:
    ///   - settings: the model's, where the caller has a configuration; otherwise what the rows look like.
    ///   - calendar: of the model, which says what a weekend is.
    /// - Returns: `nil` where no row has a label that can be compared with its prediction.
    package static func build(
        _ table: DataTable, _ reference: Reference, _ settings: PerformanceSettings?,
        calendar: WindowCalendar = .utc
    ) -> PerformanceReference? {
        guard let labels = table.label, let chosen = settings ?? guess(table, labels) else { return nil }
        let vocabulary = chosen.vocabulary
        let rows = (0..<table.count).map { outcome($0, table, labels, chosen, vocabulary) }
        guard rows.contains(where: { $0 != nil }) else { return nil }
        var exponent = chosen.exponent
        if let index = reference.layout.index(of: ModelSchema.predictionColumn),
            case .numeric(_, let own) = reference.layout.columns[index].bins
        {
            exponent = own
        }
        var groups: [Segment: PerformanceSketch] = [:]
        var parts: [Segment: [WeekPart: PerformanceSketch]] = [:]
        var members: [Segment: [Int32]] = [:]
        let known = Set(reference.groups.map(\.segment))
        let crosses = reference.segmentations.map { names in names.map { table.segment($0) ?? table.feature($0) } }
        for (row, outcome) in rows.enumerated() {
            guard let outcome else { continue }
            var segments = [Segment.all]
            for (names, columns) in zip(reference.segmentations, crosses) {
                let parts = zip(names, columns).compactMap { name, column in
                    column?.category(row).map { Segment.Part(name, $0) }
                }
                if parts.count == names.count { segments.append(Segment(parts)) }
            }
            let empty = PerformanceSketch(chosen.task, exponent: exponent)
            let part = row < table.times.count ? WeekPart(ofHour: calendar.weekHour(of: table.times[row])) : nil
            for segment in segments where known.contains(segment) {
                members[segment, default: []].append(Int32(row))
                groups[segment, default: empty].add(reference: outcome)
                if let part { parts[segment, default: [:]][part, default: empty].add(reference: outcome) }
                if case .classes(let predicted, let label) = outcome.outcome, let scores = table.classScores,
                    row < scores.count
                {
                    groups[segment]?.classScores.add(scores[row], chosen: predicted, label: label)
                }
            }
        }
        let builder = PerformanceWobbleBuilder(table.times, rows, calendar)
        let seasons = PerformanceReference.seasonal(parts)
        var wobbles: [Segment: PerformanceWobble] = [:]
        for (segment, rows) in members {
            wobbles[segment] = builder?.wobble(
                rows, PerformanceSketch(chosen.task, exponent: exponent), isByPart: seasons[segment] != nil)
        }
        var errors: ErrorCurve?
        if chosen.task == .regression {
            errors = ErrorCurve(
                rows.compactMap { outcome in
                    guard case .regression(let value, let label) = outcome?.outcome, value.isFinite else { return nil }
                    return (value, label)
                })
        }
        return PerformanceReference(
            task: chosen.task, basis: basis(table, labels, chosen, isGuessed: settings == nil), groups: groups,
            seasons: seasons, wobbles: wobbles, errors: errors)
    }

    private static func basis(
        _ table: DataTable, _ labels: DataTable.Column, _ settings: PerformanceSettings, isGuessed: Bool
    ) -> PerformanceBasis {
        guard settings.task == .binary else {
            return PerformanceBasis(positives: [], labels: [], threshold: nil, isGuessed: isGuessed)
        }
        let classes = classes(labels, atMost: PerformanceBasis.maximumLabels)
        let isNamed = (0..<table.count).contains { table.predictedClass?.category($0) != nil }
        return PerformanceBasis(
            positives: settings.positives, labels: classes?.sorted() ?? [],
            threshold: isNamed ? nil : settings.threshold, isGuessed: isGuessed)
    }

    /// - Returns: `nil` where there are more.
    private static func classes(_ labels: DataTable.Column, atMost limit: Int) -> Set<String>? {
        var classes: Set<String> = []
        for row in 0..<labels.count {
            guard let name = labels.category(row) else { continue }
            classes.insert(name)
            if classes.count > limit { return nil }
        }
        return classes
    }

    private static func guess(_ table: DataTable, _ labels: DataTable.Column) -> PerformanceSettings? {
        guard let prediction = table.prediction else { return nil }
        guard prediction.looksNumeric else { return PerformanceSettings(task: .multiclass) }
        // Words are classes, however many.
        guard labels.looksNumeric else { return PerformanceSettings(task: .binary) }
        let classes = classes(labels, atMost: PerformanceBasis.maximumLabels)?.map(LabelVocabulary.meaning)
        return PerformanceSettings(task: classes.map { Set($0).count <= 2 } ?? false ? .binary : .regression)
    }

    private static func outcome(
        _ row: Int, _ table: DataTable, _ labels: DataTable.Column, _ settings: PerformanceSettings,
        _ vocabulary: LabelVocabulary
    ) -> PerformancePair? {
        guard let label = labels.category(row) else { return nil }
        var score: Double?
        if let column = table.prediction, case .number(let value) = column[row] { score = value }
        let predicted = table.predictedClass?.category(row)
        switch settings.task {
        case .binary:
            let called = predicted.map { vocabulary.isPositive($0) } ?? score.map { $0 >= settings.threshold }
            return PerformancePair(
                .binary(score: score, predicted: called, label: vocabulary.isPositive(label)), delay: .zero)
        case .multiclass:
            guard let predicted = predicted ?? table.prediction?.category(row) else { return nil }
            return PerformancePair(.classes(predicted: predicted, label: label), delay: .zero)
        case .regression:
            guard case .number(let value) = labels[row], let score else { return nil }
            return PerformancePair(.regression(value: score, label: value), delay: .zero)
        // The rows of a table do not say which query they belong to.
        case .ranking: return nil
        }
    }
}

extension PerformanceSketch {
    /// A reference's row: a prediction and its label at once, whose delay nobody knows.
    mutating func add(reference pair: PerformancePair) {
        var score: Double?
        switch pair.outcome {
        case .binary(let value, _, _): score = value
        case .regression(let value, _): score = value
        case .classes, .ranking: break
        }
        add(prediction: score)
        add(pair, delayed: false)
    }
}
