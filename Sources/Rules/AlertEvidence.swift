import Detection
import Statistics
import Values

/// What one alert can say of its own row: the variables of its templates, and its context object.
struct AlertEvidence {
    /// Other alerts named at most.
    static let maximumOthers = 20
    /// Categories shown at most; beyond, the small ones are added together.
    static let maximumCategories = 40

    let snapshot: Snapshot
    let sample: Sample?
    let row: SnapshotRow?

    init(_ snapshot: Snapshot, _ sample: Sample?) {
        self.snapshot = snapshot
        self.sample = sample
        row = sample?.row.map { snapshot.rows[$0] }
    }

    /// The variables of annotation templates.
    /// - Parameter since: start of the change.
    func scope(labels: [String: String], _ segment: Segment, since: Timestamp) -> TemplateScope {
        var scope = TemplateScope.labels(labels.merging(["segment": segment.description]) { own, _ in own })
        let before = sample?.metric.flatMap { row?.referenceMetrics[$0] }
        scope.variables["value"] = .number(orAbsent: sample?.value)
        scope.variables["threshold"] = .number(orAbsent: sample?.threshold)
        scope.variables["since"] = .time(since)
        scope.variables["stuck"] = .string(row?.stuck?.inWords ?? "")
        scope.variables["figure"] = .string(
            performance.map { $0.figure?.inWords ?? "its performance has changed" } ?? "")
        scope.variables["parts"] = .string(parts)
        scope.variables["types"] = .string(row?.field?.types.joined(separator: " or ") ?? "")
        scope.variables["reference"] = .record(
            [
                "name": .string(snapshot.referenceName), "value": .number(orAbsent: before),
                "rows": .number(Double(row?.referenceN ?? 0)),
            ], shown: .string(snapshot.referenceName))
        scope.variables["window"] = .record(
            [
                "start": .time(snapshot.window.start), "end": .time(snapshot.window.end),
                "rows": .number(Double(row?.n ?? 0)), "reference_rows": .number(Double(row?.referenceN ?? 0)),
            ], shown: .string("\(snapshot.window.start.rfc3339) to \(snapshot.window.end.rfc3339)"))
        return scope
    }

    /// Whose number the value is, where the alert stands for those of several segments.
    private var parts: String {
        guard let verdict = sample?.verdict, let leading = verdict.leading else { return "" }
        let count = verdict.together.count
        guard count > 1 else { return " (of \(leading))" }
        return
            " (of \(leading), the clearest of \(count < TargetDetector.mostNamed ? "" : "at least ")\(count) segments)"
    }

    /// What was found beyond the row itself.
    struct Findings {
        var report: AttributionReport?
        var correlated: [Clue] = []
        var likely: String?
        var alsoFiring: [AlertInstance] = []
        var significance: Significance?
    }

    /// The context object of a delivered alert (rules.md, section 3), but for `links`, which only the service knows.
    func context(_ instance: AlertInstance, _ findings: Findings) -> JSON {
        let bins = row?.comparison.reference.count ?? 0
        let noise = noise
        return .members(
            ("revision", .int(instance.revision)), ("value", sample.flatMap { finite($0.value) } ?? .null),
            ("interval", noise.interval.map { .array([.rounded($0.lowerBound), .rounded($0.upperBound)]) }),
            ("threshold", sample?.threshold.flatMap(finite)),
            ("metric", sample?.metric.map { .string($0.inWords(bins: bins, snapshot.smoothing)) }),
            ("health", .string(instance.health.rawValue)),
            ("change_start", .time(instance.changeStart)),
            ("window", window), ("reference", .string(reference)),
            ("evidence", evidence(findings.significance)), ("by_chance", byChance(noise)), ("comparison", comparison),
            ("figure", performance?.figure?.json),
            ("segments", row == nil ? nil : .array((findings.report?.drivers ?? []).map(Self.json))),
            ("cancellation", findings.report?.cancellation.map { .rounded($0) }),
            ("correlated", .array(findings.correlated.map(\.json))),
            ("also_firing", .array(findings.alsoFiring.map { .string(Self.shortName($0)) })),
            ("likely", findings.likely.map { .string($0) }), ("actions", .array([])),
            ("cause", instance.cause.map { .string($0.id) }))
    }

    /// Of a row that tells of performance.
    private var performance: PerformanceClues? {
        row.flatMap { $0.column == SnapshotRow.performanceColumn ? PerformanceClues(row: $0) : nil }
    }

    private func finite(_ value: Double) -> JSON? { value.isFinite ? .number(value) : nil }

    /// Only where the rule looks at a metric as it is: what sampling does to a computed value is not known.
    private var noise: SamplingNoise {
        guard let row, let metric = sample?.metric, row.metrics[metric] == sample?.value else { return .none }
        return SamplingNoise(metric, in: row)
    }

    private func byChance(_ noise: SamplingNoise) -> JSON? {
        guard noise.expected != nil || noise.upper != nil else { return nil }
        return .members(("expected", noise.expected.map { .rounded($0) }), ("p95", noise.upper.map { .rounded($0) }))
    }

    /// What makes the distance believable, and the level it had to pass.
    private func evidence(_ significance: Significance?) -> JSON? {
        if let verdict = sample?.verdict, verdict.isOpen {
            // The effect is that since the change began, less what chance explains.
            return .members(
                ("ln_e", .rounded(verdict.logR)), ("ln_threshold", .rounded(verdict.limit)),
                ("effect", .rounded(verdict.effect)),
                ("of", verdict.leading.map(\.json)),
                ("segments", verdict.together.isEmpty ? nil : .array(verdict.together.map(\.json))))
        }
        if sample?.metric == .concept_drift { return performance?.evidence }
        guard let p = sample?.p, sample?.isUnjudged == false else { return nil }
        switch significance {
        case .p(let level): return .members(("p", .number(p)), ("level", .number(level)))
        case .fdr(let rate): return .members(("p", .number(p)), ("false_discovery_rate", .number(rate)))
        default: return .members(("p", .number(p)))
        }
    }

    private var window: JSON {
        .members(
            ("start", .time(snapshot.window.start)), ("end", .time(snapshot.window.end)),
            ("rows", row.map { .integer(Int64(clamping: $0.n)) }),
            ("reference_rows", row.map { .integer(Int64(clamping: $0.referenceN)) }))
    }

    /// What the row is compared with, in words.
    private var reference: String {
        guard let row, !row.segment.isAll else { return snapshot.referenceName }
        guard row.referenceSegment != row.segment else { return "\(snapshot.referenceName), \(row.segment)" }
        return "\(snapshot.referenceName), \(row.referenceSegment) (too few rows of \(row.segment))"
    }
}

extension AlertEvidence {
    /// Both histograms as shares, so that they can be drawn over each other.
    private var comparison: JSON? {
        if let performance { return performance.comparison }
        // A volume is one number: as the share of itself it would be whole before and now.
        guard let row, row.column != SnapshotRow.volumeColumn else { return nil }
        let c = row.comparison
        let isNumeric = c.categories.isEmpty
        let shown = isNumeric ? (c.categories, c.reference, c.current) : Self.largest(c)
        return .members(
            ("edges", isNumeric ? .numbers(c.edges) : nil),
            ("categories", isNumeric ? nil : .array(shown.0.map { .string($0) })),
            ("reference", .array(Self.shares(shown.1))), ("current", .array(Self.shares(shown.2))),
            (
                "null",
                .array([Self.share(c.referenceNulls, of: c.reference), Self.share(c.currentNulls, of: c.current)])
            ), ("quantiles", quantiles(row)))
    }

    /// The largest categories in their order, the rest together, unseen values last as ever.
    private static func largest(_ c: Comparison) -> ([String], [UInt64], [UInt64]) {
        let count = c.categories.count
        guard count > maximumCategories else { return (c.categories, c.reference, c.current) }
        func weight(_ i: Int) -> UInt64 { max(c.reference[i], c.current[i]) }
        let kept = (0..<count - 1).sorted { weight($0) != weight($1) ? weight($0) > weight($1) : $0 < $1 }
            .prefix(maximumCategories - 2).sorted()
        func fold(_ counts: [UInt64]) -> [UInt64] {
            let own = kept.map { counts[$0] }
            let rest = counts.dropLast().reduce(0, &+) &- own.reduce(0, &+)
            return own + [rest, counts[count - 1]]
        }
        return (
            kept.map { c.categories[$0] } + ["(\(count - 1 - kept.count) others)", c.categories[count - 1]],
            fold(c.reference), fold(c.current)
        )
    }

    private func quantiles(_ row: SnapshotRow) -> JSON? {
        let pairs = [Metric.p05, .p25, .p50, .p75, .p95].compactMap { metric -> JSON.Member? in
            guard let before = row.referenceMetrics[metric], let now = row.metrics[metric] else { return nil }
            return JSON.Member(metric.name, .array([.rounded(before), .rounded(now)]))
        }
        return pairs.isEmpty ? nil : .object(pairs)
    }

    private static func shares(_ counts: [UInt64]) -> [JSON] {
        let total = Double(counts.reduce(0, &+))
        return counts.map { .rounded(total > 0 ? Double($0) / total : 0) }
    }

    private static func share(_ nulls: UInt64, of counts: [UInt64]) -> JSON {
        let total = Double(counts.reduce(nulls, &+))
        return .rounded(total > 0 ? Double(nulls) / total : 0)
    }

    private static func json(_ driver: Driver) -> JSON {
        .members(
            ("segment", driver.segment.json), ("share", .rounded(driver.share)), ("mix", .rounded(driver.mix)),
            ("within", .rounded(driver.within)), ("se", .rounded(driver.standardError)))
    }

    /// `FeatureDrift/age`, `FeatureDrift/age (country=BR)`.
    private static func shortName(_ instance: AlertInstance) -> String {
        let column = instance.labels["column"].map { "/\($0)" } ?? ""
        let segment = instance.segment.isAll ? "" : " (\(instance.segment))"
        return instance.rule + column + segment
    }
}
