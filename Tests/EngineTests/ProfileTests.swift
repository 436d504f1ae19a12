import Sketches
import TestSupport
import Testing

/// Profiles: counts that add up to the same bytes whoever adds them.
struct ProfileTests {
    static let layout = Layout(columns: [
        ("amount", .numeric(NumericBins(edges: [-1, 0, 2.5, 10]), exponent: 20)),
        ("country", .categorical(CategoryBins(categories: ["BR", "US"], rare: ["NZ"]))),
        ("score", .numeric(NumericBins(edges: [0.5]), exponent: 40)),
    ])

    /// Some rows of any values, counted one by one.
    static func random(_ random: inout SeededGenerator, rows: Int) -> Profile {
        var profile = Profile(layout)
        for _ in 0..<rows {
            profile.rows += 1
            for column in layout.columns {
                let special = SpecialCode.allCases.randomElement(using: &random)
                if Int.random(in: 0..<5, using: &random) == 0, let special {
                    profile.counts[column.offset + column.code(special)] += 1
                } else if case .numeric(let bins, let exponent) = column.bins, let m = column.momentsIndex {
                    let value = Double.random(in: -20...20, using: &random)
                    profile.counts[column.offset + bins.index(of: value)] += 1
                    profile.moments[m].add(value, scale: Moments.scale(exponent: exponent))
                } else {
                    profile.counts[column.offset + Int.random(in: 0..<column.bins.count, using: &random)] += 1
                }
            }
        }
        return profile
    }

    @Test func `merging is associative and commutative to the last bit, and empty is neutral`() {
        var random = SeededGenerator(seed: 17)
        for round in 0..<200 {
            let parts = (0..<6).map { _ in Self.random(&random, rows: Int.random(in: 0...20, using: &random)) }
            var inOrder = Profile(Self.layout)
            for part in parts { inOrder.merge(part) }
            var tree = parts.shuffled(using: &random)
            while tree.count > 1 {
                var first = tree.removeFirst()
                first.merge(tree.removeLast())
                tree.insert(first, at: Int.random(in: 0...tree.count, using: &random))
            }
            #expect(tree[0] == inOrder, "seed \(random.seed) round \(round)")
            #expect(tree[0].encode() == inOrder.encode(), "seed \(random.seed) round \(round)")
            var withEmpty = inOrder
            withEmpty.merge(Profile(Self.layout))
            #expect(withEmpty == inOrder)
        }
    }

    @Test func `a column's share of a profile adds up to its rows`() {
        var random = SeededGenerator(seed: 18)
        let profile = Self.random(&random, rows: 1_000)
        for column in Self.layout.columns {
            let part = profile.column(column)
            #expect(part.rows == 1_000 && part.valid + part.nulls + part.invalids == 1_000)
            #expect(part.moments.map { $0.count == part.valid } ?? !column.bins.isNumeric)
        }
    }

    @Test(arguments: [0, 1, 2, 3, 17, 239, 2_000])
    func `a bin is the number of edges below a value`(count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        var edges = Set((0..<count).map { _ in Double(Int.random(in: -3_000...3_000, using: &random)) / 8 })
        if count > 16 { edges.formUnion([-.greatestFiniteMagnitude, .leastNonzeroMagnitude, 0, 1e300]) }
        let bins = NumericBins(edges: edges.sorted())
        var probes = bins.edges.flatMap { [$0, $0.nextUp, $0.nextDown] }.filter(\.isFinite)
        probes += [0, -0.0, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, .pi]
        for _ in 0..<500 { probes.append(Double.random(in: -400...400, using: &random)) }
        let wrong = probes.filter { value in
            let bin = bins.index(of: value)
            let (lower, upper) = bins.bounds(of: bin)
            return bin != bins.edges.count { $0 < value } || !(lower < value && value <= upper)
        }
        #expect(wrong.isEmpty, "seed \(random.seed)")
        #expect(bins.count == bins.edges.count + 1)
    }

    @Test func `categories know their bin, the rare ones share one, the unseen another`() {
        let bins = CategoryBins(categories: ["BR", "US"], rare: ["NZ", "FJ"])
        #expect(bins.dictionary == ["BR": 0, "US": 1, "NZ": 2, "FJ": 2])
        #expect((0..<bins.count).map(bins.name) == ["BR", "US", "(rare)", "(unseen)"])
    }
}
