import Foundation
import Values

/// Numbers for people, exactly as Prometheus' template functions of these names write them (template/template.go).
enum Humanize {
    private static func g4(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return String(format: "%.4g", value)
    }

    static func decimal(_ value: Double) -> String {
        guard value != 0, value.isFinite else { return g4(value) }
        var v = value
        var prefix = ""
        if abs(v) >= 1 {
            for p in ["k", "M", "G", "T", "P", "E", "Z", "Y"] where abs(v) >= 1000 {
                prefix = p
                v /= 1000
            }
        } else {
            for p in ["m", "u", "n", "p", "f", "a", "z", "y"] where abs(v) < 1 {
                prefix = p
                v *= 1000
            }
        }
        return g4(v) + prefix
    }

    static func binary(_ value: Double) -> String {
        guard abs(value) > 1, value.isFinite else { return g4(value) }
        var v = value
        var prefix = ""
        for p in ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"] where abs(v) >= 1024 {
            prefix = p
            v /= 1024
        }
        return g4(v) + prefix
    }

    static func percentage(_ value: Double) -> String { g4(value * 100) + "%" }

    static func duration(_ value: Double) -> String {
        guard value.isFinite else { return g4(value) }
        if value == 0 { return "0s" }
        if abs(value) < 1 {
            var v = value
            var prefix = ""
            for p in ["m", "u", "n", "p", "f", "a", "z", "y"] where abs(v) < 1 {
                prefix = p
                v *= 1000
            }
            return g4(v) + prefix + "s"
        }
        let sign = value < 0 ? "-" : ""
        let magnitude = abs(value)
        guard magnitude < 9e15 else { return g4(value) + "s" }
        let whole = Int64(magnitude)
        let (seconds, minutes, hours, days) = (whole % 60, whole / 60 % 60, whole / 3600 % 24, whole / 86_400)
        if days != 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(seconds)s" }
        if hours != 0 { return "\(sign)\(hours)h \(minutes)m \(seconds)s" }
        if minutes != 0 { return "\(sign)\(minutes)m \(seconds)s" }
        return sign + g4(magnitude) + "s"
    }

    /// Seconds since 1970 as Go prints a time: `2026-03-01 12:00:00.25 +0000 UTC`.
    static func timestamp(_ seconds: Double) -> String {
        guard abs(seconds) < 9e12 else { return g4(seconds) }
        let text = Timestamp(microseconds: Int64((seconds * 1e6).rounded())).rfc3339
        return text.dropLast().replacing("T", with: " ") + " +0000 UTC"
    }
}
