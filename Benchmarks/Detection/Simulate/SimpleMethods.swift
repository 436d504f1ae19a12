import Detection
import Foundation
import Statistics

/// What people put in place first, each window by itself. An episode is a run of hours that a method flags.
struct SimpleMethods {
    enum Method: String, CaseIterable {
        case psi = "PSI > 0.2"
        case psiLong = "PSI > 0.2 for 3 h"
        case ks = "KS p < 0.05"
        case ksShared = "KS + Benjamini–Hochberg 5%"
    }

    /// How many hours in a row each stream has been flagged, by method.
    private var run: [[Int]]
    private var count = [Int](repeating: 0, count: Method.allCases.count)
    private var pValues: [Double?]

    init(streams: Int) {
        run = Method.allCases.map { _ in [Int](repeating: 0, count: streams) }
        pValues = [Double?](repeating: nil, count: streams)
    }

    var episodes: [(String, Int)] { zip(Method.allCases, count).map { ($0.rawValue, $1) } }

    mutating func observe(_ world: NullWorld) {
        for s in pValues.indices {
            let psi = ShiftEvidence.psi(world.tenReference[s], world.ten[s])
            note(.psi, s, psi > 0.2, needs: 1)
            note(.psiLong, s, psi > 0.2, needs: 3)
            let p = Self.kolmogorov(world.fineReference[s], world.fine[s])
            pValues[s] = p
            note(.ks, s, p < 0.05, needs: 1)
        }
        for (s, isKept) in Significance.fdr(0.05).keep(pValues).enumerated() { note(.ksShared, s, isKept, needs: 1) }
    }

    private mutating func note(_ method: Method, _ stream: Int, _ isFlagged: Bool, needs: Int) {
        let m = Method.allCases.firstIndex(of: method) ?? 0
        run[m][stream] = isFlagged ? run[m][stream] + 1 : 0
        if run[m][stream] == needs { count[m] += 1 }
    }

    /// The two-sample p-value of the largest distance between the cumulative shares, at the edges of the bins only: a
    /// little too large, so that the method is flattered.
    static func kolmogorov(_ reference: [Double], _ current: [Double]) -> Double {
        let m = reference.reduce(0, +)
        let n = current.reduce(0, +)
        guard m > 0, n > 0 else { return 1 }
        var (a, b, distance) = (0.0, 0.0, 0.0)
        for (x, y) in zip(reference, current) {
            a += x
            b += y
            distance = max(distance, abs(a / m - b / n))
        }
        return Kolmogorov.survival((n * m / (n + m)).squareRoot() * distance)
    }
}
