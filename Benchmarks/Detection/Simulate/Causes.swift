import ArgumentParser
import Detection
import Foundation
import Values

/// Which segment is named where one changes, how many alerts it takes, and since when they say it is so: a target with segments of
/// three dimensions and all their pairs.
struct Causes: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "causes", abstract: "Segment and start of a change that is in one segment only.")

    @Option(help: "rows a window in the segment that changes") var rows: Double
    @Option(help: "dimensions that name it: 0 to 2") var level = 2
    @Option(help: "PSI of the shift") var psi = 0.5
    @Option(help: "tilt: low values become rarer and high ones commoner; any: each bin by chance") var shape = "any"
    @Option(help: "shifts tried") var times = 200
    @Option(help: "windows before the shift, and of the shift") var quiet = 12
    @Option var lasts = 30
    @Option var seed: UInt64 = 1

    func validate() throws {
        guard ["tilt", "any"].contains(shape), (0...2).contains(level) else {
            throw ValidationError("--shape is tilt or any, --level 0 to 2")
        }
        guard rows >= 1, psi > 0, psi < 6, times > 0 else { throw ValidationError("rows, psi and times are positive") }
    }

    func run() throws {
        var draw = Draw(seed: seed)
        var tally = Tally()
        for _ in 0..<times { once(&draw, &tally) }
        func quantile(_ values: [Double], _ q: Double) -> JSON {
            values.isEmpty ? .null : .number(values.sorted()[Int(q * Double(values.count - 1))])
        }
        let line: [(String, JSON)] = [
            ("rows", .number(rows)), ("level", .number(Double(level))), ("psi", .number(psi)),
            ("shape", .string(shape)),
            ("times", .number(Double(times))), ("early", .number(Double(tally.early))),
            ("found", .number(Double(tally.delays.count))), ("exact", .number(Double(tally.exact))),
            ("parent", .number(Double(tally.parent))), ("child", .number(Double(tally.child))),
            ("other", .number(Double(tally.other))), ("beside", .number(Double(tally.beside))),
            ("delay", quantile(tally.delays, 0.5)), ("delay_p95", quantile(tally.delays, 0.95)),
            ("start_p5", quantile(tally.starts, 0.05)), ("start", quantile(tally.starts, 0.5)),
            ("start_p95", quantile(tally.starts, 0.95)),
        ]
        print(JSON.object(line.map { JSON.Member($0.0, $0.1) }).text)
    }

    private struct Tally {
        /// The first alert of a change names its segment, a wider one, a narrower one or another; and alerts beside the first.
        var (exact, parent, child, other, beside) = (0, 0, 0, 0, 0)
        var early = 0
        /// Windows from the change to its first alert, and to the start that alert names.
        var delays: [Double] = []
        var starts: [Double] = []
    }

    private static let weights: [[Double]] = [
        [0.35, 0.25, 0.2, 0.12, 0.08], [0.4, 0.3, 0.2, 0.1], [0.5, 0.3, 0.2],
    ]

    private struct Cell {
        let parts: [Segment.Part]
        let share: Double
    }

    private static let cells: [Cell] = {
        var cells = [Cell(parts: [], share: 1)]
        for (d, shares) in weights.enumerated() {
            cells = cells.flatMap { cell in
                shares.enumerated().map { value, share in
                    Cell(parts: cell.parts + [.init("d\(d)", "v\(value)")], share: cell.share * share)
                }
            }
        }
        return cells
    }()

    /// Every segment, and its places among the cells.
    private static let segments: [(segment: Segment, cells: [Int])] = {
        var places: [Segment: [Int]] = [:]
        for (c, cell) in cells.enumerated() {
            for pick in 0..<8 where pick != 7 {
                let parts = cell.parts.indices.filter { pick >> $0 & 1 == 1 }.map { cell.parts[$0] }
                places[Segment(parts), default: []].append(c)
            }
        }
        return places.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }()

    private func once(_ draw: inout Draw, _ tally: inout Tally) {
        let fitting = Self.segments.filter { $0.segment.parts.count == level }
        let broken = fitting[Int(draw.next() % UInt64(fitting.count))]
        let share = broken.cells.reduce(0) { $0 + Self.cells[$1].share }
        let total = rows / share
        let bins = StreamProcess.bins / 2
        let flat = [Double](repeating: 1 / Double(bins), count: bins)
        let shifted = Shifts.shifted(flat, psi: psi, shape: shape, draw: &draw)
        let hurt = Set(broken.cells)
        func counts(_ factor: Double, _ isBroken: Bool, _ draw: inout Draw) -> [[Double]] {
            Self.cells.indices.map { c in
                let shares = isBroken && hurt.contains(c) ? shifted : flat
                return shares.map { draw.poisson($0 * total * factor * Self.cells[c].share) }
            }
        }
        func added(_ cells: [[Double]], _ places: [Int]) -> [Double] {
            places.reduce(into: [Double](repeating: 0, count: bins)) { sum, c in
                for b in 0..<bins { sum[b] += cells[c][b] }
            }
        }
        let past = counts(28, false, &draw)
        let references = Self.segments.map { added(past, $0.cells) }
        var detector = TargetDetector(watch: .shift(isOrdered: true))
        let limit = LogEvidence.limit(streams: 600, windows: 30, budget: 1)
        var isFound = false
        for day in 0..<quiet + lasts {
            let now = counts(1, day >= quiet, &draw)
            let windows = Self.segments.indices.map { s in
                StreamWindow(
                    segment: Self.segments[s].segment,
                    counts: .init(reference: references[s], current: added(now, Self.segments[s].cells)),
                    gate: { _, effect in effect > Watched.ruleNumber })
            }
            let start = Timestamp(microseconds: Int64(day) * 86_400_000_000)
            let verdicts = detector.observe(start: start, windows, limit: limit)
            for (window, verdict) in zip(windows, verdicts) where verdict.isNew {
                if day < quiet {
                    tally.early += 1
                } else if isFound {
                    tally.beside += 1
                } else {
                    isFound = true
                    tally.delays.append(Double(day - quiet + 1))
                    let since = (verdict.changeStart ?? start) - Timestamp(microseconds: 0)
                    tally.starts.append((since.seconds / 86_400).rounded() - Double(quiet))
                    name(window.segment, broken.segment, &tally)
                }
            }
        }
    }

    private func name(_ named: Segment, _ truth: Segment, _ tally: inout Tally) {
        func holds(_ outer: Segment, _ inner: Segment) -> Bool {
            outer.parts.allSatisfy { inner[$0.dimension] == $0.value }
        }
        if named == truth {
            tally.exact += 1
        } else if holds(named, truth) {
            tally.parent += 1
        } else if holds(truth, named) {
            tally.child += 1
        } else {
            tally.other += 1
        }
    }
}
