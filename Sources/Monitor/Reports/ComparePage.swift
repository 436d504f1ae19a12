import Foundation
import Values

/// The report as one HTML file that needs nothing else: no script, no network, light and dark as the reader's system
/// has it.
package struct ComparePage {
    private let report: CompareReport

    package init(_ report: CompareReport) { self.report = report }

    package var html: String {
        let files = "\(Self.escape(report.reference.file)) → \(Self.escape(report.current.file))"
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>Drift report: \(files)</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            <main>
            \(header)
            \(notes)
            \(report.sections.map(section).joined(separator: "\n"))
            <footer>\(footer)</footer>
            </main>
            </body>
            </html>

            """
    }

    private var header: String {
        let verdict =
            report.drifted == 0
            ? "<p class=\"verdict calm\">No drift</p>"
            : "<p class=\"verdict drift\">\(report.drifted) of \(report.columns.count) drifted</p>"
        func side(_ title: String, _ side: CompareReport.Side) -> String {
            "<div class=\"side \(title.lowercased())\"><dt><i></i>\(title)</dt><dd>\(Self.escape(side.file))</dd>"
                + "<dd class=\"rows\">\(CompareText.count(side.rows)) rows</dd></div>"
        }
        return """
            <header>
            <div><h1>Drift report</h1>\(verdict)</div>
            <dl>\(side("Reference", report.reference))\(side("Current", report.current))</dl>
            </header>
            """
    }

    private var notes: String {
        guard !report.notes.isEmpty else { return "" }
        let items = report.notes.map { "<li>\(Self.escape($0))</li>" }.joined()
        return "<details class=\"notes\"><summary>Notes (\(report.notes.count))</summary><ul>\(items)</ul></details>"
    }

    private var footer: String {
        let rule =
            "A column has drifted where its PSI is above \(CompareText.number(report.threshold)) and noise alone would exceed it less than once in a thousand times."
        guard let convention = report.convention else { return rule }
        return rule
            + " Distances are shown as \(convention.rawValue) computes them; the verdict is by Holdfast's own PSI."
    }

    private func section(_ section: (segment: Segment, columns: [CompareColumn])) -> String {
        let title = section.segment.isAll ? "All traffic" : Self.escape(section.segment.description)
        let drifted = section.columns.count { $0.drifted }
        let rows = section.columns.first.map { CompareText.count($0.n) } ?? "0"
        return """
            <section>
            <h2>\(title) <small>\(rows) rows\(drifted > 0 ? ", <b>\(drifted) drifted</b>" : "")</small></h2>
            <div class="scroll"><table>
            <thead><tr><th>Column</th><th>Kind</th><th class="n">PSI</th><th class="n">p</th><th class="n">KS</th>\
            <th class="n">JS distance</th><th class="n">Nulls</th><th>Changed</th></tr></thead>
            <tbody>
            \(section.columns.map(line).joined(separator: "\n"))
            </tbody></table></div>
            <div class="cards">
            \(section.columns.map(card).joined(separator: "\n"))
            </div>
            </section>
            """
    }

    private func line(_ column: CompareColumn) -> String {
        let cells = [
            CompareText.distance(column["psi"] ?? column.psi), CompareText.probability(column.psiP),
            CompareText.distance(column["ks"]), CompareText.distance(column["js_distance"]),
            CompareText.percent(column.n > 0 ? Double(column.null) / Double(column.n) : nil),
        ]
        let numbers = cells.map { "<td class=\"n\">\(Self.escape($0))</td>" }.joined()
        let name = Self.escape(column.name)
        return "<tr\(column.drifted ? " class=\"drift\"" : "")><th scope=\"row\">\(name)</th>"
            + "<td>\(column.isNumeric ? "numeric" : "categorical")</td>\(numbers)"
            + "<td>\(Self.escape(CompareTable.change(column)))</td></tr>"
    }

    private func card(_ column: CompareColumn) -> String {
        let badge =
            column.drifted ? "<span class=\"badge drift\">drifted</span>" : "<span class=\"badge\">stable</span>"
        let metrics = column.metrics.filter { $0.value != nil }.map { metric in
            "<tr><th scope=\"row\">\(metric.name)</th><td>\(CompareText.number(metric.value))</td>"
                + "<td>\(column.reference(metric.name).map { CompareText.number($0) } ?? "")</td></tr>"
        }
        let fresh =
            column.newCategories.isEmpty
            ? ""
            : "<p class=\"fresh\">New: \(column.newCategories.map { "<code>\(Self.escape($0))</code>" }.joined(separator: " "))</p>"
        return """
            <article>
            <h3>\(Self.escape(column.name)) \(badge)</h3>
            \(CompareHistogram(column).svg)
            \(fresh)<details><summary>All numbers</summary><table><thead><tr><th></th><th>current</th><th>reference</th></tr></thead>
            <tbody>\(metrics.joined())</tbody></table></details>
            </article>
            """
    }

    static func escape(_ text: String) -> String {
        var out = ""
        for character in CompareText.plain(text) {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.append(character)
            }
        }
        return out
    }

    private static let style = """
        :root{--bg:#f6f7f9;--card:#fff;--ink:#1b2430;--soft:#5d6b7c;--line:#dfe4ea;--ref:#9aa7b5;--cur:#2f6fed;--bad:#c4302b;--ok:#1d7f4e}
        @media (prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1b212a;--ink:#e6ebf1;--soft:#95a3b3;--line:#2c3540;--ref:#66758a;--cur:#6ea0ff;--bad:#ff7a70;--ok:#5fcf97}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        main{max-width:1180px;margin:0 auto;padding:32px 20px 64px}
        header{display:flex;flex-wrap:wrap;gap:16px 48px;justify-content:space-between;align-items:flex-end;margin-bottom:24px}
        h1{font-size:26px;margin:0;letter-spacing:-.01em}h2{font-size:19px;margin:40px 0 12px}h2 small{font-weight:400;font-size:14px;color:var(--soft)}
        h2 b,.drift>th,.verdict.drift{color:var(--bad)}
        h3{font-size:15px;margin:0 0 8px;display:flex;justify-content:space-between;gap:8px;overflow-wrap:anywhere}
        .verdict{margin:4px 0 0;font-size:17px;font-weight:600}.verdict.calm{color:var(--ok)}
        dl{display:flex;flex-wrap:wrap;gap:12px 32px;margin:0}dt{font-size:13px;color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}.rows{color:var(--soft);font-size:13px}
        dt i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px;background:var(--ref)}.current dt i{background:var(--cur)}
        .scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px}
        table{border-collapse:collapse;width:100%;font-size:14px}th,td{text-align:left;padding:7px 12px;border-bottom:1px solid var(--line);font-weight:400}
        thead th{color:var(--soft);font-size:12.5px}tbody tr:last-child>*{border-bottom:0}.n{text-align:right;font-variant-numeric:tabular-nums}
        tbody th{font-weight:600}
        .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:16px;margin-top:16px}
        article{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
        .badge{font-size:12px;font-weight:500;color:var(--soft);border:1px solid var(--line);border-radius:20px;padding:0 9px;height:22px;white-space:nowrap}
        .badge.drift{color:var(--bad);border-color:var(--bad)}
        svg{display:block;width:100%;height:auto}svg .r{fill:var(--ref)}svg .c{fill:var(--cur)}svg text{fill:var(--soft);font-size:10.5px}svg line{stroke:var(--line)}
        details{margin-top:8px;font-size:13px}summary{cursor:pointer;color:var(--soft)}details table{font-size:13px}details th,details td{padding:3px 6px}
        details td{text-align:right;font-variant-numeric:tabular-nums}details thead th{text-align:right}
        .fresh{margin:6px 0 0;font-size:13px;color:var(--soft)}code{font-size:12.5px;overflow-wrap:anywhere}
        .notes li{overflow-wrap:anywhere}footer{margin-top:40px;color:var(--soft);font-size:13px}
        @media print{body{background:#fff}article{break-inside:avoid}}
        """
}
