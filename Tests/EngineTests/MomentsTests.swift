import Foundation
import Sketches
import TestSupport
import Testing

/// Sums that do not depend on order, and lose nothing that matters.
struct MomentsTests {
    private static func moments(_ values: [Double], exponent: Int) -> Moments {
        var moments = Moments()
        for value in values { moments.add(value, scale: Moments.scale(exponent: exponent)) }
        return moments
    }

    @Test func `whole numbers are summed exactly`() {
        let values = (1...1_000).map(Double.init)
        let exponent = Moments.exponent(forMagnitude: 1_000)
        let moments = Self.moments(values, exponent: exponent)
        let unit = Int128(1) << Int128(exponent)
        #expect(moments.count == 1_000 && moments.minimum == 1 && moments.maximum == 1_000)
        #expect(moments.sum == 500_500 * unit)
        #expect(moments.sumOfSquares == 333_833_500 * unit * unit)
        #expect(moments.mean(exponent: exponent) == 500.5)
        // The variance of 1…n is n(n + 1)/12 with divisor n − 1.
        #expect(moments.standardDeviation(exponent: exponent) == (1_000.0 * 1_001 / 12).squareRoot())
    }

    /// `statistics.mean` and `statistics.stdev` of CPython, which calculate in fractions.
    @Test(
        arguments: [
            ([0.1, 0.2, 0.3], 0.2, 0.1), ([1e9 + 1, 1e9 + 2, 1e9 + 3], 1_000_000_002, 1), ([-5.5], -5.5, 0),
            ([3, 3, 3, 3], 3, 0), ([-1e-9, 2e-9, 3.5e-9], 1.5e-9, 2.2912878474779198e-9),
            ([1e285, 3e285], 2e285, 1.4142135623730951e285), ([-1e308, 5e307], -2.5e307, 1.0606601717798212e308),
            ([1e-250, 3e-250], 2e-250, 1.4142135623730951e-250),
        ] as [([Double], Double, Double)])
    func `mean and deviation agree with exact fractions`(values: [Double], mean: Double, deviation: Double) {
        let exponent = Moments.exponent(forMagnitude: values.map(abs).max() ?? 1)
        let moments = Self.moments(values, exponent: exponent)
        #expect(agree(moments.mean(exponent: exponent), mean, relative: 1e-10, absolute: 0))
        #expect(agree(moments.standardDeviation(exponent: exponent), deviation, relative: 1e-9, absolute: 0))
    }

    @Test func `mean and deviation agree with two passes over random values`() throws {
        var random = SeededGenerator(seed: 23)
        for round in 0..<300 {
            let magnitude = pow(10, Double(Int.random(in: -200...200, using: &random)))
            let values = (0..<Int.random(in: 2...200, using: &random)).map { _ in
                Double.random(in: -1...1, using: &random) * magnitude
            }
            let exponent = Moments.exponent(forMagnitude: magnitude)
            let moments = Self.moments(values, exponent: exponent)
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.reduce(0) { $0 + ($1 - mean) / magnitude * (($1 - mean) / magnitude) }
            let deviation = (variance / Double(values.count - 1)).squareRoot()
            let found = try #require(moments.mean(exponent: exponent))
            #expect(abs(found - mean) < 1e-11 * magnitude, "seed \(random.seed) round \(round)")
            let spread = try #require(moments.standardDeviation(exponent: exponent)) / magnitude
            #expect(abs(spread - deviation) < 1e-10, "seed \(random.seed) round \(round)")
        }
    }

    @Test func `without values there is no mean, with one no spread`() {
        #expect(Moments().mean(exponent: 0) == nil && Moments().standardDeviation(exponent: 0) == nil)
        #expect(Self.moments([7], exponent: 10).standardDeviation(exponent: 10) == 0)
    }

    @Test func `a value too large for the sums leaves them silent, and the extremes exact`() {
        let exponent = Moments.exponent(forMagnitude: 100)
        let moments = Self.moments([1e300, -1e300, 5], exponent: exponent)
        #expect(moments.minimum == -1e300 && moments.maximum == 1e300)
        #expect(moments.mean(exponent: exponent) == nil && moments.standardDeviation(exponent: exponent) == nil)
        let large = Self.moments([1e6, 1e6], exponent: exponent)
        #expect(large.mean(exponent: exponent) == 1e6 && large.standardDeviation(exponent: exponent) == 0)
    }

    @Test(arguments: [0, .infinity, .nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -3])
    func `any magnitude gives a usable scale`(magnitude: Double) {
        let scale = Moments.scale(exponent: Moments.exponent(forMagnitude: magnitude))
        #expect(scale.isNormal && (1 / scale).isNormal)
    }
}
