/// The bins of a numeric column: `(−∞, e₀] (e₀, e₁] … (eₖ, ∞)`. A value equal to an edge belongs to the lower bin.
///
/// Invariant: edges are finite, ascending and distinct; at most `maximumEdges` of them, so that a bin with the four
/// special codes of a column fits 16 bits.
package struct NumericBins: Sendable, Hashable {
    package static let maximumEdges = 4_000

    package let edges: [Double]

    package init(edges: [Double]) {
        precondition(edges.count <= Self.maximumEdges, "too many bin edges")
        self.edges = edges
    }

    package var count: Int { edges.count + 1 }

    /// The bin of a finite value: the number of edges below it. Branch-free binary search, O(log edges).
    @inline(__always)
    package func index(of value: Double) -> Int {
        edges.withUnsafeBufferPointer { e in
            var base = 0
            var length = e.count
            while length > 0 {
                let half = length >> 1
                let below = e[base &+ half] < value
                base = below ? base &+ half &+ 1 : base
                length = below ? length &- half &- 1 : half
            }
            return base
        }
    }

    /// The interval a bin covers; infinite at the two ends.
    package func bounds(of bin: Int) -> (lower: Double, upper: Double) {
        (bin == 0 ? -.infinity : edges[bin - 1], bin == edges.count ? .infinity : edges[bin])
    }
}
