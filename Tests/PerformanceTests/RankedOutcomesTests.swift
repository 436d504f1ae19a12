import Statistics
import TestSupport
import Testing

/// NDCG over many queries.
struct RankedOutcomesTests {
    private struct Item {
        let query: UInt64
        let score: Double
        let relevance: Double
    }

    private static func items(_ queries: Int, _ random: inout SeededGenerator) -> [Item] {
        (0..<queries).flatMap { _ in
            let query = UInt64.random(in: 0..<1 << 40, using: &random)
            return (0..<Int.random(in: 1...12, using: &random)).map { _ in
                let relevance = Double(Int.random(in: 0...3, using: &random))
                // Scores that follow relevance somewhat, with ties.
                let score = (relevance + Double.random(in: 0..<4, using: &random)).rounded()
                return Item(query: query, score: score, relevance: relevance)
            }
        }
    }

    private static func outcomes(_ items: some Sequence<Item>, times: Int64 = 1) -> RankedOutcomes {
        var made = RankedOutcomes(cutoff: 5)
        for item in items { made.add(query: item.query, score: item.score, relevance: item.relevance, times: times) }
        return made
    }

    @Test func `the figure is the mean over queries, whatever order their items came in`() throws {
        let perfect = [(3.0, 2.0), (2, 1), (1, 0)].map { Item(query: 8, score: $0, relevance: $1) }
        let reversed = [(1.0, 2.0), (2, 1), (3, 0)].map { Item(query: 9, score: $0, relevance: $1) }
        let irrelevant = [Item(query: 10, score: 1, relevance: 0)]
        let alone = try #require(Self.outcomes(reversed).ndcg?.value)
        #expect(alone < 1 && alone > 0)
        let found = try #require(Self.outcomes((perfect + reversed + irrelevant).reversed()).ndcg)
        #expect(abs(found.value - (1 + alone + 0) / 3) < 1e-15 && found.queries == 3 && found.error == 0)
        #expect(RankedOutcomes(cutoff: 5).ndcg == nil)
    }

    @Test func `merging in any order gives the same, and a judgement that was taken back leaves nothing`() async throws
    {
        try await blocking {
            var random = SeededGenerator(seed: 71)
            // More than are kept: a sample has to be taken.
            let items = Self.items(6_000, &random)
            let whole = Self.outcomes(items)
            #expect(whole.level > 0)
            for _ in 0..<4 {
                var rest = items.shuffled(using: &random)[...]
                var parts: [RankedOutcomes] = []
                while !rest.isEmpty {
                    let size = Int.random(in: 1...9_000, using: &random)
                    parts.append(Self.outcomes(rest.prefix(size)))
                    rest = rest.dropFirst(size)
                }
                var sum = RankedOutcomes(cutoff: 5)
                for part in parts.shuffled(using: &random) { sum.merge(part) }
                #expect(sum == whole, "seed \(random.seed)")
            }
            let few = Self.items(50, &random)
            var corrected = Self.outcomes(few)
            corrected.merge(Self.outcomes(few.suffix(30), times: -1))
            #expect(corrected == Self.outcomes(few.dropLast(30)))
        }
    }

    @Test func `a sample of the queries is off by no more than it says, nineteen times in twenty`() async throws {
        try await blocking {
            var random = SeededGenerator(seed: 72)
            var within = 0
            for _ in 0..<40 {
                let items = Self.items(6_000, &random)
                let byQuery = Dictionary(grouping: items, by: \.query)
                let each = byQuery.values.compactMap { Self.outcomes($0).ndcg?.value }
                let actual = each.reduce(0, +) / Double(each.count)
                let found = try #require(Self.outcomes(items).ndcg)
                #expect(found.error > 0 && found.error < 0.03 && found.queries < byQuery.count)
                if abs(found.value - actual) <= found.error { within += 1 }
            }
            #expect(within >= 34, "\(within) of 40, seed \(random.seed)")
        }
    }
}
