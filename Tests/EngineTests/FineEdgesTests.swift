import Foundation
import Statistics
import TestSupport
import Testing
import Windows

/// The edges of fine bins: what binning may hide, and what it may not.
struct FineEdgesTests {
    private struct Sample {
        let name: String
        let values: [Double]
    }

    private static func samples(_ random: inout SeededGenerator) -> [Sample] {
        func make(_ count: Int, _ value: (inout SeededGenerator) -> Double) -> [Double] {
            (0..<count).map { _ in value(&random) }.sorted()
        }
        return [
            Sample(name: "one value", values: [3]),
            Sample(name: "one zero", values: [0]),
            Sample(name: "two values", values: [-1, 1]),
            Sample(name: "constant", values: make(5_000) { _ in 42 }),
            Sample(name: "few rows", values: make(12) { Double.random(in: 0...1, using: &$0) }),
            Sample(name: "239 rows", values: make(239) { Double.random(in: 0...1, using: &$0) }),
            Sample(name: "booleans", values: make(3_000) { Bool.random(using: &$0) ? 1 : 0 }),
            Sample(name: "small integers", values: make(3_000) { Double(Int.random(in: 0...99, using: &$0)) }),
            Sample(name: "many integers", values: make(5_000) { Double(Int.random(in: 0...2_000, using: &$0)) }),
            Sample(name: "uniform", values: make(10_000) { Double.random(in: -5...5, using: &$0) }),
            Sample(
                name: "zeros and a tail",
                values: make(5_000) { Bool.random(using: &$0) ? 0 : exp(Double.random(in: 0...20, using: &$0)) }),
            Sample(
                name: "rounded prices",
                values: make(8_000) { (exp(Double.random(in: 0...9, using: &$0)) * 100).rounded() / 100 }),
            Sample(
                name: "huge",
                values: make(2_000) { Double.random(in: -1...1, using: &$0) * 1e308 } + [.greatestFiniteMagnitude]),
            Sample(
                name: "denormal",
                values: make(2_000) { Double.leastNonzeroMagnitude * Double(Int.random(in: 0...900, using: &$0)) }),
            Sample(
                name: "both ends",
                values: ([-Double.greatestFiniteMagnitude, .greatestFiniteMagnitude]
                    + make(500) { Double.random(in: 0...1, using: &$0) })
                    .sorted()),
        ]
    }

    /// The largest share of the values in a bin that more than one representable value can fall into, each value of its
    /// own counted.
    private static func largestMixedShare(_ sorted: [Double], _ edges: [Double]) -> Double {
        var largest = 0
        var from = 0
        for edge in edges + [.infinity] {
            var to = from
            while to < sorted.count, sorted[to] <= edge { to += 1 }
            if to > from, sorted[from] != sorted[to - 1] { largest = max(largest, to - from) }
            from = to
        }
        return Double(largest) / Double(sorted.count)
    }

    @Test func `edges are sorted, distinct and finite, hold every decile, and hide at most a 240th`() {
        var random = SeededGenerator(seed: 601)
        for round in 0..<3 {
            for sample in Self.samples(&random) {
                let groups = (2...4).map { k in
                    sample.values.enumerated().filter { $0.offset % k == 0 }.map(\.element)
                }
                let edges = FineEdges.choose(all: sample.values, groups: groups, bins: 10)
                let name = "\(sample.name), seed \(random.seed) round \(round)"
                #expect(edges.allSatisfy(\.isFinite) && zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 }, "\(name)")
                #expect(edges.count <= 2_000 && !edges.contains { $0 == 0 && $0.sign == .minus }, "\(name)")
                let known = Set(edges)
                for values in [sample.values] + groups where values.count >= 30 || values == sample.values {
                    #expect(Samples.quantileEdges(sorted: values, bins: 10).allSatisfy(known.contains), "\(name)")
                    #expect(Self.largestMixedShare(values, edges) <= 1.0 / 240, "\(name)")
                }
                #expect(known.contains(sample.values[sample.values.count - 1]), "\(name): the maximum ends a bin")
            }
        }
    }

    @Test func `a common value has its bin to itself`() {
        var random = SeededGenerator(seed: 602)
        let values =
            ((0..<2_000).map { _ in Double.random(in: 0...1, using: &random) } + [Double](repeating: 0.5, count: 20))
            .sorted()
        let edges = FineEdges.choose(all: values, groups: [], bins: 10)
        #expect(edges.contains(0.5) && edges.contains(0.5.nextDown))
    }

    @Test func `hundreds of segments leave all traffic its resolution`() {
        var random = SeededGenerator(seed: 603)
        let groups = (0..<600).map { k in
            (0..<40).map { _ in Double.random(in: 0...1, using: &random) + Double(k) / 100 }.sorted()
        }
        let all = groups.flatMap(\.self).sorted()
        let edges = FineEdges.choose(all: all, groups: groups, bins: 10)
        #expect(edges.count <= 2_000)
        #expect(Self.largestMixedShare(all, edges) <= 1.0 / 240)
        #expect(Samples.quantileEdges(sorted: all, bins: 10).allSatisfy(Set(edges).contains))
    }

    @Test func `beyond the reference the tails are split at 0.1, 1, 10 and 100 ranges`() {
        let edges = Set(FineEdges.choose(all: [0, 5, 10], groups: [], bins: 10))
        for tail: Double in [-1_000, -100, -10, -1, 0.0.nextDown, 11, 20, 110, 1_010] { #expect(edges.contains(tail)) }
    }
}
