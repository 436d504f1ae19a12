import ArgumentParser
import Detection
import Foundation
import Values

/// How long a shift of PSI 0.25 takes to be alerted, among 1,000 streams that share one false alarm a month.
struct Shifts: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "shifts", abstract: "Delay until a shift is alerted.")

    @Option(help: "rows an hour") var rows: Double
    @Option(help: "PSI of the shift") var psi = 0.25
    @Option(help: "tilt: low values become rarer and high ones commoner; any: each bin by chance") var shape = "tilt"
    @Option(help: "shifts tried") var times = 400
    @Option(help: "hours before the shift, and hours to wait for its alert") var quiet = 168
    @Option var wait = 400
    @Option var seed: UInt64 = 1

    func validate() throws {
        guard ["tilt", "any"].contains(shape) else { throw ValidationError("--shape is tilt or any") }
        guard rows >= 1, psi > 0, psi < 2, times > 0 else { throw ValidationError("rows, psi and times are positive") }
    }

    func run() throws {
        var draw = Draw(seed: seed)
        var delays: [Double] = []
        var early = 0
        for _ in 0..<times {
            switch once(&draw) {
            case .early: early += 1
            case .after(let hours): delays.append(Double(hours))
            case .missed: delays.append(.infinity)
            }
        }
        delays.sort()
        func quantile(_ q: Double) -> JSON {
            guard !delays.isEmpty else { return .null }
            let value = delays[min(delays.count - 1, Int((q * Double(delays.count)).rounded(.up)) - 1)]
            return value.isFinite ? .number(value) : .null
        }
        let line: [(String, JSON)] = [
            ("rows", .number(rows)), ("psi", .number(psi)), ("shape", .string(shape)),
            ("times", .number(Double(times))),
            ("median", quantile(0.5)), ("p95", quantile(0.95)),
            ("missed", .number(Double(delays.count { !$0.isFinite }))), ("early", .number(Double(early))),
        ]
        print(JSON.object(line.map { JSON.Member($0.0, $0.1) }).text)
    }

    private enum Outcome {
        case early, missed
        case after(Int)
    }

    private func once(_ draw: inout Draw) -> Outcome {
        let bins = StreamProcess.bins / 2
        let quietShares = [Double](repeating: 1 / Double(bins), count: bins)
        let shifted = Self.shifted(quietShares, psi: psi, shape: shape, draw: &draw)
        // Four weeks of reference at the same rate.
        let reference = quietShares.map { draw.poisson($0 * rows * Double(NullStreams.referenceHours)) }
        var detector = TargetDetector(watch: .shift(isOrdered: true))
        let limit = LogEvidence.limit(
            streams: NullStreams.features * NullStreams.segments, windows: Double(NullStreams.hours), budget: 1)
        let segment = Segment([Segment.Part("segment", "one")])
        for hour in 0..<quiet + wait {
            let shares = hour < quiet ? quietShares : shifted
            let window = StreamWindow(
                segment: segment,
                counts: Watch.Counts(reference: reference, current: shares.map { draw.poisson($0 * rows) }),
                gate: { _, effect in effect > Watched.ruleNumber })
            let start = Timestamp(microseconds: Int64(hour) * 3_600_000_000)
            if detector.observe(start: start, [window], limit: limit)[0].isNew {
                return hour < quiet ? .early : .after(hour - quiet + 1)
            }
        }
        return .missed
    }

    /// Shares at exactly this PSI: to one side, or in a direction of its own each time.
    static func shifted(_ shares: [Double], psi: Double, shape: String, draw: inout Draw) -> [Double] {
        let side = draw.uniform() < 0.5 ? -1.0 : 1.0
        let direction = shares.indices.map { shape == "tilt" ? side * Double($0) : draw.normal() }
        func moved(_ by: Double) -> [Double] {
            let raw = zip(shares, direction).map { $0 * exp(by * $1) }
            let sum = raw.reduce(0, +)
            return raw.map { $0 / sum }
        }
        func size(_ by: Double) -> Double { zip(shares, moved(by)).reduce(0) { $0 + ($1.1 - $1.0) * log($1.1 / $1.0) } }
        var (low, high) = (0.0, 8.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if size(middle) < psi { low = middle } else { high = middle }
        }
        return moved(high)
    }
}
