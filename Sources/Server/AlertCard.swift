import Events
import Statistics
import Values

/// An alert as the page shows it, read from its line of `alerts.jsonl`. Everything in it is optional: lines of older
/// programs and rules without evidence are shown as far as they go.
struct AlertCard: Sendable {
    struct Driver: Sendable {
        let name: String
        let share: String
        let bar: String
    }

    struct Action: Sendable {
        let text: String
        let kind: String
    }

    let status: String
    let severity: String
    /// A class of the style sheet: `critical`, `warning` or `info`.
    let severityClass: String
    let name: String
    let model: String
    let column: String?
    let segments: [String]
    let summary: String?
    let since: String?
    let until: String?
    let lasted: String?
    let value: String?
    /// What the value and the number beside it are.
    let valueName: String
    let threshold: String?
    let thresholdName: String
    let metric: String?
    let rows: String?
    let chart: String?
    /// Where the chart shows something else than the share of rows in each bin.
    let chartTitle: String?
    let drivers: [Driver]
    let hasEvidence: Bool
    let likely: String?
    let actions: [Action]
    let related: [String]
    let runbook: String?
    /// The alert's own page; `nil` for lines without a fingerprint.
    let href: String?

    var isFiring: Bool { status == "firing" }
    var isResolved: Bool { status == "resolved" }

    /// `nil` where the line is not a JSON object.
    init?(line: String) {
        guard let json = try? JSON(parsing: line.utf8), json.objectValue != nil else { return nil }
        let labels = json["labels"] ?? .null
        let annotations = json["annotations"] ?? .null
        let context = json["context"] ?? .null
        status = json["status"]?.stringValue ?? "firing"
        severity = labels["severity"]?.stringValue ?? "alert"
        severityClass = Self.severityClass(severity)
        name = labels["alertname"]?.stringValue ?? "Alert"
        model = labels["model"]?.stringValue ?? ""
        column = labels["column"]?.stringValue
        segments = (json["segment"]?.objectValue ?? []).map { "\($0.key)=\($0.value.stringValue ?? $0.value.text)" }
        summary = annotations["summary"]?.stringValue ?? annotations["description"]?.stringValue
        let start = json["startsAt"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        let end = json["endsAt"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        since = start.map { Format.time($0) }
        until = end.map { Format.time($0) }
        lasted = end.flatMap { end in start.map { Format.duration(end - $0) } }
        let figure = AlertHistory.metric(of: context)
        if let pair = AlertHistory.performance(figure, context) {
            value = Format.number(pair.now)
            valueName = "\(figure?.name ?? "value") in this window"
            threshold = Format.number(pair.before)
            thresholdName = "in the reference"
        } else {
            value = context["value"]?.numberValue.map { Format.number($0) }
            valueName = "value"
            threshold = context["threshold"]?.numberValue.map { Format.number($0) }
            thresholdName = "threshold"
        }
        metric = context["metric"]?.stringValue
        rows = context["window"]?["rows"]?.integerValue.map { Format.count(UInt64(clamping: $0)) }
        let reliability = context["comparison"]?["reliability"].flatMap { Histogram(reliability: $0) }
        chart = (reliability ?? context["comparison"].flatMap { Histogram($0) })?.markup(.paired)
        chartTitle = reliability == nil ? nil : Histogram.reliabilityTitle
        drivers = Self.drivers(context["segments"])
        hasEvidence = chart != nil || !drivers.isEmpty
        likely = context["likely"]?.stringValue
        actions = (context["actions"]?.arrayValue ?? []).compactMap { Self.action($0) }
        related = Self.related(context)
        let named = labels["model"]?.stringValue ?? ""
        href = json["fingerprint"]?.stringValue.flatMap { fingerprint in
            named.isEmpty ? nil : "\(ModelPage.address(named))/alerts/\(PercentCoding.encode(fingerprint))"
        }
        runbook = Markup.link(annotations["runbook_url"]?.stringValue ?? context["links"]?["runbook"]?.stringValue)
    }

    private static func severityClass(_ severity: String) -> String {
        switch severity.lowercased() {
        case "page", "critical", "error": "critical"
        case "info", "none", "notice": "info"
        default: "warning"
        }
    }

    private static func drivers(_ json: JSON?) -> [Driver] {
        (json?.arrayValue ?? []).prefix(5).compactMap { item in
            guard let segment = item["segment"]?.objectValue, let share = item["share"]?.numberValue else { return nil }
            let name = segment.map { "\($0.key)=\($0.value.stringValue ?? $0.value.text)" }.joined(separator: ", ")
            let width = Format.fixed(min(max(share, 0), 1) * 100, digits: 1)
            return Driver(
                name: name.isEmpty ? "all traffic" : name, share: Format.percent(share),
                bar: #"<svg class="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">"#
                    + #"<rect class="track" width="100" height="6"/>"#
                    + #"<rect class="fill" width="\#(width)" height="6"/></svg>"#
            )
        }
    }

    /// `{"rollback":"done","from":"14","to":"13"}`: the first member says what became of which action.
    private static func action(_ json: JSON) -> Action? {
        guard let first = json.objectValue?.first(where: { !["from", "to", "reason"].contains($0.key) }),
            let outcome = first.value.stringValue
        else { return nil }
        let to = json["to"]?.stringValue
        let from = json["from"]?.stringValue
        let path =
            switch (from, to) {
            case (let from?, let to?): " \(from) → \(to)"
            case (nil, let to?): " → \(to)"
            default: ""
            }
        // That a rollback was done says all that its reason does.
        let isTold = outcome == "done" && from != nil && to != nil
        let reason = isTold ? "" : json["reason"]?.stringValue.map { ": \($0)" } ?? ""
        let name =
            first.key == "rollback" && outcome == "done"
            ? "Rolled back"
            : "\(first.key.prefix(1).uppercased())\(first.key.dropFirst()) \(outcome.replacing("_", with: " "))"
        return Action(
            text: (outcome == "done" ? "✓ " : "") + name + path + reason,
            kind: outcome == "done" ? "done" : outcome == "refused" || outcome == "failed" ? "refused" : "noted")
    }

    private static func related(_ context: JSON) -> [String] {
        let correlated = (context["correlated"]?.arrayValue ?? []).compactMap { item -> String? in
            guard let what = item["what"]?.stringValue else { return nil }
            let kind = item["kind"]?.stringValue.map { $0.replacing("_", with: " ") + ": " } ?? ""
            return kind + what
        }
        let others = (context["also_firing"]?.arrayValue ?? []).compactMap {
            $0.stringValue.map { "also firing: \($0)" }
        }
        return Array((correlated + others).prefix(6))
    }
}
