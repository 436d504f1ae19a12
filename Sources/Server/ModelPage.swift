import Events
import Mustache
import Registry
import Statistics
import Values

/// The page of one model: its card with every column, what alerts it has, its last windows, and how its segments fared in the newest.
struct ModelPage: Sendable {
    /// One closed window, all traffic and all versions.
    struct Window: Sendable {
        let name: String
        let rows: String
        let performance: String
        let labelled: String
        /// Columns that drift, the one that drifts most first.
        let drifting: [Column]
    }

    struct Column: Sendable {
        let name: String
        let psi: String
        let level: String
    }

    struct SegmentLine: Sendable {
        let name: String
        let rows: String
        let worst: Column?
        let missing: String
    }

    let models: [ModelCard]
    let name: String
    let registry: String
    let snapshots: String
    let open: [AlertCard]
    let resolved: [AlertCard]
    let windows: [Window]
    let segments: [SegmentLine]
    let performanceName: String
    let problems: [String]
    let isCalm: Bool
    let hasWindows: Bool
    let hasSegments: Bool
    let hasPerformance: Bool

    private static let resolvedMaximum = 20
    private static let windowsMaximum = 24
    private static let segmentsMaximum = 50
    private static let driftingMaximum = 4

    init(_ model: ModelOverview, _ backend: Backend) async {
        var problems: [String] = []
        var lines: [String] = []
        var past: [UInt8] = []
        var newest: [UInt8] = []
        do {
            lines = try await backend.service.alerts(model: model.name, resolved: Self.resolvedMaximum)
            past = try await backend.service.snapshots(
                model: model.name, column: nil, segment: .all, from: nil, to: nil, limit: Self.windowsMaximum)
            newest = try await backend.service.snapshots(
                model: model.name, column: nil, segment: nil, from: nil, to: nil, limit: 1)
        } catch {
            problems.append("what is stored of the model cannot be read: \(error)")
        }
        // A model that is watched need not be registered.
        let champion = try? await backend.registry.champion(model: model.name)
        let quarantined = try? await backend.registry.quarantined(model: model.name)
        let alerts = lines.compactMap { AlertCard(line: $0) }.filter { $0.model == model.name }
        self.init(
            model, card: ModelCard(model, champion: champion, quarantined: quarantined ?? [], isWhole: true),
            alerts: alerts, past: Self.rows(past, model.name), newest: Self.rows(newest, model.name), problems)
    }

    private init(
        _ model: ModelOverview, card: ModelCard, alerts: [AlertCard], past: [JSON], newest: [JSON],
        _ problems: [String]
    ) {
        models = [card]
        name = model.name
        registry = RegistryPages.address(model.name)
        snapshots = "/v1/models/\(PercentCoding.encode(model.name))/snapshots"
        open = alerts.filter { !$0.isResolved }
        resolved = alerts.filter(\.isResolved)
        isCalm = open.isEmpty
        performanceName = model.performance?.metric.name ?? ""
        hasPerformance = model.performance != nil
        windows = Self.windows(past, model.performance?.metric)
        segments = Self.segments(newest)
        hasWindows = !windows.isEmpty
        hasSegments = !segments.isEmpty
        self.problems = problems
    }

    /// Lines of `snapshots.jsonl` of all versions together; of a line that was revised the newest, in the place of the first.
    private static func rows(_ lines: [UInt8], _ model: String) -> [JSON] {
        var places: [String: Int] = [:]
        var out: [JSON] = []
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            guard let json = try? JSON(parsing: line), json["model"]?.stringValue == model,
                json["version"]?.stringValue == SnapshotRow.allVersions
            else { continue }
            let key = ["window", "segment", "column"].map { json[$0]?.text ?? "" }.joined(separator: " ")
            if let place = places[key] {
                out[place] = json
            } else {
                places[key] = out.count
                out.append(json)
            }
        }
        return out
    }

    /// Newest first.
    private static func windows(_ rows: [JSON], _ figure: Metric?) -> [Window] {
        var order: [TimeRange] = []
        var byWindow: [TimeRange: [JSON]] = [:]
        for row in rows {
            guard let window = window(row) else { continue }
            if byWindow[window] == nil { order.append(window) }
            byWindow[window, default: []].append(row)
        }
        return order.sorted { $0.end > $1.end }.map { window in
            let rows = byWindow[window] ?? []
            let performance = rows.first { $0["column"]?.stringValue == SnapshotRow.performanceColumn }?["metrics"]
            return Window(
                name: Format.window(window), rows: Format.count(rows.map(count).max() ?? 0),
                performance: figure.map { Format.number(performance?[$0.name]?.numberValue) } ?? "",
                labelled: Format.percent(performance?[Metric.coverage.name]?.numberValue),
                drifting: Array(
                    columns(rows).filter { $0.psi >= ColumnCard.psiThreshold }.prefix(driftingMaximum).map(column)))
        }
    }

    /// Single segments and crosses of the newest window, the one that drifts most first.
    private static func segments(_ rows: [JSON]) -> [SegmentLine] {
        var order: [String] = []
        var bySegment: [String: [JSON]] = [:]
        for row in rows {
            guard let segment = row["segment"]?.objectValue, !segment.isEmpty else { continue }
            let name = segment.map { "\($0.key)=\($0.value.stringValue ?? $0.value.text)" }.joined(separator: ", ")
            if bySegment[name] == nil { order.append(name) }
            bySegment[name, default: []].append(row)
        }
        let lines = order.map { name -> (psi: Double, rows: UInt64, line: SegmentLine) in
            let rows = bySegment[name] ?? []
            let most = rows.map(count).max() ?? 0
            let worst = columns(rows).first
            let missing = rows.compactMap { $0["metrics"]?[Metric.null_rate.name]?.numberValue }.max()
            return (
                worst?.psi ?? 0, most,
                SegmentLine(
                    name: name, rows: Format.count(most), worst: worst.map(column), missing: Format.percent(missing))
            )
        }
        return lines.filter { $0.rows > 0 }.sorted { ($1.psi, $1.rows, $0.line.name) < ($0.psi, $0.rows, $1.line.name) }
            .prefix(segmentsMaximum).map(\.line)
    }

    /// Features and the score with their PSI, the largest first.
    private static func columns(_ rows: [JSON]) -> [(name: String, psi: Double)] {
        rows.compactMap { row -> (name: String, psi: Double)? in
            guard let name = row["column"]?.stringValue, let psi = row["metrics"]?[Metric.psi.name]?.numberValue else {
                return nil
            }
            return (name, psi)
        }.sorted { ($1.psi, $0.name) < ($0.psi, $1.name) }
    }

    private static func column(_ column: (name: String, psi: Double)) -> Column {
        Column(name: column.name, psi: Format.psi(column.psi), level: ColumnCard.level(column.psi))
    }

    private static func count(_ row: JSON) -> UInt64 {
        row["kind"]?.stringValue == SnapshotRow.schemaColumn ? 0 : UInt64(max(0, row["n"]?.integerValue ?? 0))
    }

    private static func window(_ row: JSON) -> TimeRange? {
        guard let start = row["window"]?["start"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let end = row["window"]?["end"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }), start <= end
        else { return nil }
        return TimeRange(start: start, end: end)
    }

    var document: String {
        PageFrame.page(
            "\(name) · Holdfast",
            links: [.init(text: "dashboard", href: "/"), .init(text: "registry", href: registry)],
            content: Self.template.render(self))
    }

    /// The address of a model's page.
    static func address(_ model: String) -> String { "/models/\(PercentCoding.encode(model))" }

    private static let template = Markup.template(PageTemplate.model)
}
