import Events
import Server
import Statistics
import Values

/// For a terminal: the sentence first, then what it rests on.
extension Explanation {
    private static let barWidth = 24
    private static let timelineRows = 16

    package func text(style: CompareStyle) -> String {
        let blocks = [
            header(style), figures(style), chart(style), drivers(style), seen(style), timeline(style), told(style),
        ]
        return blocks.compactMap { $0 }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    private var context: JSON { alert["context"] ?? .null }

    private func label(_ name: String) -> String? { alert["labels"]?[name]?.stringValue.map(CompareText.plain) }

    private static func segment(_ json: JSON?) -> String {
        let parts = (json?.objectValue ?? []).map { "\($0.key)=\($0.value.stringValue ?? $0.value.text)" }
        return CompareText.plain(parts.isEmpty ? "all traffic" : parts.joined(separator: ", "))
    }

    private func header(_ style: CompareStyle) -> [String] {
        let status = alert["status"]?.stringValue ?? "?"
        let shown =
            status == "firing" ? style.red(status) : status == "resolved" ? style.green(status) : style.yellow(status)
        let place = [label("model"), label("column")].compactMap(\.self).joined(separator: " / ")
        var lines = [
            "\(style.bold(label("alertname") ?? "Alert"))  \(shown)  \(place)  \(Self.segment(alert["segment"]))  "
                + style.dim(alert["fingerprint"]?.stringValue ?? "")
        ]
        if let likely = context["likely"]?.stringValue { lines.append(style.bold(CompareText.plain(likely))) }
        if let summary = alert["annotations"]?["summary"]?.stringValue { lines.append(CompareText.plain(summary)) }
        let since = AlertHistory.firstWindow(context).map {
            "first window that shows it: \($0.start.rfc3339) to \($0.end.rfc3339)"
        }
        let ended = alert["endsAt"]?.stringValue.map { "resolved \($0)" }
        let times = [since, ended].compactMap(\.self).joined(separator: ", ")
        return times.isEmpty ? lines : lines + [style.dim(times)]
    }

    private func figures(_ style: CompareStyle) -> [String]? {
        guard let value = context["value"]?.numberValue else { return nil }
        func number(_ json: JSON?) -> String { CompareText.number(json?.numberValue) }
        var lines: [String] = []
        let performance = AlertHistory.performance(history.metric, context)
        if let performance, let metric = history.metric {
            lines.append(
                "\(metric.name) \(style.bold(CompareText.number(performance.now))), "
                    + "\(CompareText.number(performance.before)) in the reference")
        }
        var first = "value \(style.bold(CompareText.number(value)))"
        if let pair = context["interval"]?.arrayValue, pair.count == 2 {
            let contains = (pair[0].numberValue ?? value) <= value && value <= (pair[1].numberValue ?? value)
            first += contains ? ", true value between" : ", less what sampling adds a true value between"
            first += " \(number(pair[0])) and \(number(pair[1])) in 95 of 100 such windows"
        }
        if performance == nil {
            lines.append(first + (context["threshold"].map { "; threshold \(number($0))" } ?? ""))
        }
        if let metric = context["metric"]?.stringValue { lines.append("metric \(metric)") }
        if let chance = context["by_chance"] {
            lines.append(
                "by chance alone \(number(chance["expected"]))"
                    + (chance["p95"].map { ", under \(number($0)) in 95 of 100 windows" } ?? ""))
        }
        if let e = context["evidence"]?["ln_e"] {
            lines.append("evidence ln e = \(number(e)), alarm from \(number(context["evidence"]?["ln_threshold"]))")
        } else if let p = context["evidence"]?["p"]?.numberValue {
            lines.append("evidence p = \(CompareText.probability(p))")
        }
        let rows = context["window"]?["rows"]?.integerValue.map { "\(CompareText.count(UInt64(clamping: $0))) rows" }
        let before = context["window"]?["reference_rows"]?.integerValue.map {
            "\(CompareText.count(UInt64(clamping: $0))) of "
        }
        if let rows {
            lines.append(
                "\(rows) against \(before ?? "")\(CompareText.plain(context["reference"]?.stringValue ?? "the reference"))"
            )
        }
        // Sums of labels are not among the stored counts.
        guard performance == nil else { return lines }
        switch agrees {
        case true?: lines.append(style.dim("computed again from the stored counts: the same"))
        case false?:
            lines.append(
                style.red(
                    "computed again from the stored counts: \(CompareText.number(history.rederived)), which is not what was told"
                ))
        case nil:
            // What was never in the counts is not missed.
            if let metric = history.metric, AlertArchive.isOfCounts(metric) {
                lines.append(style.dim("not computed again: the counts of that window are no longer stored"))
            }
        }
        return lines
    }

    private func chart(_ style: CompareStyle) -> [String]? {
        guard let comparison = context["comparison"] else { return nil }
        if let metrics = comparison["metrics"]?.objectValue { return performance(metrics, style) }
        func numbers(_ key: String) -> [Double] { (comparison[key]?.arrayValue ?? []).compactMap(\.numberValue) }
        let (p, q) = (numbers("reference"), numbers("current"))
        guard p.count == q.count, !p.isEmpty else { return nil }
        let names = labels(
            numbers("edges"), (comparison["categories"]?.arrayValue ?? []).compactMap(\.stringValue), p.count)
        guard names.count == p.count else { return nil }
        var rows = zip(names, zip(p, q)).map { (name: $0, before: $1.0, now: $1.1) }
        let nulls = numbers("null")
        if nulls.count == 2, nulls.contains(where: { $0 > 0 }) { rows.append(("missing", nulls[0], nulls[1])) }
        let top = rows.reduce(1e-12) { max($0, $1.before, $1.now) }
        let width = min(28, max(8, rows.reduce(0) { max($0, $1.name.count) }))
        var lines = [
            CompareText.cell("", width: width) + "  "
                + style.dim(CompareText.cell("reference", width: Self.barWidth + 8)) + "  now"
        ]
        for row in rows where row.before > 0 || row.now > 0 || rows.count <= 24 {
            lines.append(
                CompareText.cell(row.name, width: width) + "  " + style.dim(bar(row.before, top)) + "  "
                    + style.cyan(bar(row.now, top)))
        }
        let quantiles = (comparison["quantiles"]?.objectValue ?? []).compactMap { member -> String? in
            guard let pair = member.value.arrayValue, pair.count == 2 else { return nil }
            return
                "\(member.key) \(CompareText.number(pair[0].numberValue)) → \(CompareText.number(pair[1].numberValue))"
        }
        return quantiles.isEmpty ? lines : lines + [quantiles.joined(separator: "   ")]
    }

    private func performance(_ metrics: [JSON.Member], _ style: CompareStyle) -> [String]? {
        guard !metrics.isEmpty else { return nil }
        func cells(_ values: [String]) -> String { values.map { CompareText.right($0, width: 12) }.joined() }
        return [style.dim(CompareText.cell("", width: 12) + cells(["reference", "now"]))]
            + metrics.map { member in
                CompareText.cell(member.key, width: 12)
                    + cells((member.value.arrayValue ?? []).map { CompareText.number($0.numberValue) })
            }
    }

    private func labels(_ edges: [Double], _ categories: [String], _ count: Int) -> [String] {
        guard categories.isEmpty else { return categories.map(CompareText.plain) }
        guard edges.count + 1 == count else { return [] }
        guard !edges.isEmpty else { return ["all values"] }
        return (0..<count).map { bin in
            bin == 0
                ? "up to \(CompareText.number(edges[0]))"
                : bin == edges.count
                    ? "above \(CompareText.number(edges[bin - 1]))"
                    : "\(CompareText.number(edges[bin - 1])) to \(CompareText.number(edges[bin]))"
        }
    }

    private func bar(_ share: Double, _ top: Double) -> String {
        let length = share > 0 ? max(1, Int((share / top * Double(Self.barWidth)).rounded())) : 0
        let text = String(repeating: "█", count: length) + String(repeating: " ", count: Self.barWidth - length)
        return text + CompareText.right(CompareText.percent((share * 1000).rounded() / 1000), width: 7)
    }

    private func drivers(_ style: CompareStyle) -> [String]? {
        guard let list = context["segments"]?.arrayValue, !list.isEmpty else { return nil }
        let width = min(48, max(8, list.reduce(0) { max($0, Self.segment($1["segment"]).count) }))
        func cells(_ values: [String]) -> String { values.map { CompareText.right($0, width: 12) }.joined() }
        var lines = [style.dim(CompareText.cell("SEGMENT", width: width) + cells(["SHARE", "MIX", "WITHIN", "±"]))]
        for item in list {
            func number(_ key: String) -> String { CompareText.signed(item[key]?.numberValue) }
            lines.append(
                CompareText.cell(Self.segment(item["segment"]), width: width)
                    + cells([
                        CompareText.percent(item["share"]?.numberValue.map { ($0 * 1000).rounded() / 1000 }),
                        number("mix"),
                        number("within"), number("se"),
                    ]))
        }
        return lines
    }

    private func seen(_ style: CompareStyle) -> [String]? {
        var lines = (context["correlated"]?.arrayValue ?? []).map { item in
            let kind = item["kind"]?.stringValue?.replacing("_", with: " ") ?? "seen"
            let at = item["at"]?.stringValue.map { " (\($0))" } ?? ""
            let beside = item["new_vs_old"]?.numberValue.map {
                "; new against old in the same window: PSI \(CompareText.number($0)), p \(CompareText.probability(item["p"]?.numberValue))"
            }
            return "\(kind): \(CompareText.plain(item["what"]?.stringValue ?? ""))\(at)\(beside ?? "")"
        }
        let others = (context["also_firing"]?.arrayValue ?? []).compactMap(\.stringValue)
        if !others.isEmpty { lines.append("also firing: " + CompareText.plain(others.joined(separator: ", "))) }
        if let ratio = AlertHistory.cancelled(context) {
            lines.append(
                "segments moved in opposite directions: \(CompareText.percent(ratio)) of their shifts is left in the whole"
            )
        }
        guard !lines.isEmpty else { return nil }
        return [style.dim("SEEN BESIDE IT")] + lines.map { "- \($0)" }
    }

    private func timeline(_ style: CompareStyle) -> [String]? {
        guard let metric = history.metric, !history.timeline.isEmpty else { return nil }
        let start = context["change_start"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        let top = max(history.timeline.reduce(0) { max($0, abs($1.value ?? 0)) }, 1e-12)
        var lines = [style.dim("\(metric.name.uppercased()) BEFORE AND SINCE, BY THE END OF THE WINDOW")]
        for point in Self.shown(history.timeline, since: start) {
            guard let point else { lines.append(style.dim("…")); continue }
            let isSince = start.map { point.window.start >= $0 } ?? false
            let bar = point.value.map { value in
                String(
                    repeating: "█",
                    count: value == 0 ? 0 : max(1, Int((abs(value) / top * Double(Self.barWidth)).rounded())))
            }
            let text =
                "\(point.window.end.rfc3339)  \(CompareText.right(CompareText.count(point.rows), width: 9)) rows  "
                + "\(CompareText.right(CompareText.number(point.value), width: 9))  \(bar ?? style.dim("no value"))"
            lines.append(isSince ? style.red(text) : text)
        }
        return lines
    }

    /// The windows around the start and the latest ones; `nil` for those left out between.
    private static func shown(
        _ points: [AlertHistory.Point], since start: Timestamp?
    ) -> [AlertHistory.Point?] {
        guard let start, points.count > timelineRows else { return points.suffix(timelineRows) }
        let first = points.firstIndex { $0.window.start >= start } ?? points.endIndex
        let before = points[..<first].suffix(timelineRows / 3)
        let since = points[first...]
        let room = timelineRows - before.count
        guard since.count > room else { return Array(before) + Array(since) }
        return Array(before) + Array(since.prefix(room / 2)) + [nil] + Array(since.suffix(room - room / 2 - 1))
    }

    private func told(_ style: CompareStyle) -> [String]? {
        let lines = history.transitions.compactMap { line -> String? in
            guard let json = try? JSON(parsing: line.utf8) else { return nil }
            let told = "\(json["at"]?.stringValue ?? "")  \(json["status"]?.stringValue ?? "")"
            let metric = AlertHistory.metric(of: json["context"])
            if let metric, let pair = AlertHistory.performance(metric, json["context"]) {
                return "\(told)  \(metric.name) \(CompareText.number(pair.now))"
            }
            return "\(told)  value \(CompareText.number(json["context"]?["value"]?.numberValue))"
        }
        return [style.dim("WHAT WAS TOLD")] + lines
    }
}
