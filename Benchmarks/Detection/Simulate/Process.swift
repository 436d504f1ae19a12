import Foundation

/// How a stream without drift behaves: what its hourly histogram is drawn from.
enum Setting: String, CaseIterable, Sendable {
    case iid, wobble, season, slow

    var title: String {
        switch self {
        case .iid: "iid"
        case .wobble: "natural wobble"
        case .season: "wobble + season"
        case .slow: "wobble + season + slow AR"
        }
    }

    /// Standard deviation of each bin's share from hour to hour, as a factor: a PSI of 0.01.
    var wobble: Double { self == .iid ? 0 : 0.1 }
    /// Tilt by hour of day and at weekends: up to a PSI of 0.06 and 0.04 of its own.
    var hourly: Double { self == .season || self == .slow ? 0.25 : 0 }
    var weekend: Double { self == .season || self == .slow ? 0.2 : 0 }
    /// Standard deviation of a tilt that wanders, with a memory of five days: a PSI of 0.005 on average, and 0.1, which the
    /// rules ask for, once in 25 months of a thousand streams.
    var slow: Double { self == .slow ? 0.07 : 0 }
    static let memoryHours = 120.0
}

/// One (feature, segment): twenty equal bins in quiet times, whose shares are tilted by the hour and by chance.
struct StreamProcess {
    static let bins = 20

    private let setting: Setting
    let rows: Double
    private let phase: Double
    private var drift: Double
    /// −1.65 … 1.65 with mean 0 and variance 1: a tilt of a has a PSI of about a².
    private static let slope = (0..<bins).map { (Double($0) - 9.5) / 5.766 }

    init(_ setting: Setting, rows: Double, draw: inout Draw) {
        self.setting = setting
        self.rows = rows
        phase = draw.uniform() * 2 * .pi
        drift = setting.slow * draw.normal()
    }

    /// The counts of the next hour: independent Poissons, as of a Poisson number of events.
    mutating func next(hour: Int, into counts: inout [Double], draw: inout Draw) {
        if setting.slow > 0 {
            let keep = exp(-1 / Setting.memoryHours)
            drift = keep * drift + setting.slow * (1 - keep * keep).squareRoot() * draw.normal()
        }
        let tilt =
            drift + setting.hourly * sin(2 * .pi * Double(hour % 24) / 24 + phase)
            + (Self.isWeekend(hour) ? setting.weekend : 0)
        guard tilt != 0 || setting.wobble > 0 else {
            for b in 0..<Self.bins { counts[b] = draw.poisson(rows / Double(Self.bins)) }
            return
        }
        var sum = 0.0
        for b in 0..<Self.bins {
            // Pairs of bins wobble together, so that the histogram of ten has the whole of it.
            let noise = b % 2 == 0 ? setting.wobble * draw.normal() : 0
            counts[b] = b % 2 == 0 ? noise : counts[b - 1]
        }
        for b in 0..<Self.bins {
            counts[b] = exp(counts[b] + tilt * Self.slope[b])
            sum += counts[b]
        }
        for b in 0..<Self.bins { counts[b] = draw.poisson(rows * counts[b] / sum) }
    }

    static func isWeekend(_ hour: Int) -> Bool { hour / 24 % 7 >= 5 }
    /// 48 cells: hour of day, weekday or weekend.
    static func cell(_ hour: Int) -> Int { hour % 24 + (isWeekend(hour) ? 24 : 0) }
}
