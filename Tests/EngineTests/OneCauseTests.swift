import Detection
import Testing
import Values

/// Segments of three dimensions and all their pairs, of which no cross of three is counted.
private struct World {
    /// Share of rows and of hits by hotel, market and type, whose shares depend on each other all three at a time.
    struct Cell {
        let parts: [Segment.Part]
        let share: Double
        var isCity: Bool { parts[0].value == "city" }
    }

    static let cells: [Cell] = {
        var cells: [Cell] = []
        for (hotel, ofHotel, ofMarket, ofType) in [("city", 0.6, 0.7, [0.9, 0.2]), ("resort", 0.4, 0.4, [0.3, 0.6])] {
            for (m, market) in ["a", "b"].enumerated() {
                for type in ["x", "y"] {
                    let share =
                        ofHotel * (m == 0 ? ofMarket : 1 - ofMarket) * (type == "x" ? ofType[m] : 1 - ofType[m])
                    cells.append(
                        Cell(
                            parts: [.init("hotel", hotel), .init("market", market), .init("type", type)], share: share))
                }
            }
        }
        return cells
    }()

    static var segments: [Segment] {
        var segments: Set<Segment> = [.all]
        for cell in cells {
            for i in 0..<3 {
                segments.insert(Segment([cell.parts[i]]))
                for j in i + 1..<3 { segments.insert(Segment([cell.parts[i], cell.parts[j]])) }
            }
        }
        return segments.sorted()
    }

    static func window(_ segment: Segment, rows: Double, hits: (Cell) -> Double) -> StreamWindow {
        let own = cells.filter { cell in segment.parts.allSatisfy { cell.parts.contains($0) } }
        let n = own.reduce(0) { $0 + ($1.share * rows).rounded() }
        let hit = own.reduce(0) { $0 + ($1.share * rows * hits($1)).rounded() }
        let isOver = hit > 0.03 * n
        return StreamWindow(
            segment: segment, counts: .init(reference: [28 * n, 0], current: [n - hit, hit]),
            gate: { _, _ in isOver })
    }
}

struct OneCauseTests {
    @Test(arguments: [0.1, 0.4])
    func `what a broken segment leaves in segments whose overlap with it is only estimated is no alarm`(_ rate: Double)
    {
        var detector = TargetDetector(watch: .rate(isRise: true))
        var opened: [Segment] = []
        for hour in 0..<10 as Range<Int64> {
            let windows = World.segments.map { segment in
                World.window(segment, rows: 1500) { hour >= 5 && $0.isCity ? rate : 0 }
            }
            let verdicts = detector.observe(start: Timestamp(microseconds: hour), windows, limit: 11.7)
            opened += zip(windows, verdicts).filter { $1.isNew }.map { $0.0.segment }
        }
        #expect(opened == [Segment([.init("hotel", "city")])])
    }

    @Test func `another segment that breaks later is told beside the first`() {
        var detector = TargetDetector(watch: .rate(isRise: true))
        var opened: [Segment] = []
        for hour in 0..<10 as Range<Int64> {
            let windows = World.segments.map { segment in
                World.window(segment, rows: 1500) { cell in
                    let isOther = cell.parts[0].value == "resort" && cell.parts[1].value == "b"
                    return hour < 5 ? 0 : cell.isCity ? 0.4 : isOther && hour >= 7 ? 0.1 : 0
                }
            }
            let verdicts = detector.observe(start: Timestamp(microseconds: hour), windows, limit: 11.7)
            opened += zip(windows, verdicts).filter { $1.isNew }.map { $0.0.segment }
        }
        #expect(
            Set(opened) == [
                Segment([.init("hotel", "city")]), Segment([.init("hotel", "resort"), .init("market", "b")]),
            ])
    }
}
