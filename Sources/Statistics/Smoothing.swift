/// What stands in for the probability of an empty bin, where a logarithm needs one.
package enum Smoothing: Sendable, Hashable {
    /// (c + ½) / (n + B/2), the posterior mean under Jeffreys' prior.
    case jeffreys
    /// (c + 1) / (n + B).
    case laplace
    /// Every proportion raised to at least this. `psi` does not renormalise afterwards, `kl` does.
    case floor(Double)
    /// Proportions as they are; `psi` and `kl` are absent where they would be infinite.
    case none

    /// Floors people may ask for: below, one empty bin outweighs all else; above, every bin is the same.
    package static let floors = 1e-12...0.1

    /// Reads `jeffreys`, `laplace`, `none` or `floor(1e-4)`.
    package init(parsing text: String) throws(SmoothingError) {
        switch text {
        case "jeffreys": self = .jeffreys
        case "laplace": self = .laplace
        case "none": self = .none
        default:
            guard text.hasPrefix("floor("), text.hasSuffix(")"), let value = Double(text.dropFirst(6).dropLast()),
                Self.floors.contains(value)
            else { throw SmoothingError(text: text) }
            self = .floor(value)
        }
    }

    /// The proportions of a histogram, `nil` where it is empty. Sums run in doubles: counts never overflow, and up to
    /// 2^53 rows they are exact.
    package func proportions(_ counts: [UInt64]) -> [Double]? {
        let total = counts.total
        guard total > 0 else { return nil }
        let bins = Double(counts.count)
        switch self {
        case .jeffreys: return counts.map { (Double($0) + 0.5) / (total + bins / 2) }
        case .laplace: return counts.map { (Double($0) + 1) / (total + bins) }
        case .floor(let least): return counts.map { max(Double($0) / total, least) }
        case .none: return counts.map { Double($0) / total }
        }
    }
}

extension Smoothing: CustomStringConvertible {
    /// The text `init(parsing:)` reads.
    package var description: String {
        switch self {
        case .jeffreys: "jeffreys"
        case .laplace: "laplace"
        case .floor(let value): "floor(\(value))"
        case .none: "none"
        }
    }
}

/// A text that names no smoothing.
package struct SmoothingError: Error, Sendable, Hashable, CustomStringConvertible {
    package let text: String
    package var description: String {
        "unknown smoothing “\(text)”: write jeffreys, laplace, none, or floor(x) with x from 1e-12 to 0.1, "
            + "such as floor(1e-4)"
    }
}

extension [UInt64] {
    /// The sum as a double, which cannot overflow.
    var total: Double { reduce(0) { $0 + Double($1) } }
}
