package import Statistics
import Values

extension Snapshot {
    /// The lines of `snapshots.jsonl` (contracts.md section 6), one per row, each ended by a newline.
    package func writeLines(into out: inout [UInt8], where include: (SnapshotRow) -> Bool = { _ in true }) {
        let window = JSON.members(("start", .time(self.window.start)), ("end", .time(self.window.end))).bytes
        for row in rows where include(row) && row.isTold {
            out += #"{"model":"#.utf8
            JSON.write(model, into: &out)
            out += #","version":"#.utf8
            JSON.write(row.version, into: &out)
            out += #","window":"#.utf8
            out += window
            if revision > 1 {
                out += #","revision":"#.utf8
                out += revision.description.utf8
            }
            out += #","segment":"#.utf8
            row.segment.json.write(into: &out)
            out += #","column":"#.utf8
            JSON.write(row.column, into: &out)
            out += #","kind":"#.utf8
            JSON.write(row.kind, into: &out)
            out += #","n":"#.utf8
            out += row.n.description.utf8
            out += #","null":"#.utf8
            out += row.null.description.utf8
            out += #","reference_n":"#.utf8
            out += row.referenceN.description.utf8
            if row.referenceSegment != row.segment {
                out += #","reference_segment":"#.utf8
                row.referenceSegment.json.write(into: &out)
            }
            if row.borrowsBins { out += #","bins_segment":{}"#.utf8 }
            out += #","metrics":{"#.utf8
            var first = true
            for (metric, value) in row.metrics.present {
                if !first { out.append(UInt8(ascii: ",")) }
                first = false
                out.append(UInt8(ascii: "\""))
                out += metric.name.utf8
                out += "\":".utf8
                JSON.write(value, into: &out)
            }
            out += "}".utf8
            if let stuck = row.stuck {
                out += #","stuck":"#.utf8
                stuck.json.write(into: &out)
            }
            if let field = row.field {
                out += #","field":"#.utf8
                JSON.write(field.name, into: &out)
                out += #","types":"#.utf8
                JSON.array(field.types.map { .string($0) }).write(into: &out)
            }
            if let performance = row.performance {
                out += #","performance":"#.utf8
                performance.json.write(into: &out)
            } else {
                writeDrift(row, into: &out)
                row.comparison.write(into: &out)
            }
            out += "}\n".utf8
        }
    }

    /// The verdict of the two-sample PSI test alone (statistics without a rule): is the difference larger than chance? Where
    /// the column has a season, against the reference rows of the same times of the week.
    private func writeDrift(_ row: SnapshotRow, into out: inout [UInt8]) {
        guard var psi = row.metrics[.psi], var p = row.metrics[.psi_p] else { return }
        if let alike = row.alike, let test = Contingency(alike.reference, alike.current, merging: true),
            let own = Distances.psi(alike.reference, alike.current, smoothing: .jeffreys), let ownP = test.psiP
        {
            (psi, p) = (own, ownP)
        }
        out += #","drift":{"score":"#.utf8
        JSON.write(psi, into: &out)
        out += #","p":"#.utf8
        JSON.write(p, into: &out)
        out += #","significant":"#.utf8
        out += (p < 0.001 ? "true}" : "false}").utf8
    }
}

extension SnapshotRow {
    /// Rows that only say that rows came are for rules: the lines about columns say so too.
    fileprivate var isTold: Bool {
        column != Self.volumeColumn || metrics[.volume] != nil || metrics[.silence] ?? 0 > 0
            || metrics[.late_rate] ?? 0 > 0
    }
}

extension StuckValue {
    /// `{"value":3.2,"rows":812}`; `about` where only a narrow bin is known.
    fileprivate var json: JSON {
        let rows = JSON.integer(Int64(clamping: count))
        return switch value {
        case .number(let number, true): .members(("value", .number(number)), ("rows", rows))
        case .number(let number, false): .members(("about", .number(number)), ("rows", rows))
        case .category(let name): .members(("value", .string(name)), ("rows", rows))
        }
    }
}

extension Comparison {
    /// `,"histogram":{…}`: the counts behind a line's distances, in the bins the distances use.
    fileprivate func write(into out: inout [UInt8]) {
        out += #","histogram":{"#.utf8
        if categories.isEmpty {
            out += #""edges":"#.utf8
            JSON.numbers(edges).write(into: &out)
        } else {
            out += #""categories":"#.utf8
            JSON.array(categories.map { .string($0) }).write(into: &out)
        }
        for (name, counts) in [("reference", reference), ("current", current)] {
            out += ",\"\(name)\":[".utf8
            for (i, count) in counts.enumerated() {
                if i > 0 { out.append(UInt8(ascii: ",")) }
                out += count.description.utf8
            }
            out.append(UInt8(ascii: "]"))
        }
        out.append(UInt8(ascii: "}"))
    }
}
