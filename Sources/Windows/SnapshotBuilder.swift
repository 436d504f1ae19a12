package import Sketches
package import Statistics
package import Values

/// Turns the merged counts of a window into its snapshot.
package struct SnapshotBuilder: Sendable {
    let reference: Reference
    private let plans: GroupPlans
    private let smoothing: Smoothing
    private let calendar: WindowCalendar
    package let referenceName: String
    /// What the reference says of each segment it knows, by column, in the bins the segment counts in.
    private let columns: [Segment: [ColumnProfile]]
    private let descriptions: [Segment: [MetricValues]]

    package init(
        reference: Reference, plans: GroupPlans, smoothing: Smoothing, calendar: WindowCalendar = .utc
    ) {
        self.calendar = calendar
        self.reference = reference
        self.plans = plans
        self.smoothing = smoothing
        var columns: [Segment: [ColumnProfile]] = [:]
        var descriptions: [Segment: [MetricValues]] = [:]
        for group in reference.groups {
            let plan = plans.plan(for: group.segment)
            let profile = plan.coarsened(group.profile, reference.layout)
            let profiles = plan.layout.columns.map { profile.column($0) }
            columns[group.segment] = profiles
            descriptions[group.segment] = zip(plan.layout.columns, profiles).map {
                columnDescription(column: $0, profile: $1)
            }
        }
        self.columns = columns
        self.descriptions = descriptions
        referenceName = reference.model + (reference.version.map { " \($0)" } ?? "") + " reference"
    }

    /// - Parameters:
    ///   - seen: how far time has come, where the input ended before the window: rows are expected until then only.
    ///   - against: another reference than the file's, with its name.
    package func snapshot(
        model: String, window: TimeRange, seen: Timestamp? = nil, revision: Int, counts: WindowCounts,
        against: (counts: ReferenceCounts, name: String)? = nil
    ) -> Snapshot {
        let versions = Set(counts.keys.map(\.version)).sorted()
        var together: [Segment: Profile] = [:]
        for (key, profile) in counts {
            if together[key.segment] == nil {
                together[key.segment] = profile
            } else {
                together[key.segment]?.merge(profile)
            }
        }
        if together[.all] == nil { together[.all] = Profile(plans.all.layout) }
        let covered = TimeRange(start: window.start, end: max(window.start, seen ?? window.end))
        let basis = Basis(moving: against?.counts, covered: calendar.weekHours(of: covered), length: window.length)
        var rows = rows(version: SnapshotRow.allVersions, together, basis)
        for version in versions {
            if versions.count == 1 {
                rows += rows.map { $0.relabelled(version: version) }
            } else {
                let own = counts.filter { $0.key.version == version }
                rows += self.rows(
                    version: version, Dictionary(uniqueKeysWithValues: own.map { ($0.key.segment, $0.value) }), basis)
            }
        }
        if basis.moving == nil {
            rows += volume(together, basis.covered)
            rows += unlisted(together, counts, versions)
        }
        var snapshot = Snapshot(
            model: model, window: window, revision: revision, versions: versions,
            referenceName: against?.name ?? referenceName, rows: rows)
        snapshot.smoothing = smoothing
        return snapshot
    }

    /// What a window's rows are compared with.
    private struct Basis {
        /// `nil` for the reference file.
        let moving: ReferenceCounts?
        /// Share of each hour of the week that the window covers.
        let covered: [Double]
        let length: Span
    }

    private func rows(version: String, _ profiles: [Segment: Profile], _ basis: Basis) -> [SnapshotRow] {
        profiles.sorted { $0.key < $1.key }.flatMap { segment, profile in
            let plan = plans.plan(for: segment)
            let compared: Segment
            let before: [ColumnProfile]?
            if let moving = basis.moving {
                (compared, before) = moving.columns(for: segment)
            } else {
                compared = reference.comparisonGroup(for: segment).segment
                before = columns[compared]
            }
            return plan.layout.columns.indices.map {
                row(version: version, segment, $0, profile, plan, (compared, before?[$0]), basis)
            }
        }
    }

    private func row(
        version: String, _ segment: Segment, _ index: Int, _ profile: Profile, _ plan: GroupPlan,
        _ reference: (segment: Segment, column: ColumnProfile?), _ basis: Basis
    ) -> SnapshotRow {
        let column = plan.layout.columns[index]
        let current = profile.column(column)
        let nothing = ColumnProfile(
            bins: [UInt64](repeating: 0, count: column.bins.count), moments: column.momentsIndex.map { _ in Moments() })
        // A column that is itself a dimension has one value in its segment: a parent's reference would call that drift for ever.
        let compared = reference.segment
        let isOwnDimension = compared != segment && segment[column.name] != nil
        let before = isOwnDimension ? nothing : reference.column ?? nothing
        let (metrics, comparison) = columnMetrics(
            column: column, cuts: plan.cuts[index], reference: before, current: current, smoothing: smoothing)
        // Attribution adds segments up, so here a segment stands against its own reference even where that is small.
        let own = basis.moving == nil ? columns[segment]?[index] ?? nothing : compared == segment ? before : nothing
        let common = Comparison.common(
            column: column, cuts: plan.commonCuts[index], reference: own, current: current)
        var row = SnapshotRow(
            version: version, segment: segment, column: column.name, kind: column.bins.kindName, n: current.rows,
            null: current.nulls, referenceN: before.rows, referenceSegment: compared, metrics: metrics,
            referenceMetrics: basis.moving == nil
                ? descriptions[compared]?[index] ?? MetricValues() : columnDescription(column: column, profile: before),
            comparison: comparison,
            common: common)
        // A group whose own quantiles found no room among the fine edges is cut like all traffic.
        row.borrowsBins = plan.borrowsCuts[index]
        row.missing = current.missing
        row.wrongType = current.wrongType
        if basis.moving == nil { row.alike = alike(common, segment, index, basis.covered) }
        let wobble = self.reference.wobble(segment, column: index, window: basis.length)
        row.wobble = wobble
        row.wobble.spans = wobble.spans * (row.alike.map { Self.share($0, of: common) } ?? 1)
        if row.metrics[.stuck_rate] ?? 0 > 0 {
            let stuck = StuckValue.find(
                column: column, reference: before, current: current,
                wobble: max(wobble.shift, wobble.standing))
            if let stuck, !(row.alike.map { Self.isUsual(stuck, in: $0) } ?? false) {
                row.stuck = stuck
            } else {
                row.metrics[.stuck_rate] = 0
            }
        }
        return row
    }

    /// The part of a segment's reference rows that are of the window's own times.
    private static func share(_ alike: Comparison, of common: Comparison) -> Double {
        func rows(_ comparison: Comparison) -> Double {
            Double(comparison.reference.reduce(comparison.referenceNulls, &+))
        }
        return rows(alike) / max(1, rows(common))
    }

    /// Whether the reference, too, mostly stands there at these times of the week, as an hour of the day does in windows of an hour.
    private static func isUsual(_ stuck: StuckValue, in alike: Comparison) -> Bool {
        let bin: Int?
        switch stuck.value {
        case .number(let value, _): bin = alike.edges.count { $0 < value }
        case .category(let name): bin = alike.categories.firstIndex(of: name)
        }
        let all = alike.reference.reduce(0, &+)
        guard let bin, all > 0 else { return false }
        return 2 * alike.reference[bin] >= all
    }

    /// The comparison with the reference rows of the window's own times of the week.
    private func alike(
        _ common: Comparison, _ segment: Segment, _ index: Int, _ covered: [Double]
    ) -> Comparison? {
        guard let season = reference.season(index), let counts = reference.group(segment)?.season(index),
            let rows = counts.reference(season, covered: covered), rows.count == common.current.count + 1
        else { return nil }
        return Comparison(
            edges: common.edges, categories: common.categories, reference: Array(rows.dropLast()),
            current: common.current, referenceNulls: rows[rows.count - 1], currentNulls: common.currentNulls)
    }

    /// How many rows came, and how many the reference lets expect at this time of the week; none where its rows have no
    /// times. A segment that vanished has a row too: that is what it is for.
    private func volume(_ profiles: [Segment: Profile], _ covered: [Double]) -> [SnapshotRow] {
        guard reference.all.week != nil else { return [] }
        let segmentations = Set(profiles.keys.map(\.dimensions))
        return reference.groups.compactMap { group in
            guard segmentations.contains(group.segment.dimensions),
                let expected = group.week?.expected(covered: covered), expected > 0
            else { return nil }
            let n = profiles[group.segment]?.rows ?? 0
            var metrics = MetricValues()
            metrics[.volume] = Double(n) / expected
            var usual = MetricValues()
            usual[.count] = expected
            let whole = UInt64(expected.rounded())
            let counts = Comparison(
                edges: [], categories: ["rows"], reference: [whole], current: [n], referenceNulls: 0, currentNulls: 0)
            return SnapshotRow(
                version: SnapshotRow.allVersions, segment: group.segment, column: SnapshotRow.volumeColumn,
                kind: SnapshotRow.volumeColumn, n: n, null: 0, referenceN: whole, referenceSegment: group.segment,
                metrics: metrics, referenceMetrics: usual, comparison: counts, common: counts)
        }
    }
}
