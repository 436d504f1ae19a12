import Detection
import Statistics
import Values
import Windows

/// What is concluded from mature windows, one after the other: whether a model's concept has changed, and how its versions fare
/// against each other. A value, stored with the model's windows.
struct PerformanceJudge: Codable, Equatable {
    private var concept = ConceptWatch()
    private var ddm = DDM()
    private var pageHinkley = PageHinkley()
    private var adwin = ADWIN()
    private var versions = VersionComparison()
    /// End of the last window whose rows were counted as evidence; absent in states of older programs.
    private var counted: Timestamp?
    /// Whether the error detectors found a change in it.
    private var found: Bool?

    /// The time in which one false alarm is allowed.
    private static let budgetSeconds = Span.days(30).seconds

    /// Takes a window that may be judged now, and puts what it says into its lines.
    ///
    /// Rows are evidence once: a window that overlaps the last one counted is told what is known, and adds nothing.
    ///
    /// - Parameter part: the part of the week in which the window lies, if it is one.
    mutating func judge(
        _ rows: inout [SnapshotRow], _ window: TimeRange, every: Span, _ settings: PerformanceSettings,
        _ reference: PerformanceReference?, part: WeekPart?
    ) {
        let isNew = counted.map { window.start >= $0 } ?? true
        if isNew { counted = window.end }
        if settings.drift == .sequential {
            if let reference { watch(&rows, window, max(every, window.length), reference, part, isNew: isNew) }
        } else {
            detect(&rows, settings.drift, isNew: isNew)
        }
        compare(&rows, isNew: isNew)
    }

    private mutating func watch(
        _ rows: inout [SnapshotRow], _ window: TimeRange, _ every: Span, _ reference: PerformanceReference,
        _ part: WeekPart?, isNew: Bool
    ) {
        let segments = rows.compactMap { row -> (segment: Segment, sketch: PerformanceSketch)? in
            guard row.version == SnapshotRow.allVersions, let detail = row.performance else { return nil }
            return (row.segment, detail.sketch)
        }
        let windows = Self.budgetSeconds / max(1, every.seconds)
        let verdicts =
            isNew
            ? concept.observe(window, segments, reference: reference, part: part, windows: windows)
            : concept.standing(segments.map(\.segment), reference: reference, windows: windows)
        for i in rows.indices where rows[i].version == SnapshotRow.allVersions {
            guard let verdict = verdicts[rows[i].segment] else { continue }
            rows[i].metrics[.concept_drift] = verdict.isOpen ? 1 : 0
            if verdict.isOpen {
                rows[i].performance?.change = PerformanceChange(
                    statistic: verdict.statistic.rawValue, effect: verdict.effect, evidence: verdict.evidence,
                    limit: verdict.limit, since: verdict.since)
            }
            rows[i].performance?.drift = .members(
                ("method", "sequential"), ("open", .bool(verdict.isOpen)),
                ("statistic", .string(verdict.statistic.rawValue)), ("effect", .number(verdict.effect)),
                ("evidence", verdict.evidence > -1e299 ? .number(verdict.evidence) : nil),
                ("limit", .number(verdict.limit)),
                ("since", verdict.since.map { .time($0) }), ("explained_by", verdict.explainedBy?.json))
        }
    }

    private mutating func detect(_ rows: inout [SnapshotRow], _ method: DriftMethod, isNew: Bool) {
        guard let i = rows.firstIndex(where: { $0.version == SnapshotRow.allVersions && $0.segment.isAll }),
            let counts = rows[i].performance?.sketch.errorCounts
        else { return }
        if isNew {
            found =
                switch method {
                case .ddm: ddm.add(errors: counts.errors, of: counts.rows)
                case .page_hinkley: pageHinkley.add(errors: counts.errors, of: counts.rows)
                case .adwin: adwin.add(errors: counts.errors, of: counts.rows)
                case .sequential: false
                }
        }
        let found = self.found ?? false
        rows[i].metrics[.concept_drift] = found ? 1 : 0
        rows[i].performance?.drift = .members(("method", .string(method.rawValue)), ("open", .bool(found)))
    }

    private mutating func compare(_ rows: inout [SnapshotRow], isNew: Bool) {
        let own = rows.indices.filter { rows[$0].version != SnapshotRow.allVersions && rows[$0].segment.isAll }
        let counts = own.compactMap { i in
            rows[i].performance?.sketch.errorCounts.map { (version: rows[i].version, errors: $0.errors, rows: $0.rows) }
        }
        for verdict in isNew ? versions.observe(counts) : versions.standing(counts.map(\.version)) {
            guard let i = own.first(where: { rows[$0].version == verdict.version }) else { continue }
            rows[i].performance?.comparison = .members(
                ("against", .string(verdict.against)), ("metric", "accuracy"),
                ("difference", .number(verdict.difference)),
                ("low", .number(verdict.interval.lowerBound)), ("high", .number(verdict.interval.upperBound)),
                ("rows", .number(verdict.rows)), ("rows_against", .number(verdict.rowsAgainst)),
                ("verdict", .string(verdict.conclusion)))
        }
    }
}
