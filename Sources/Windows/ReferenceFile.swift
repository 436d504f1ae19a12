import Events
package import Sketches
import Values

/// The reference as a file: JSON a person can read and compare, one line for each column and for each column of each segment.
///
/// Counters are written as text, `7 0x12 3` for 7, twelve zeros and 3; exact sums as decimal integers (multiples of 2^−exponent).
package enum ReferenceFile {
    package static let format = "holdfast-reference/1"

    /// Why a reference file cannot be used.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package static func encode(_ reference: Reference) -> [UInt8] {
        var out = [UInt8]()
        func line(_ text: String) { out += (text + "\n").utf8 }
        func field(_ name: String, _ value: JSON) { line("  \(JSON.string(name).text): \(value.text),") }
        line("{")
        field("format", .string(format))
        field("model", .string(reference.model))
        if let version = reference.version { field("version", .string(version)) }
        if let period = reference.period {
            field("period", .members(("start", .time(period.start)), ("end", .time(period.end))))
        }
        field("rows", .integer(Int64(reference.all.profile.rows)))
        field("bins", .int(reference.bins))
        if let week = reference.all.week { field("week_times", .numbers(week.times)) }
        field("segments", .array(reference.segmentations.map { .array($0.map { .string($0) }) }))
        line("  \"columns\": [")
        let columns = reference.layout.columns
        for (i, column) in columns.enumerated() {
            line("    \(Self.column(column, reference.season(i)).text)\(i + 1 < columns.count ? "," : "")")
        }
        line("  ],")
        line("  \"groups\": [")
        for (g, group) in reference.groups.enumerated() {
            let week = group.week.map { ", \"week\": \(JSON.string(runs($0.rows)).text)" } ?? ""
            line(
                "    {\"segment\": \(group.segment.json.text), \"rows\": \(group.profile.rows)\(week), \"columns\": {")
            for (i, column) in columns.enumerated() {
                let text = profile(column, group, i).text
                line("      \(JSON.string(column.name).text): \(text)\(i + 1 < columns.count ? "," : "")")
            }
            line("    }}\(g + 1 < reference.groups.count ? "," : "")")
        }
        line("  ]")
        line("}")
        return out
    }

    private static func column(_ column: Layout.Column, _ season: Season?) -> JSON {
        let season = season.map { JSON.string($0.rawValue) }
        return switch column.bins {
        case .numeric(let bins, let exponent):
            .members(
                ("name", .string(column.name)), ("kind", "numeric"), ("exponent", .int(exponent)),
                ("season", season), ("edges", .numbers(bins.edges)))
        case .categorical(let bins):
            .members(
                ("name", .string(column.name)), ("kind", "categorical"), ("season", season),
                ("categories", .array(bins.categories.map { .string($0) })),
                ("rare", bins.rare.isEmpty ? nil : .array(bins.rare.map { .string($0) })))
        }
    }

    private static func profile(_ column: Layout.Column, _ group: Reference.Group, _ index: Int) -> JSON {
        let profile = group.profile.column(column)
        func count(_ n: UInt64) -> JSON? { n > 0 ? .integer(Int64(n)) : nil }
        var cuts: JSON?
        var mean: JSON?
        var sd: JSON?
        var moments: JSON?
        if case .numeric(let bins, let exponent) = column.bins, let m = profile.moments, m.count > 0 {
            cuts = .numbers(group.cuts[index].map { bins.edges[$0] })
            mean = m.mean(exponent: exponent).map { .number($0) }
            sd = m.standardDeviation(exponent: exponent).map { .number($0) }
            moments = .members(
                ("min", .number(m.minimum)), ("max", .number(m.maximum)), ("sum", .string(m.sum.description)),
                ("squares", .string(m.sumOfSquares.description)))
        }
        return .members(
            ("n", .integer(Int64(profile.rows))), ("null", count(profile.null)), ("missing", count(profile.missing)),
            ("invalid", count(profile.invalid)), ("wrong_type", count(profile.wrongType)), ("mean", mean), ("sd", sd),
            ("moments", moments), ("cuts", cuts), ("counts", .string(runs(profile.bins))),
            ("wobble", wobble(group.wobble(index))),
            ("cells", group.season(index).map { .array($0.cells.map { .string(runs($0)) }) }))
    }

    static func runs(_ counts: [UInt64]) -> String {
        var parts: [String] = []
        var i = 0
        while i < counts.count {
            var end = i + 1
            while end < counts.count, counts[end] == counts[i] { end += 1 }
            parts.append(
                end - i > 2
                    ? "\(counts[i])x\(end - i)" : repeatElement("\(counts[i])", count: end - i).joined(separator: " "))
            i = end
        }
        return parts.joined(separator: " ")
    }

    static func counts(_ text: String) -> [UInt64]? {
        var counts: [UInt64] = []
        for part in text.split(separator: " ") {
            let pieces = part.split(separator: "x", omittingEmptySubsequences: false)
            guard pieces.count <= 2, let value = UInt64(pieces[0]) else { return nil }
            guard pieces.count == 2 else {
                counts.append(value)
                continue
            }
            guard let times = Int(pieces[1]), (1...NumericBins.maximumEdges + 1).contains(times) else { return nil }
            counts.append(contentsOf: repeatElement(value, count: times))
        }
        return counts
    }
}
