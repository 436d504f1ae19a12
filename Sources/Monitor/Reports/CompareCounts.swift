import Events
import Foundation
import Sketches
import Statistics
import Values

/// `compare --counts FILE`: two histograms somebody else made.
///
/// `{"kind":"numeric","edges":[…],"reference":[…],"current":[…]}`. With one count more than edges the first and last bins
/// are open tails; with one count fewer every bin lies between two edges. Without `edges` the bins have an order and no
/// place: everything but `wasserstein` can still be said. `"kind":"categorical"` may name its bins in `categories`.
struct CompareCounts {
    /// What the ends of a numeric histogram are.
    enum Ends: String {
        case open, closed, unplaced
    }

    let isNumeric: Bool
    let edges: [Double]
    let categories: [String]
    let reference: [UInt64]
    let current: [UInt64]
    let ends: Ends

    static let maximumBins = NumericBins.maximumEdges + 1

    /// The form to show to a person who got it wrong.
    private static let form =
        #"{"kind":"numeric","edges":[…],"reference":[…],"current":[…]}, or "kind":"categorical" without edges"#

    init(_ bytes: [UInt8]) throws(Compare.Failure) {
        let document: JSON
        do throws(JSONError) {
            document = try JSON(parsing: bytes)
        } catch {
            throw Compare.Failure(
                description:
                    "not JSON: \(error.reason) at byte \(error.offset) (NaN and Infinity are no JSON numbers); expected \(Self.form)"
            )
        }
        guard document.objectValue != nil else {
            throw Compare.Failure(description: "not a JSON object; expected \(Self.form)")
        }
        switch document["kind"]?.stringValue {
        case "numeric": isNumeric = true
        case "categorical": isNumeric = false
        default:
            throw Compare.Failure(description: "kind must be \"numeric\" or \"categorical\"; expected \(Self.form)")
        }
        reference = try Self.counts("reference", document)
        current = try Self.counts("current", document)
        let bins = reference.count
        guard current.count == bins else {
            throw Compare.Failure(
                description:
                    "reference has \(bins) counts and current has \(current.count): both must be over the same bins")
        }
        edges = isNumeric ? try Self.edges(document) : []
        categories = isNumeric ? [] : try Self.categories(document, bins: bins)
        switch edges.count {
        case 0 where bins > 1 || !isNumeric: ends = .unplaced
        case bins - 1: ends = .open
        case bins + 1: ends = .closed
        default:
            throw Compare.Failure(
                description:
                    "\(edges.count) edges for \(bins) counts: expected \(bins - 1) edges (the outer bins are open tails) or \(bins + 1) (every bin lies between two edges)"
            )
        }
    }

    private static func counts(_ name: String, _ document: JSON) throws(Compare.Failure) -> [UInt64] {
        guard let items = document[name]?.arrayValue else {
            throw Compare.Failure(description: "\(name) must be an array of counts; expected \(form)")
        }
        guard !items.isEmpty else {
            throw Compare.Failure(description: "\(name) is empty: expected one count for each bin")
        }
        guard items.count <= maximumBins else {
            throw Compare.Failure(description: "\(name) has \(items.count) counts; at most \(maximumBins) are read")
        }
        var result: [UInt64] = []
        for (i, item) in items.enumerated() {
            // Up to 2^53 a double counts exactly.
            guard let value = item.numberValue, value >= 0, value <= 0x1p53, value == value.rounded() else {
                throw Compare.Failure(
                    description:
                        "\(name)[\(i)] is \(item.text.prefix(40)): expected a count, a whole number from 0 to 2^53")
            }
            result.append(UInt64(value))
        }
        return result
    }

    private static func edges(_ document: JSON) throws(Compare.Failure) -> [Double] {
        guard let member = document["edges"], member != .null else { return [] }
        guard let items = member.arrayValue else {
            throw Compare.Failure(description: "edges must be an array of ascending numbers")
        }
        var result: [Double] = []
        for (i, item) in items.enumerated() {
            guard let value = item.numberValue, value.isFinite else {
                throw Compare.Failure(
                    description:
                        "edges[\(i)] is \(item.text.prefix(40)): expected a finite number; open tails need no edge")
            }
            if let last = result.last, value <= last {
                throw Compare.Failure(
                    description: "edges[\(i)] is \(item.text), not above the one before it: edges must ascend")
            }
            result.append(value)
        }
        return result
    }

    private static func categories(_ document: JSON, bins: Int) throws(Compare.Failure) -> [String] {
        guard let member = document["categories"], member != .null else { return (1...bins).map { "bin \($0)" } }
        let names = (member.arrayValue ?? []).compactMap(\.stringValue)
        guard names.count == bins, member.arrayValue?.count == bins else {
            throw Compare.Failure(description: "categories must be \(bins) texts, one for each count")
        }
        return names
    }

    /// Where the mass of each bin is taken to lie: its middle, and for an open tail its edge, which is the least that can
    /// be said. `nil` where the bins have no place.
    private var positions: [Double]? {
        switch ends {
        case .unplaced: nil
        case .closed: zip(edges, edges.dropFirst()).map { $0 + ($1 - $0) / 2 }
        case .open:
            edges.isEmpty
                ? nil : [edges[0]] + zip(edges, edges.dropFirst()).map { $0 + ($1 - $0) / 2 } + [edges[edges.count - 1]]
        }
    }

    private static let distances: [Metric] = [
        .psi, .psi_p, .kl, .kl_reversed, .js, .js_divergence, .js_distance, .hellinger, .tvd, .l_infinity, .chi2,
        .chi2_p,
        .cramers_v,
    ]

    func column(_ name: String, _ options: Compare.Options) -> CompareColumn {
        let found = Histograms(reference, current, options.smoothing, isNumeric: isNumeric)
        var metrics: [CompareMetric]
        if let convention = options.convention {
            metrics = convention.distances(bins: reference, current, isNumeric: isNumeric)
        } else {
            metrics = Self.distances.map { CompareMetric($0.name, found[$0]) }
            if isNumeric {
                let wasserstein = positions.flatMap(wasserstein)
                metrics += [
                    CompareMetric("ks", found[.ks]), CompareMetric("ks_p", found[.ks_p]),
                    CompareMetric("wasserstein", wasserstein?.distance),
                    CompareMetric("wasserstein_normed", wasserstein?.normed),
                ]
            }
        }
        return CompareColumn(
            name: name, isNumeric: isNumeric, segment: .all, referenceSegment: .all, n: current.reduce(0, &+),
            referenceN: reference.reduce(0, &+), null: 0, referenceNull: 0, metrics: metrics, referenceMetrics: [],
            comparison: Comparison(
                edges: edges, categories: categories, reference: reference, current: current, referenceNulls: 0,
                currentNulls: 0),
            newCategories: [], chart: CompareChart(labels: labels, reference: reference, current: current),
            psi: found[.psi], psiP: found[.psi_p], threshold: options.threshold)
    }

    private var labels: [String] {
        guard isNumeric else { return categories }
        let names = edges.map { CompareText.number($0) }
        let between = zip(names, names.dropFirst()).map { "\($0) to \($1)" }
        return switch ends {
        case .unplaced: (1...reference.count).map { "bin \($0)" }
        case .closed: between
        case .open:
            names.isEmpty ? ["all"] : ["up to \(names[0])"] + between + ["above \(names[names.count - 1])"]
        }
    }

    /// W1 with all mass of a bin at its position, and the same in standard deviations of the reference.
    private func wasserstein(_ positions: [Double]) -> (distance: Double, normed: Double?)? {
        let m = reference.reduce(0.0) { $0 + Double($1) }
        let n = current.reduce(0.0) { $0 + Double($1) }
        guard m > 0, n > 0 else { return nil }
        var f = 0.0
        var g = 0.0
        var distance = 0.0
        for i in positions.indices.dropLast() {
            f += Double(reference[i])
            g += Double(current[i])
            distance += abs(f / m - g / n) * (positions[i + 1] - positions[i])
        }
        let mean = zip(positions, reference).reduce(0.0) { $0 + $1.0 * (Double($1.1) / m) }
        let squares = zip(positions, reference).reduce(0.0) { $0 + ($1.0 - mean) * ($1.0 - mean) * Double($1.1) }
        let deviation = m > 1 ? (squares / (m - 1)).squareRoot() : 0
        return (distance, CompareColumn.normed(distance, by: deviation))
    }
}

/// The distances of two histograms in their own bins: unlike rows, counts may have categories the reference has nothing
/// in, each of which stays a bin of its own.
private struct Histograms {
    private var values = MetricValues()

    init(_ p: [UInt64], _ q: [UInt64], _ smoothing: Smoothing, isNumeric: Bool) {
        values[.psi] = Distances.psi(p, q, smoothing: smoothing)
        values[.kl] = Distances.kl(p, q, smoothing: smoothing)
        values[.kl_reversed] = Distances.kl(q, p, smoothing: smoothing)
        values[.js_divergence] = Distances.jsDivergence(p, q)
        values[.js] = Distances.js(p, q)
        values[.js_distance] = values[.js].map { $0.squareRoot() }
        values[.hellinger] = Distances.hellinger(p, q)
        values[.tvd] = Distances.tvd(p, q)
        values[.l_infinity] = Distances.lInfinity(p, q)
        // Merged where thin: these bins need not be the reference's quantiles.
        if let table = Contingency(p, q, merging: true) {
            values[.chi2] = table.chi2
            values[.chi2_p] = table.chi2P
            values[.cramers_v] = table.cramersV
            values[.psi_p] = table.psiP
        }
        if isNumeric { addKolmogorov(p, q) }
    }

    /// KS at the bins' ends: what binning hides between them can only make it larger.
    private mutating func addKolmogorov(_ p: [UInt64], _ q: [UInt64]) {
        let m = p.reduce(0.0) { $0 + Double($1) }
        let n = q.reduce(0.0) { $0 + Double($1) }
        guard m > 0, n > 0 else { return }
        var f = 0.0
        var g = 0.0
        var distance = 0.0
        for (a, b) in zip(p, q) {
            f += Double(a)
            g += Double(b)
            distance = max(distance, abs(f / m - g / n))
        }
        values[.ks] = distance
        values[.ks_p] = Samples.asymptoticP(distance, m, n)
    }

    subscript(metric: Metric) -> Double? { values[metric] }
}

extension Compare {
    /// The report of a file of counts.
    package static func counts(file path: String, options: Options) throws(Failure) -> CompareReport {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(description: "\(path): cannot be read; expected a file of histograms")
        }
        do throws(Failure) {
            return try counts([UInt8](data), name: path, options: options)
        } catch {
            throw Failure(description: "\(path): \(error)")
        }
    }

    package static func counts(
        _ bytes: [UInt8], name: String, options: Options
    ) throws(Failure) -> CompareReport {
        guard options.segments.isEmpty else {
            throw Failure(description: "counts have no segments: leave out --segment")
        }
        let counts = try CompareCounts(bytes)
        let column = counts.column("counts", options)
        var notes: [String] = []
        if counts.isNumeric {
            switch counts.ends {
            case .open: notes.append("\(counts.reference.count) bins, the first and last are open tails")
            case .closed: notes.append("\(counts.reference.count) bins, each between two edges")
            case .unplaced:
                notes.append("\(counts.reference.count) bins without edges: taken in order, and without wasserstein")
            }
        }
        for (side, n) in [("reference", column.referenceN), ("current", column.n)] where n == 0 {
            notes.append("\(side) counts nothing: no distance can be said")
        }
        return CompareReport(
            reference: .init(file: name, rows: column.referenceN), current: .init(file: name, rows: column.n),
            columns: [column], options: options, notes: notes)
    }
}
