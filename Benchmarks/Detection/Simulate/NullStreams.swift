import ArgumentParser
import Detection
import Foundation
import Statistics
import Values

/// A model of 20 features × 50 segments without drift, hour by hour: what each method would have alerted.
struct NullStreams: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "null", abstract: "Alerts of streams without drift.")

    @Option(help: "iid, wobble, season or slow") var setting: String
    @Option(help: "30 days each") var months = 6
    @Option var seed: UInt64 = 1

    static let features = 20
    static let segments = 50
    static let hours = 720
    static let referenceHours = 4 * 168

    func validate() throws {
        guard Setting(rawValue: setting) != nil else {
            throw ValidationError("no setting \(setting); there are iid, wobble, season, slow")
        }
        guard (1...24).contains(months) else { throw ValidationError("--months is 1 to 24") }
    }

    func run() throws {
        guard let setting = Setting(rawValue: setting) else { return }
        var world = NullWorld(setting, draw: Draw(seed: seed))
        let looks = Self.features * Self.segments
        var simple = SimpleMethods(streams: looks)
        var pooled = Watched(streams: looks)
        var seasonal = Watched(streams: looks)
        let isSeasonal = setting == .season || setting == .slow
        for hour in 0..<months * Self.hours {
            world.advance(hour)
            simple.observe(world)
            pooled.observe(world, hour: hour, cell: nil)
            if isSeasonal { seasonal.observe(world, hour: hour, cell: StreamProcess.cell(hour)) }
        }
        let month = Double(months)
        var line: [(String, JSON)] = [("setting", .string(setting.title)), ("months", .number(month))]
        for (name, count) in simple.episodes { line.append((name, .number(Double(count) / month))) }
        line.append(("e-detector, pooled reference", .number(Double(pooled.alarms) / month)))
        if isSeasonal {
            line.append(("e-detector, hour and weekend reference", .number(Double(seasonal.alarms) / month)))
        }
        print(JSON.object(line.map { JSON.Member($0.0, $0.1) }).text)
    }
}

/// The histograms of all streams in one hour, and their references of the four weeks before.
struct NullWorld {
    private var processes: [StreamProcess]
    private var draw: Draw
    /// Twenty bins each, for Kolmogorov and Smirnov, and ten for PSI.
    private(set) var fine: [[Double]]
    private(set) var ten: [[Double]]
    private(set) var fineReference: [[Double]]
    private(set) var tenReference: [[Double]]
    /// By cell, by stream.
    private(set) var cells: [[[Double]]]

    init(_ setting: Setting, draw: Draw) {
        var draw = draw
        // Segments of 30 to 1,000 rows an hour, evenly on a logarithmic scale; all features of a segment have its rows.
        processes = (0..<NullStreams.features).flatMap { _ in
            (0..<NullStreams.segments).map { s in
                let share = Double(s) / Double(NullStreams.segments - 1)
                return StreamProcess(setting, rows: 30 * pow(1000 / 30, share), draw: &draw)
            }
        }
        self.draw = draw
        let empty = [Double](repeating: 0, count: StreamProcess.bins)
        let half = [Double](repeating: 0, count: StreamProcess.bins / 2)
        fine = processes.map { _ in empty }
        ten = processes.map { _ in half }
        fineReference = fine
        tenReference = ten
        cells = [[[Double]]](repeating: ten, count: 48)
        for hour in 0..<NullStreams.referenceHours {
            advance(hour)
            for s in processes.indices {
                for b in fine[s].indices { fineReference[s][b] += fine[s][b] }
                for b in ten[s].indices {
                    tenReference[s][b] += ten[s][b]
                    cells[StreamProcess.cell(hour)][s][b] += ten[s][b]
                }
            }
        }
    }

    mutating func advance(_ hour: Int) {
        for s in processes.indices {
            processes[s].next(hour: hour, into: &fine[s], draw: &draw)
            for b in ten[s].indices { ten[s][b] = fine[s][2 * b] + fine[s][2 * b + 1] }
        }
    }
}

/// The e-detector as the default rules use it: one false alarm a month is allowed.
struct Watched {
    private var features: [TargetDetector]
    private let segments: [Segment]
    private let limit: Double
    private(set) var alarms = 0

    /// The PSI that rules/default.yaml asks for.
    static let ruleNumber = 0.1

    init(streams: Int) {
        features = (0..<NullStreams.features).map { _ in TargetDetector(watch: .shift(isOrdered: true)) }
        segments = (0..<NullStreams.segments).map { Segment([Segment.Part("segment", "s\($0)")]) }
        limit = LogEvidence.limit(streams: streams, windows: Double(NullStreams.hours), budget: 1)
    }

    mutating func observe(_ world: NullWorld, hour: Int, cell: Int?) {
        let start = Timestamp(microseconds: Int64(hour) * 3_600_000_000)
        for f in features.indices {
            let windows = segments.indices.map { s in
                let i = f * segments.count + s
                let reference = cell.map { world.cells[$0][i] } ?? world.tenReference[i]
                return StreamWindow(
                    segment: segments[s], counts: Watch.Counts(reference: reference, current: world.ten[i]),
                    gate: { _, effect in effect > Self.ruleNumber })
            }
            let verdicts = features[f].observe(start: start, windows, limit: limit)
            alarms += verdicts.count { $0.isNew }
        }
    }
}
