import Foundation
import Sketches
import Statistics
import TestSupport
import Testing
import Values
import Windows

/// Unit changes are looked for in profiles of real bins, made of long-tailed values as amounts have them.
@Suite struct UnitChangeTests {
    private static func amounts(_ n: Int, _ random: inout SeededGenerator) -> [Double] {
        (0..<n).map { _ in
            let u = Double.random(in: 1e-12..<1, using: &random)
            let v = Double.random(in: 0..<1, using: &random)
            return exp(3.4 + 1.0 * (-2 * log(u)).squareRoot() * cos(2 * Double.pi * v))
        }
    }

    /// A row as the snapshot would hold it: fine bins at the reference's quantiles, deciles for distances.
    private static func row(_ reference: [Double], _ current: [Double]) -> SnapshotRow {
        let sorted = reference.sorted()
        var edges = [sorted[0].nextDown]
        for i in 1..<200 {
            let edge = sorted[i * sorted.count / 200]
            if edge > edges[edges.count - 1] { edges.append(edge) }
        }
        edges.append(sorted[sorted.count - 1])
        let cuts = (1..<10).map { d in edges.firstIndex { $0 >= sorted[d * sorted.count / 10] } ?? edges.count - 1 }
        let exponent = Moments.exponent(forMagnitude: sorted[sorted.count - 1])
        let column = Layout(columns: [("x", .numeric(NumericBins(edges: edges), exponent: exponent))]).columns[0]
        func profile(_ values: [Double]) -> ColumnProfile {
            var profile = ColumnProfile(bins: .init(repeating: 0, count: edges.count + 1), moments: Moments())
            let bins = NumericBins(edges: edges)
            for value in values {
                profile.bins[bins.index(of: value)] += 1
                profile.moments?.add(value, scale: Moments.scale(exponent: exponent))
            }
            return profile
        }
        let (p, q) = (profile(reference), profile(current))
        let (metrics, comparison) = columnMetrics(
            column: column, cuts: cuts, reference: p, current: q, smoothing: .jeffreys)
        return SnapshotRow(
            version: "*", segment: .all, column: "x", kind: "numeric", n: q.rows, null: 0, referenceN: p.rows,
            referenceSegment: .all, metrics: metrics, referenceMetrics: columnDescription(column: column, profile: p),
            comparison: comparison, common: comparison)
    }

    @Test(arguments: [100.0, 1000, 10, 0.01, 0.1, 0.001, 1.609344, 0.45359237, 0.3048])
    func `a known factor is found and named`(_ factor: Double) async throws {
        try await blocking {
            var random = SeededGenerator(seed: 3)
            let large = abs(log10(factor)) > 0.9
            var found = 0
            let turns = large ? 20 : 8
            for _ in 0..<turns {
                let reference = Self.amounts(large ? 3000 : 20_000, &random)
                let current = Self.amounts(large ? 120 : 20_000, &random).map { $0 * factor }
                if UnitChange.find(in: Self.row(reference, current))?.factor == factor { found += 1 }
            }
            #expect(found >= turns * 17 / 20, "\(factor): \(found) of \(turns)")
        }
    }

    @Test func `few rows times sixty are not told as a hundred times, at most as one of the two`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 7)
            var named: [String: Int] = [:]
            for _ in 0..<60 {
                let reference = Self.amounts(4000, &random)
                let current = Self.amounts(70, &random).map { $0 * 60 }
                if let words = UnitChange.find(in: Self.row(reference, current))?.words {
                    named[words, default: 0] += 1
                }
            }
            let right = named.filter { $0.key.contains("60 times") }.values.reduce(0, +)
            #expect(right >= 54 && named["100 times", default: 0] <= 1, "\(named)")
            #expect(named["60 times", default: 0] >= 30, "\(named)")
        }
    }

    @Test func `a change of some rows is found with their share`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 5)
            var found = 0
            for _ in 0..<20 {
                let reference = Self.amounts(3000, &random)
                let current = Self.amounts(300, &random).enumerated().map {
                    $0.offset % 5 < 3 ? $0.element * 100 : $0.element
                }
                let change = UnitChange.find(in: Self.row(reference, current))
                if change?.factor == 100, abs((change?.share ?? 0) - 0.6) < 0.25 { found += 1 }
            }
            #expect(found >= 16, "\(found) of 20")
        }
    }

    @Test func `no shift, and shifts that are no unit, name none`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 9)
            var named: [String] = []
            for turn in 0..<80 {
                let reference = Self.amounts(3000, &random)
                let factor = [1.0, 1.2, 1.4, 2, 3.3, 5, 0.7, 0.4][turn % 8]
                let current = Self.amounts(400, &random).map { pow($0, turn % 3 == 0 ? 1.1 : 1) * factor }
                if let change = UnitChange.find(in: Self.row(reference, current)) {
                    named.append("\(factor), turn \(turn): \(change)")
                }
            }
            #expect(named.isEmpty, "\(named)")
        }
    }
}
