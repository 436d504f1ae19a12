/// The bins a test uses: those of a histogram, merged until each is expected to hold enough rows for the null law of the
/// statistics to hold (Cochran 1954: five). Counts are doubles because parts of segments are taken off each other.
package struct TestBins: Sendable {
    package let reference: [Double]
    package let current: [Double]
    /// Rows of each side.
    package let m: Double
    package let n: Double

    /// Expected rows a bin needs, in the window and in the reference.
    package static let minimumExpected = 5.0
    /// Rows below which a window says nothing, and a reference.
    package static let minimumRows = 15.0
    package static let minimumReference = 30.0

    /// Degrees of freedom.
    package var degrees: Double { Double(reference.count - 1) }

    /// `nil` where there are too few rows, or all of them in one bin: nothing can be said.
    ///
    /// Ordered bins are merged with their neighbours; categories with too few rows become one rest, into which the next
    /// rarest goes if the rest itself stays too thin.
    package init?(reference: [Double], current: [Double], isOrdered: Bool) {
        let m = reference.reduce(0, +)
        let n = current.reduce(0, +)
        guard n >= Self.minimumRows, m >= Self.minimumReference, reference.count == current.count else { return nil }
        // The same limit on the reference share covers both sides: n·p and p·m.
        let need = Self.minimumExpected * m / min(n, m)
        var p: [Double] = []
        var q: [Double] = []
        var rest = (p: 0.0, q: 0.0)
        if isOrdered {
            for (a, b) in zip(reference, current) {
                rest.p += a
                rest.q += b
                guard rest.p >= need else { continue }
                p.append(rest.p)
                q.append(rest.q)
                rest = (0, 0)
            }
            if rest.p > 0 || rest.q > 0 {
                if p.isEmpty { return nil }
                p[p.count - 1] += rest.p
                q[q.count - 1] += rest.q
            }
        } else {
            for i in reference.indices.sorted(by: { (reference[$0], $0) < (reference[$1], $1) }) {
                if reference[i] < need || (rest.p + rest.q > 0 && rest.p < need) {
                    rest.p += reference[i]
                    rest.q += current[i]
                } else {
                    p.append(reference[i])
                    q.append(current[i])
                }
            }
            if rest.p > 0 || rest.q > 0 {
                p.append(rest.p)
                q.append(rest.q)
            }
        }
        guard p.count > 1 else { return nil }
        self.reference = p
        self.current = q
        self.m = m
        self.n = n
    }
}
