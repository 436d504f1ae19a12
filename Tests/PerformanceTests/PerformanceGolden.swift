import Foundation
import Testing

/// What scikit-learn says (Fixtures/generate_performance.py).
struct PerformanceGolden: Decodable {
    struct Binary: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let labels: [Int]
        let scores: [Double]
        let metrics: Figures
        var testDescription: String { name }
    }
    struct Figures: Decodable, Sendable {
        let auroc, aupr, accuracy, precision, recall, f1, log_loss, brier, ece, lift, base_rate, mean_score: Double?
        let mae, rmse, r2, mape, bias, f1_micro: Double?
        let confusion: [Int64]?
    }
    struct Regression: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let labels: [Double]
        let values: [Double]
        let metrics: Figures
        var testDescription: String { name }
    }
    struct Classes: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let labels: [String]
        let predicted: [String]
        let metrics: Figures
        var testDescription: String { name }
    }
    struct Ranked: Decodable, Sendable {
        let scores: [Double]
        let relevance: [Double]
        let k: Int?
        let ndcg: Double
    }
    struct Large: Decodable, Sendable {
        let seed: UInt64
        let rows: Int
        let power, low, high: Double
        let metrics: Figures

        /// The rows that the generator made from the same numbers.
        var pairs: [(score: Double, label: Bool)] {
            var state = seed
            func next() -> Double {
                state &+= 0x9e37_79b9_7f4a_7c15
                var z = state
                z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
                z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
                return Double((z ^ (z >> 31)) >> 11) / 0x1p53
            }
            let scores = (0..<rows).map { _ in low + (high - low) * pow(next(), power) }
            return scores.map { ($0, next() < $0) }
        }
    }

    let binary: [Binary]
    let regression: [Regression]
    let classes: [Classes]
    let ndcg: [Ranked]
    let large: [Large]

    static let loaded: PerformanceGolden = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/performance.json")
        do {
            return try JSONDecoder().decode(PerformanceGolden.self, from: Data(contentsOf: file))
        } catch {
            fatalError("\(file.path): \(error)")
        }
    }()
}
