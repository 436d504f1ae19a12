import Events
import Mustache
import Statistics
import Values

/// The page of one alert: its card, how the metric came to where it is, and every number behind it. Made to be read at night on a phone: one
/// column, the sentence first.
struct AlertPage: Sendable {
    struct Row: Sendable {
        let name: String
        let before: String
        let now: String
    }

    struct Driver: Sendable {
        let name: String
        let share: String
        let mix: String
        let within: String
        let error: String
    }

    struct Step: Sendable {
        let at: String
        let what: String
        let kind: String
    }

    let title: String
    let card: AlertCard
    let about: String?
    let timeline: String?
    let timelineFirst: String
    let timelineLast: String
    let windows: [Row]
    let drivers: [Driver]
    let quantiles: [Row]
    let evidence: [String]
    let facts: [Row]
    let steps: [Step]
    let hasDrivers: Bool
    let hasQuantiles: Bool
    let hasEvidence: Bool

    private static let windowsMaximum = 14

    /// `nil` where nothing was told of the alert.
    init?(_ history: AlertHistory) {
        guard let json = history.alert, let card = AlertCard(line: json.text) else { return nil }
        self.card = card
        let context = json["context"] ?? .null
        title = "\(card.name) · Holdfast"
        about = history.metric?.name
        let points = history.timeline
        timeline =
            Sparkline(
                values: points.map(\.value), threshold: AlertHistory.level(context),
                about: "\(history.metric?.name ?? "value") of the last \(points.count) windows"
            ).markup
        timelineFirst = points.first.map { Format.time($0.window.end) } ?? ""
        timelineLast = points.last.map { Format.time($0.window.end) } ?? ""
        windows = points.suffix(Self.windowsMaximum).reversed().map {
            Row(name: Format.window($0.window), before: Format.count($0.rows), now: Format.number($0.value))
        }
        drivers = (context["segments"]?.arrayValue ?? []).map(Self.driver)
        hasDrivers = !drivers.isEmpty
        quantiles = Self.quantiles(context["comparison"])
        hasQuantiles = !quantiles.isEmpty
        evidence = (context["correlated"]?.arrayValue ?? []).compactMap(Self.evidence)
        hasEvidence = !evidence.isEmpty
        facts = Self.facts(context, history)
        steps = history.transitions.reversed().compactMap(Self.step)
    }

    var document: String {
        PageFrame.page(
            title, kind: "one",
            links: [
                .init(text: "all alerts", href: "/"), .init(text: card.model, href: ModelPage.address(card.model)),
            ], content: Self.template.render(self))
    }

    private static let template = Markup.template(PageTemplate.alertContent)

    private static func name(_ segment: JSON?) -> String {
        let parts = (segment?.objectValue ?? []).map { "\($0.key)=\($0.value.stringValue ?? $0.value.text)" }
        return parts.isEmpty ? "all traffic" : parts.joined(separator: ", ")
    }

    private static func driver(_ item: JSON) -> Driver {
        func number(_ key: String) -> String { Format.fixed(item[key]?.numberValue, digits: 4) }
        return Driver(
            name: name(item["segment"]), share: Format.percent(item["share"]?.numberValue), mix: number("mix"),
            within: number("within"), error: number("se"))
    }

    private static func quantiles(_ comparison: JSON?) -> [Row] {
        let pairs = comparison?["quantiles"] ?? comparison?["metrics"]
        var rows = (pairs?.objectValue ?? []).compactMap { member -> Row? in
            guard let pair = member.value.arrayValue, pair.count == 2 else { return nil }
            return Row(
                name: member.key, before: Format.number(pair[0].numberValue), now: Format.number(pair[1].numberValue))
        }
        if let nulls = comparison?["null"]?.arrayValue, nulls.count == 2,
            nulls.contains(where: { ($0.numberValue ?? 0) > 0 })
        {
            rows.append(
                Row(
                    name: "missing", before: Format.percent(nulls[0].numberValue),
                    now: Format.percent(nulls[1].numberValue)))
        }
        return rows
    }

    private static func evidence(_ item: JSON) -> String? {
        guard let what = item["what"]?.stringValue else { return nil }
        let kind = item["kind"]?.stringValue.map { $0.replacing("_", with: " ") } ?? "seen"
        let at = item["at"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }.map { ", \(Format.time($0))" } ?? ""
        let beside =
            item["new_vs_old"]?.numberValue.map {
                "; new against old version in the same window: PSI \(Format.number($0)), chance p "
                    + "\(Format.probability(item["p"]?.numberValue))"
            } ?? ""
        return "\(kind): \(what)\(at)\(beside)"
    }

    private static func facts(_ context: JSON, _ history: AlertHistory) -> [Row] {
        func pair(_ json: JSON?) -> (Double, Double)? {
            guard let pair = json?.arrayValue, pair.count == 2, let a = pair[0].numberValue, let b = pair[1].numberValue
            else { return nil }
            return (a, b)
        }
        var rows: [Row] = []
        func add(_ name: String, _ text: String?) {
            if let text { rows.append(Row(name: name, before: text, now: "")) }
        }
        add(
            "true value, 95 in 100",
            pair(context["interval"]).map { "\(Format.number($0.0)) to \(Format.number($0.1))" })
        add(
            "by chance alone",
            context["by_chance"].map { chance in
                "\(Format.number(chance["expected"]?.numberValue)) expected"
                    + (chance["p95"]?.numberValue.map { ", 95 windows in 100 under \(Format.number($0))" } ?? "")
            })
        if let e = context["evidence"]?["ln_e"]?.numberValue {
            add(
                "evidence",
                "ln e \(Format.number(e)), alarm from \(Format.number(context["evidence"]?["ln_threshold"]?.numberValue))"
            )
        } else {
            add("evidence", context["evidence"]?["p"]?.numberValue.map { "p \(Format.probability($0))" })
        }
        add("first window that shows it", AlertHistory.firstWindow(context).map { Format.window($0) })
        add("compared with", context["reference"]?.stringValue)
        add(
            "reference rows",
            context["window"]?["reference_rows"]?.integerValue.map { Format.count(UInt64(clamping: $0)) })
        add(
            "segments cancel",
            AlertHistory.cancelled(context).map {
                "they moved in opposite directions: \(Format.percent($0)) of their shifts is left in the whole"
            })
        add("computed again from stored counts", history.rederived.map { Format.number($0) })
        return rows
    }

    private static func step(_ line: String) -> Step? {
        guard let json = try? JSON(parsing: line.utf8), let status = json["status"]?.stringValue else { return nil }
        let at = json["at"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }.map { Format.time($0) } ?? ""
        let metric = AlertHistory.metric(of: json["context"])
        let value =
            AlertHistory.performance(metric, json["context"]).map { ", \(metric?.name ?? "") \(Format.number($0.now))" }
            ?? json["context"]?["value"]?.numberValue.map { ", value \(Format.number($0))" } ?? ""
        return Step(
            at: at, what: status + value, kind: status == "firing" ? "back" : status == "resolved" ? "forward" : "")
    }
}
