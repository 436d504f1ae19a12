import Events
import Sketches
import TestSupport
import Testing
import Windows

/// The cells lead to exactly the bin that a search over the edges finds, wherever the edges lie and whichever form of the loops runs.
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
        return Set(values.filter(\.isFinite)).sorted()
    }

    private static func values(_ bins: NumericBins, _ random: inout SeededGenerator) -> [Double] {
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
        return values.filter(\.isFinite)
    }

    @Test(arguments: [CountForm.portable, .best])
    func `the bin is the one a plain search finds`(_ form: CountForm) {
        var random = SeededGenerator(seed: 811)
        for round in 0..<200 {
            let bins = (0..<1 + round % NumericBlock.width).map {
                NumericBins(edges: Self.edges((round + $0) % 8, &random))
            }
            let columns = bins.map { Self.values($0, &random) }
            let rows = columns.map(\.count).min() ?? 0
            // A model's last block may have fewer columns than a row of it has places.
            let values = (0..<rows).flatMap { row in
                (0..<NumericBlock.width).map { $0 < columns.count ? columns[$0][row] : 0 }
            }
            let codes = NumericBlock(bins: bins).codes(values, form)
            for (c, column) in columns.enumerated() {
                let expected = column.prefix(rows).map { UInt16(bins[c].index(of: $0)) }
                #expect(codes[c] == expected, "seed \(random.seed) round \(round) column \(c)")
            }
        }
    }

    @Test(arguments: [CountForm.portable, .best])
    func `a row without a value has the code of its reason, after those of the bins`(_ form: CountForm) {
        let block = NumericBlock(bins: [NumericBins(edges: [1, 2]), NumericBins(edges: [])])
        let odd = Double(nan: 7_000, signaling: false)
        for (hole, code) in [
            (Hole.null, SpecialCode.null.rawValue), (.missing, SpecialCode.missing.rawValue),
            (.invalid, SpecialCode.invalid.rawValue), (.wrongType, SpecialCode.wrongType.rawValue),
            (.absent, SpecialCode.allCases.count),
        ] {
            let codes = block.codes([hole.asDouble, 5, 0, 0, 1.5, hole.asDouble, 0, 0], form)
            #expect(codes == [[UInt16(3 + code), 1], [0, UInt16(1 + code)]])
        }
        // A NaN that nobody here wrote is no value either.
        #expect(block.codes([odd, -odd, 0, 0], form) == [[5], [3]])
    }
}
