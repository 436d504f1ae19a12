import Foundation
import Values

/// Numbers inside sentences for people: three digits, thousands apart, no exponents where one can read without.
enum Words {
    static func number(_ value: Double) -> String {
        guard value.isFinite, abs(value) >= 1_000, abs(value) < 1e12 else { return String(format: "%.3g", value) }
        return (value < 0 ? "-" : "") + count(UInt64(abs(value).rounded()))
    }

    /// `12,345`.
    static func count(_ value: UInt64) -> String {
        var text = ""
        for (i, digit) in String(value).reversed().enumerated() {
            if i > 0, i.isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// A share as a percentage: whole numbers from ten on, one decimal below.
    static func percent(_ share: Double) -> String {
        let value = share * 100
        if value > 0, value < 0.1 { return "under 0.1%" }
        return abs(value) >= 9.95 || value == value.rounded()
            ? "\(Int(value.rounded()))%" : String(format: "%.1f%%", value)
    }
}

extension JSON {
    /// Six significant digits: more than any estimate here has, and short in a delivery.
    static func rounded(_ value: Double) -> JSON {
        guard value.isFinite, value != 0 else { return value == 0 ? .number(0) : .null }
        return .number(Double(String(format: "%.6g", value)) ?? value)
    }
}
