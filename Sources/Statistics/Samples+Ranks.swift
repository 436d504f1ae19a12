extension Samples {
    /// The two-sample Cramér–von Mises criterion T (Anderson 1962), with midranks where values are tied.
    package static func cramerVonMises(_ reference: [Double], _ current: [Double]) -> Double? {
        let x = reference.sorted()
        let y = current.sorted()
        guard !x.isEmpty, !y.isEmpty else { return nil }
        let m = Double(x.count)
        let n = Double(y.count)
        // Σ (midrank − own rank)² over each sample; a tie gives its members one midrank and their own ranks in turn.
        var sumX = 0.0
        var sumY = 0.0
        walk(x, y) { tie in
            let midrank = Double(tie.belowX + tie.belowY) + Double(tie.inX + tie.inY + 1) / 2
            sumX += squares(midrank - Double(tie.belowX), tie.inX)
            sumY += squares(midrank - Double(tie.belowY), tie.inY)
        }
        let u = m * sumX + n * sumY
        let total = m + n
        return u / (m * n * total) - (4 * m * n - 1) / (6 * total)
    }

    /// Σ over i in 1...count of (from − i)².
    private static func squares(_ from: Double, _ count: Int) -> Double {
        var sum = 0.0
        for i in 0..<count {
            let d = from - Double(i + 1)
            sum += d * d
        }
        return sum
    }

    /// The two-sample Anderson–Darling statistic, standardised, with midranks: A²akN of Scholz and Stephens, "K-Sample
    /// Anderson–Darling Tests", JASA 82 (1987), equations 7 and 4. `nil` where all values are the same.
    package static func andersonDarling(_ reference: [Double], _ current: [Double]) -> Double? {
        let x = reference.sorted()
        let y = current.sorted()
        guard !x.isEmpty, !y.isEmpty, x.count + y.count > 3 else { return nil }
        let total = Double(x.count + y.count)
        var distinct = 0
        var sums = (x: 0.0, y: 0.0)
        walk(x, y) { tie in
            distinct += 1
            let tied = Double(tie.inX + tie.inY)
            let below = Double(tie.belowX + tie.belowY) + tied / 2
            let weight = below * (total - below) - total * tied / 4
            guard weight > 0 else { return }
            func square(_ below: Int, _ inside: Int, _ size: Int, _ pooled: Double) -> Double {
                let d = total * (Double(below) + Double(inside) / 2) - pooled * Double(size)
                return d * d
            }
            sums.x += tied / total * square(tie.belowX, tie.inX, x.count, below) / weight
            sums.y += tied / total * square(tie.belowY, tie.inY, y.count, below) / weight
        }
        guard distinct > 1 else { return nil }
        let statistic = (sums.x / Double(x.count) + sums.y / Double(y.count)) * (total - 1) / total
        return (statistic - 1) / andersonDarlingDeviation(x.count, y.count)
    }

    /// The standard deviation of A²kN for two samples (Scholz and Stephens 1987, equation 4).
    private static func andersonDarlingDeviation(_ m: Int, _ n: Int) -> Double {
        let count = m + n
        let total = Double(count)
        let inverses = 1 / Double(m) + 1 / Double(n)
        var h = 0.0
        for i in 1..<count { h += 1 / Double(i) }
        // g = Σ_{i<j} 1 / ((N − i)·j), with the inner sum kept as it grows.
        var g = 0.0
        var tail = 0.0
        for i in stride(from: count - 2, through: 1, by: -1) {
            tail += 1 / Double(i + 1)
            g += tail / Double(count - i)
        }
        let a = (4 * g - 6) + (10 - 6 * g) * inverses
        let b = (2 * g - 4) * 4 + 16 * h + (2 * g - 14 * h - 4) * inverses - 8 * h + 4 * g - 6
        let c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * inverses + 4 * h
        let d = (2 * h + 6) * 4 - 8 * h
        let variance =
            (((a * total + b) * total + c) * total + d) / ((total - 1) * (total - 2) * (total - 3))
        return variance.squareRoot()
    }
}
