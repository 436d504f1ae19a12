import Detection
import Statistics
import Values

/// What an alert tells of itself: the numbers behind it, who drives them, what else is going on.
struct AlertEvidence {
    /// Segments named as drivers at most.
    static let maximumDrivers = 5
    /// Other alerts named at most.
    static let maximumOthers = 20

    let snapshot: Snapshot
    let sample: Sample?
    let row: SnapshotRow?

    init(_ snapshot: Snapshot, _ sample: Sample?) {
        self.snapshot = snapshot
        self.sample = sample
        row = sample?.row.map { snapshot.rows[$0] }
    }

    /// The variables of annotation templates.
    func scope(labels: [String: String], _ segment: Segment) -> TemplateScope {
        var scope = TemplateScope.labels(labels.merging(["segment": segment.description]) { own, _ in own })
        let before = sample?.metric.flatMap { row?.referenceMetrics[$0] } ?? .nan
        scope.variables["value"] = .number(sample?.value ?? .nan)
        scope.variables["threshold"] = .number(sample?.threshold ?? .nan)
        scope.variables["reference"] = .record(
            [
                "name": .string(snapshot.referenceName), "value": .number(before),
                "rows": .number(Double(row?.referenceN ?? 0)),
            ], shown: .string(snapshot.referenceName))
        scope.variables["window"] = .record(
            [
                "start": .time(snapshot.window.start), "end": .time(snapshot.window.end),
                "rows": .number(Double(row?.n ?? 0)), "reference_rows": .number(Double(row?.referenceN ?? 0)),
            ], shown: .string("\(snapshot.window.start.rfc3339) to \(snapshot.window.end.rfc3339)"))
        return scope
    }

    /// Who drives the shift of the row's column. Depends on column and version alone: worth keeping for the next alert.
    func attribution() -> AttributionReport? {
        row.map {
            Attribution.drivers(column: $0.column, version: $0.version, in: snapshot, limit: Self.maximumDrivers)
        }
    }

    /// The context object of a delivered alert (rules.md, section 3).
    func context(
        _ instance: AlertInstance, _ report: AttributionReport?, alsoFiring: [AlertInstance]
    ) -> JSON {
        let drivers = (report?.drivers ?? []).prefix(Self.maximumDrivers)
        let bins = row?.comparison.reference.count ?? 0
        let likely = row.flatMap { LikelyCause(row: $0, metric: sample?.metric, report: report).text }
        return .members(
            ("revision", .int(instance.revision)), ("value", sample.flatMap { finite($0.value) } ?? .null),
            ("threshold", sample?.threshold.flatMap(finite)),
            ("metric", sample?.metric.map { .string($0.inWords(bins: bins)) }),
            ("health", .string(instance.health.rawValue)),
            ("change_start", .time(instance.changeStart)),
            ("evidence", sample?.verdict.flatMap { evidence($0) }),
            ("window", window), ("reference", .string(snapshot.referenceName)), ("comparison", comparison),
            ("segments", row == nil ? nil : .array(drivers.map(Self.json))),
            ("cancellation", report?.cancellation.map { .number($0) }),
            ("also_firing", .array(alsoFiring.map { .string(Self.shortName($0)) })),
            ("likely", likely.map { .string($0) }), ("actions", .array([])))
    }

    /// What made a detector believe it; the effect is that since the change began, less what chance explains.
    private func evidence(_ verdict: StreamVerdict) -> JSON? {
        guard verdict.isOpen else { return nil }
        return .members(
            ("ln_e", .number(verdict.logR)), ("ln_threshold", .number(verdict.limit)),
            ("effect", .number(verdict.effect)))
    }

    private func finite(_ value: Double) -> JSON? { value.isFinite ? .number(value) : nil }

    private var window: JSON {
        .members(
            ("start", .time(snapshot.window.start)), ("end", .time(snapshot.window.end)),
            ("rows", row.map { .integer(Int64(clamping: $0.n)) }),
            ("reference_rows", row.map { .integer(Int64(clamping: $0.referenceN)) }))
    }

    /// Both histograms as shares, so that they can be drawn over each other.
    private var comparison: JSON? {
        guard let row else { return nil }
        let c = row.comparison
        let isNumeric = c.categories.isEmpty
        return .members(
            ("edges", isNumeric ? .numbers(c.edges) : nil),
            ("categories", isNumeric ? nil : .array(c.categories.map { .string($0) })),
            ("reference", .numbers(Self.shares(c.reference))), ("current", .numbers(Self.shares(c.current))),
            (
                "null",
                .numbers([
                    Self.share(c.referenceNulls, of: c.reference), Self.share(c.currentNulls, of: c.current),
                ])
            ), ("quantiles", quantiles(row)))
    }

    private func quantiles(_ row: SnapshotRow) -> JSON? {
        let pairs = [Metric.p05, .p50, .p95].compactMap { metric -> JSON.Member? in
            guard let before = row.referenceMetrics[metric], let now = row.metrics[metric] else { return nil }
            return JSON.Member(metric.name, .numbers([before, now]))
        }
        return pairs.isEmpty ? nil : .object(pairs)
    }

    private static func shares(_ counts: [UInt64]) -> [Double] {
        let total = Double(counts.reduce(0, &+))
        return counts.map { total > 0 ? Double($0) / total : 0 }
    }

    private static func share(_ nulls: UInt64, of counts: [UInt64]) -> Double {
        let total = Double(counts.reduce(nulls, &+))
        return total > 0 ? Double(nulls) / total : 0
    }

    private static func json(_ driver: Driver) -> JSON {
        .members(
            ("segment", driver.segment.json), ("share", .number(driver.share)), ("mix", .number(driver.mix)),
            ("within", .number(driver.within)), ("se", .number(driver.standardError)))
    }

    /// `FeatureDrift/age`, `FeatureDrift/age (country=BR)`.
    private static func shortName(_ instance: AlertInstance) -> String {
        let column = instance.labels["column"].map { "/\($0)" } ?? ""
        let segment = instance.segment.isAll ? "" : " (\(instance.segment))"
        return instance.rule + column + segment
    }
}
