import ArgumentParser
import Detection
import Foundation
import Values

/// How long a shift takes to be alerted, among 1,000 streams that share one false alarm a month; and, of one that ends, how
/// long its alert goes on.
struct Shifts: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "shifts", abstract: "Delay until a shift is alerted.")

    @Option(help: "rows an hour") var rows: Double
    @Option(help: "PSI of the shift") var psi = 0.25
    @Option(help: "tilt: low values become rarer and high ones commoner; any: each bin by chance") var shape = "tilt"
    @Option(help: "shifts tried") var times = 400
    @Option(help: "hours the shift lasts; 0: for ever") var lasts = 0
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
        var tails: [Double] = []
        var (early, dropped) = (0, 0)
        for _ in 0..<times {
            switch once(&draw) {
            case .early: early += 1
            case .after(let hours, let tail, let wasDropped):
                delays.append(Double(hours))
                if wasDropped { dropped += 1 }
                if let tail { tails.append(tail) }
            case .missed: delays.append(.infinity)
            }
        }
        func quantile(_ values: [Double], _ q: Double) -> JSON {
            guard !values.isEmpty else { return .null }
            let value = values.sorted()[min(values.count - 1, Int((q * Double(values.count)).rounded(.up)) - 1)]
            return value.isFinite ? .number(value) : .null
        }
        let line: [(String, JSON)] = [
            ("rows", .number(rows)), ("psi", .number(psi)), ("shape", .string(shape)),
            ("times", .number(Double(times))),
            ("median", quantile(delays, 0.5)), ("p95", quantile(delays, 0.95)),
            ("tail_p95", quantile(tails, 0.95)),
            ("missed", .number(Double(delays.count { !$0.isFinite }))), ("early", .number(Double(early))),
            ("dropped", .number(Double(dropped))),
        ]
        print(JSON.object(line.map { JSON.Member($0.0, $0.1) }).text)
    }

    private enum Outcome {
        case early, missed
        /// Hours until the alert; hours from the end of the shift until it is over; whether it was ever
        /// over while the shift was still there.
        case after(Int, tail: Double?, wasDropped: Bool)
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
        let end = lasts > 0 ? quiet + lasts : Int.max
        var alerted: Int?
        var wasDropped = false
        for hour in 0..<quiet + wait {
            let shares = hour < quiet || hour >= end ? quietShares : shifted
            let window = StreamWindow(
                segment: segment,
                counts: Watch.Counts(reference: reference, current: shares.map { draw.poisson($0 * rows) }),
                gate: { _, effect in effect > Watched.ruleNumber })
            let start = Timestamp(microseconds: Int64(hour) * 3_600_000_000)
            let verdict = detector.observe(start: start, [window], limit: limit)[0]
            if verdict.isNew, alerted == nil {
                if hour < quiet { return .early }
                alerted = hour - quiet + 1
                if lasts == 0 { return .after(hour - quiet + 1, tail: nil, wasDropped: false) }
            }
            if alerted != nil, hour < end, !verdict.isOpen { wasDropped = true }
            if let alerted, hour >= end, !verdict.isOpen {
                return .after(alerted, tail: Double(hour - end + 1), wasDropped: wasDropped)
            }
        }
        if let alerted { return .after(alerted, tail: .infinity, wasDropped: wasDropped) }
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
