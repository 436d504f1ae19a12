import Registry
import Statistics
import Values

/// One model of the page: what serves, how its traffic goes, and its columns, those with the most evidence first.
struct ModelCard: Sendable {
    struct Chip: Sendable {
        let label: String
        let version: String
        let kind: String
    }

    /// Columns drawn in full at most, and at least; the others are rows of a table.
    private static let drawnMaximum = 8
    private static let drawnMinimum = 4
    private static let wholeMaximum = 60

    let name: String
    /// The model's own page.
    let href: String
    let task: String
    let chips: [Chip]
    /// Why there are no chips.
    let unregistered: Bool
    let reference: String
    let versions: String?
    let window: String?
    let windowSize: String
    let rows: String
    let rowTrend: String?
    let watermark: String?
    let late: String?
    /// What the join of labels has done.
    let labels: String?
    let performance: PerformanceCard?
    let drawn: [ColumnCard]
    let others: [ColumnCard]
    let hasColumns: Bool
    let hasOthers: Bool

    /// - Parameter isWhole: every column is drawn.
    init(_ model: ModelOverview, champion: ChampionState?, quarantined: [Quarantine], isWhole: Bool = false) {
        name = model.name
        href = ModelPage.address(model.name)
        task = model.task
        let slots = [
            ("champion", champion?.champion, "champion"), ("champion-1", champion?.champion1, "warm"),
            ("champion-2", champion?.champion2, "warm"),
        ]
        chips =
            slots.compactMap { label, slot, kind in slot.map { Chip(label: label, version: $0.version, kind: kind) } }
            + quarantined.suffix(3).map { Chip(label: "quarantined", version: $0.version, kind: "quarantined") }
        unregistered = chips.isEmpty
        reference = "\(model.referenceName) · \(Format.count(model.referenceRows)) rows"
        versions = model.versions.isEmpty ? nil : model.versions.joined(separator: ", ")
        window = model.window.map { Format.window($0) }
        windowSize = model.windowSize.description
        rows = Format.count(model.rows)
        rowTrend =
            Sparkline(
                values: model.rowHistory.map { Double($0) }, about: "Rows of the last \(model.rowHistory.count) windows"
            ).markup
        watermark = model.watermark.map { Format.time($0) }
        late = model.lateRows == 0 ? nil : Format.count(model.lateRows)
        labels = model.labels.map(Self.text)
        performance = model.performance.flatMap { PerformanceCard($0) }
        let columns = model.columns.map { ColumnCard($0) }.enumerated().sorted { a, b in
            a.element.evidence != b.element.evidence ? a.element.evidence > b.element.evidence : a.offset < b.offset
        }.map(\.element)
        let notable = columns.prefix { $0.evidence >= ColumnCard.psiThreshold / 2 }.count
        let drawn = isWhole ? Self.wholeMaximum : max(Self.drawnMinimum, min(notable, Self.drawnMaximum))
        let split = min(columns.count, drawn)
        let hasWindow = model.window != nil
        self.drawn = hasWindow ? Array(columns[..<split]) : []
        others = hasWindow ? Array(columns[split...]) : []
        hasColumns = !self.drawn.isEmpty
        hasOthers = !others.isEmpty
    }

    private static func text(_ labels: LabelOverview) -> String {
        var parts = [
            "\(Format.count(labels.joined)) joined", "\(Format.count(UInt64(max(0, labels.waiting)))) waiting",
        ]
        for (count, what) in [
            (UInt64(max(0, labels.expired)), "never labelled"), (labels.orphans, "without a prediction"),
            (labels.corrections, "corrected"), (labels.tooLate, "too late"),
        ] where count > 0 {
            parts.append("\(Format.count(count)) \(what)")
        }
        return parts.joined(separator: ", ")
    }
}
