import Foundation

/// `pow` of the C library, kept apart so that the evaluator needs no Foundation.
enum Power {
    static func raise(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
}
