import Events
import Statistics

/// The values of one column in some rows of one file, counted and sorted once for all statistics.
struct CompareSamples {
    /// All rows looked at; those without a usable value are among `nulls` or `invalids`.
    private(set) var rows: UInt64 = 0
    private(set) var nulls: UInt64 = 0
    private(set) var invalids: UInt64 = 0
    /// Numeric columns: the finite values, ascending.
    private(set) var values: [Double] = []
    /// Categorical columns: how often each category occurs.
    private(set) var categories: [String: UInt64] = [:]

    /// - Parameter column: `nil` where the file does not have it: every row is then a null.
    init(numeric column: DataTable.Column?, rows list: [Int]) {
        rows = UInt64(list.count)
        guard let column else {
            nulls = rows
            return
        }
        for row in list {
            switch column[row] {
            case .number(let value): values.append(value)
            case .text: invalids += 1
            case .hole(let hole): count(hole)
            }
        }
        values.sort()
    }

    init(categorical column: DataTable.Column?, rows list: [Int]) {
        rows = UInt64(list.count)
        guard let column else {
            nulls = rows
            return
        }
        // Texts are counted by their number, so that a string is made once for each category and not for each row.
        var texts: [Int: UInt64] = [:]
        var numbers: [Double: UInt64] = [:]
        for row in list {
            switch column[row] {
            case .number(let value): numbers[value, default: 0] += 1
            case .text(let index): texts[index, default: 0] += 1
            case .hole(let hole): count(hole)
            }
        }
        for (index, count) in texts { categories[column.text(index), default: 0] += count }
        for (value, count) in numbers { categories[JSONText.canonical(value), default: 0] += count }
    }

    private mutating func count(_ hole: Hole) {
        switch hole {
        case .null, .missing, .absent: nulls += 1
        case .invalid, .wrongType: invalids += 1
        }
    }

    /// Categories by frequency, then by name.
    var ranked: [(name: String, count: UInt64)] {
        categories.map { (name: $0.key, count: $0.value) }
            .sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }

    /// How many values lie in each of the bins `(−∞, e₀] (e₀, e₁] … (eₖ, ∞)`. O(values).
    func histogram(_ edges: [Double]) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: edges.count + 1)
        var bin = 0
        for value in values {
            while bin < edges.count, edges[bin] < value { bin += 1 }
            counts[bin] += 1
        }
        return counts
    }

    var mean: Double? {
        guard !values.isEmpty else { return nil }
        let n = Double(values.count)
        let sum = Self.sum(values) { $0 }
        // Values near the end of the range add up past it; their shares do not.
        return sum.isFinite ? sum / n : Self.sum(values) { $0 / n }
    }

    /// The standard deviation with divisor n − `freedom`; 0 for one value.
    func standardDeviation(freedom: Int = 1) -> Double? {
        guard let mean else { return nil }
        guard values.count > 1 else { return 0 }
        let squares = Self.sum(values) { ($0 - mean) * ($0 - mean) }
        return (squares / Double(values.count - freedom)).squareRoot()
    }

    func quantile(_ probability: Double) -> Double? { Samples.quantile(sorted: values, probability) }

    /// Neumaier's compensated sum: a million terms without a million roundings.
    private static func sum(_ values: [Double], _ term: (Double) -> Double) -> Double {
        var sum = 0.0
        var lost = 0.0
        for value in values {
            let x = term(value)
            let next = sum + x
            lost += abs(sum) >= abs(x) ? (sum - next) + x : (x - next) + sum
            sum = next
        }
        return lost.isFinite ? sum + lost : sum
    }
}

extension CompareSamples {
    /// Most pairs (n·m) for which the exact distribution of KS is worked out. Its cost is their number; beyond, the
    /// asymptotic one is good to three digits and costs nothing.
    static let exactPairs = 4_000_000

    /// Two-sample Kolmogorov–Smirnov over both sorted samples, O(n + m).
    /// - Parameter exactDespiteTies: as scipy does, which uses the exact law whether or not values are tied.
    static func ks(
        _ reference: CompareSamples, _ current: CompareSamples, exactDespiteTies: Bool = false
    ) -> (distance: Double, p: Double?)? {
        let x = reference.values
        let y = current.values
        guard !x.isEmpty, !y.isEmpty else { return nil }
        let m = Double(x.count)
        let n = Double(y.count)
        var distance = 0.0
        var hasTies = false
        var i = 0
        var j = 0
        while i < x.count || j < y.count {
            let value = i == x.count ? y[j] : j == y.count ? x[i] : min(x[i], y[j])
            let before = i + j
            while i < x.count, x[i] == value { i += 1 }
            while j < y.count, y[j] == value { j += 1 }
            if i + j - before > 1 { hasTies = true }
            distance = max(distance, abs(Double(i) / m - Double(j) / n))
        }
        let (pairs, overflow) = x.count.multipliedReportingOverflow(by: y.count)
        let isExact = !overflow && pairs <= exactPairs && (exactDespiteTies || !hasTies)
        let p =
            isExact
            ? Samples.exactP(distance, x.count, y.count) : Samples.asymptoticP(distance, m, n)
        return (distance, p)
    }
}
