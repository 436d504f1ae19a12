import Sketches
import TestSupport
import Testing

/// The table finds exactly the bin that a search over the edges finds, wherever the edges lie.
struct BinIndexTests {
    /// Edge sets of many shapes, sorted and distinct.
    private static func edges(_ shape: Int, _ random: inout SeededGenerator) -> [Double] {
        let count = [0, 1, 2, 9, 240, 2_000][Int.random(in: 0..<6, using: &random)]
        let scale = Double(sign: .plus, exponent: Int.random(in: -300...300, using: &random), significand: 1)
        let values: [Double] = (0..<count).map { i in
            let u = Double.random(in: -1...1, using: &random)
            return switch shape {
            case 0: u
            case 1: u * u * u * scale
            case 2: Double(i)
            case 3: Double(bitPattern: UInt64.random(in: 0..<0x7ff0_0000_0000_0000, using: &random))
            case 4: -Double(bitPattern: UInt64.random(in: 0..<0x7ff0_0000_0000_0000, using: &random))
            case 5: i % 2 == 0 ? Double(i / 2) : Double(i / 2).nextDown
            case 6: 1e15 + Double(i)
            default:
                [-1e308, 0, 1e308, Double.leastNonzeroMagnitude, -Double.leastNonzeroMagnitude][i % 5]
                    * Double.random(in: 0...1, using: &random)
            }
        }
        return Set(values.filter(\.isFinite).map { $0 == 0 ? 0 : $0 }).sorted()
    }

    @Test func `the bin is the one a plain search finds`() {
        var random = SeededGenerator(seed: 811)
        for round in 0..<400 {
            let bins = NumericBins(edges: Self.edges(round % 8, &random))
            let index = BinIndex(bins)
            var values: [Double] = [
                0, -0.0, 1, -1, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, Double.leastNonzeroMagnitude,
                -Double.leastNonzeroMagnitude,
            ]
            for edge in bins.edges.prefix(300) { values += [edge, edge.nextUp, edge.nextDown] }
            for _ in 0..<200 {
                values.append(Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random)))
                values.append(Double.random(in: -2...2, using: &random))
                if let low = bins.edges.first, let high = bins.edges.last {
                    values.append(low / 2 + high / 2 + Double.random(in: -1...1, using: &random) * (high / 2 - low / 2))
                }
            }
            for value in values where value.isFinite {
                #expect(index.index(of: value) == bins.index(of: value), "seed \(random.seed) round \(round) \(value)")
            }
        }
    }

    @Test func `columns are encoded as single values are, and NaN as the caller says`() {
        var random = SeededGenerator(seed: 812)
        for shape in 0..<8 {
            let bins = NumericBins(edges: Self.edges(shape, &random))
            let index = BinIndex(bins)
            let values = (0..<300).map { $0 % 7 == 0 ? Double.nan : Double.random(in: -3...300, using: &random) }
            var codes = [UInt32](repeating: 0, count: values.count)
            index.encode(values, stride: 1, count: values.count, into: &codes) { _ in 7_777 }
            for (i, value) in values.enumerated() {
                #expect(codes[i] == (value.isNaN ? 7_777 : UInt32(bins.index(of: value))), "shape \(shape)")
            }
        }
    }
}
