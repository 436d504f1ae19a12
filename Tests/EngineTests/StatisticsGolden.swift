import Foundation
import Testing

/// What numpy and scipy computed (Fixtures/generate_statistics.py).
struct StatisticsGolden: Decodable {
    struct Histogram: Decodable {
        let reference: [UInt64]
        let current: [UInt64]
        let metrics: [String: Double?]
    }
    struct Sample: Decodable {
        let x: [Double]
        let y: [Double]
        let metrics: [String: Double?]
    }
    struct Quantiles: Decodable {
        let x: [Double]
        let at: [Double]
        let values: [Double]
    }

    let histograms: [Histogram]
    let samples: [Sample]
    let quantiles: [Quantiles]
    let functions: [String: [[Double]]]

    static func load() throws -> StatisticsGolden {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/statistics.json")
        return try JSONDecoder().decode(StatisticsGolden.self, from: Data(contentsOf: file))
    }
}

/// Whether two numbers agree to a relative tolerance. Below `absolute` what is left is rounding of either side.
func agree(_ a: Double?, _ b: Double?, relative: Double = 1e-9, absolute: Double = 1e-15) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return abs(a - b) <= max(relative * max(abs(a), abs(b)), absolute)
}
