package import Values

/// What the labelled rows of a reference were counted by.
package struct PerformanceBasis: Sendable, Hashable {
    /// Spellings of the positive class, of a binary model.
    package let positives: [String]
    /// The classes that labels had, ascending; empty where there are too many to be classes.
    package let labels: [String]
    /// From where on a score was called positive; `nil` where rows named their class.
    package let threshold: Double?
    /// No configuration said so: it is what the rows looked like.
    package let isGuessed: Bool

    /// Past this many, labels are no classes.
    package static let maximumLabels = 100

    package init(positives: [String], labels: [String], threshold: Double?, isGuessed: Bool) {
        self.positives = positives
        self.labels = labels
        self.threshold = threshold
        self.isGuessed = isGuessed
    }
}

/// What a segment's labelled rows in one window are held against.
package struct PerformanceBaseline: Sendable, Hashable {
    /// Of the reference, like with like.
    package let sketch: PerformanceSketch
    /// How much such windows differ although nothing is wrong, and how many of them the reference is worth; 0 where unknown.
    package let wobble: PerformanceWobble.Figures
    package let windows: Double

    package init(_ sketch: PerformanceSketch, wobble: PerformanceWobble.Figures = .init(), windows: Double = 0) {
        self.sketch = sketch
        self.wobble = wobble
        self.windows = windows
    }
}

/// How the model did on the labelled rows of its reference: what windows are compared with, and what estimates are calibrated on.
package struct PerformanceReference: Sendable {
    package let task: PerformanceTask
    /// `nil` in references of older programs.
    package let basis: PerformanceBasis?
    /// By segment; `.all` always.
    package let groups: [Segment: PerformanceSketch]
    /// The same rows apart by the part of the week, of groups with which the model does differently at weekends.
    package let seasons: [Segment: [WeekPart: PerformanceSketch]]
    /// How much spans of time differ, by segment; those that do not are absent.
    package let wobbles: [Segment: PerformanceWobble]
    /// Of a regression model.
    package let errors: ErrorCurve?
    /// Of a binary model.
    private let calibrations: [Segment: Calibration]
    /// Of a model of many classes, where its rows have a score of each.
    private let classCalibrations: [Segment: ClassCalibration]
    private let metrics: [Segment: MetricValues]

    /// Labelled rows a segment needs for a calibration of its own, and of each class.
    private static let ownRows: Int64 = 1_000
    private static let ownPositives: Int64 = 50

    package init(
        task: PerformanceTask, basis: PerformanceBasis? = nil, groups: [Segment: PerformanceSketch],
        seasons: [Segment: [WeekPart: PerformanceSketch]] = [:], wobbles: [Segment: PerformanceWobble] = [:],
        errors: ErrorCurve?
    ) {
        self.task = task
        self.basis = basis
        self.wobbles = wobbles
        self.seasons = seasons
        self.groups = groups
        self.errors = errors
        metrics = groups.mapValues(\.metrics)
        classCalibrations = groups.compactMapValues { sketch in
            sketch.labelled >= Self.ownRows ? ClassCalibration(sketch.classScores) : nil
        }.merging(groups[.all].flatMap { ClassCalibration($0.classScores) }.map { [.all: $0] } ?? [:]) { own, _ in own }
        calibrations = groups.compactMapValues { sketch in
            guard sketch.labelled >= Self.ownRows, sketch.positives >= Self.ownPositives,
                sketch.labelled - sketch.positives >= Self.ownPositives
            else { return nil }
            return Calibration(sketch.scores)
        }.merging(groups[.all].flatMap { Calibration($0.scores) }.map { [.all: $0] } ?? [:]) { own, _ in own }
    }

    /// The same with scores called positive from another threshold on. How much days differ is known of the old one alone, and is the best guess
    /// for the new.
    package func judged(by threshold: Double) -> PerformanceReference {
        PerformanceReference(
            task: task,
            basis: basis.map {
                PerformanceBasis(
                    positives: $0.positives, labels: $0.labels, threshold: threshold, isGuessed: $0.isGuessed)
            },
            groups: groups.mapValues { $0.judged(by: threshold) },
            seasons: seasons.mapValues { $0.mapValues { $0.judged(by: threshold) } }, wobbles: wobbles, errors: errors)
    }

    /// The segment of the reference that a segment is compared with: itself with at least 30 labelled rows, else all traffic.
    package func comparison(for segment: Segment) -> (segment: Segment, sketch: PerformanceSketch)? {
        if let own = groups[segment], own.labelled >= 30 { return (segment, own) }
        return groups[.all].map { (.all, $0) }
    }

    /// What a window of this part of the week is held against, like with like: the segment's rows of the same part where it has them
    /// apart, else all its rows, else all traffic's.
    package func alike(_ segment: Segment, in part: WeekPart?) -> PerformanceSketch? {
        guard let own = groups[segment] else { return part.flatMap { seasons[.all]?[$0] } ?? groups[.all] }
        return part.flatMap { seasons[segment]?[$0] } ?? own
    }

    /// What a segment's windows of a length are held against; `nil` where there is nothing.
    package func baseline(_ segment: Segment, window: Span, in part: WeekPart?) -> PerformanceBaseline? {
        alike(segment, in: part).map { sketch in
            let (figures, windows) = wobble(segment, window: window)
            // A part of the week is as many of the windows as it has of the rows.
            let all = (groups[segment] ?? groups[.all])?.labelled ?? 0
            let share = all > 0 ? Double(sketch.labelled) / Double(all) : 1
            return PerformanceBaseline(sketch, wobble: figures, windows: windows * min(1, share))
        }
    }

    package func metrics(of segment: Segment) -> MetricValues { metrics[segment] ?? MetricValues() }

    /// What can be said of rows before their labels come.
    package func estimates(
        _ window: PerformanceSketch, segment: Segment, threshold: Double
    ) -> [PerformanceEstimate] {
        switch task {
        case .binary:
            let chosen = calibrations[segment] == nil ? .all : segment
            guard let calibration = calibrations[chosen], let reference = groups[chosen] else { return [] }
            return calibration.estimates(window.scores, threshold: threshold, reference: reference)
        case .regression: return errors?.estimates(window.scores) ?? []
        case .multiclass:
            let chosen = classCalibrations[segment] == nil ? .all : segment
            guard let calibration = classCalibrations[chosen], let reference = groups[chosen] else { return [] }
            return calibration.estimates(window.classScores, reference: reference.classes)
        case .ranking: return []
        }
    }
}
