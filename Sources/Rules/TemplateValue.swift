import Foundation
import Values

/// What a template computes with.
indirect enum TemplateValue: Sendable {
    case nothing
    case string(String)
    case number(Double)
    /// A number that there is none of here, such as the reference's value of a metric it does not have.
    case absent
    case bool(Bool)
    case time(Timestamp)
    /// Fields by name, and what the whole prints as.
    case record([String: TemplateValue], shown: TemplateValue)

    static let absentText = "n/a"

    static func number(orAbsent value: Double?) -> TemplateValue {
        value.flatMap { $0.isNaN ? nil : .number($0) } ?? .absent
    }

    var isAbsent: Bool { if case .absent = self { true } else { false } }

    /// Go's `%v`.
    var text: String {
        switch self {
        case .nothing: "<no value>"
        case .string(let text): text
        case .number(let value): Self.shortest(value)
        case .absent: Self.absentText
        case .bool(let value): value ? "true" : "false"
        case .time(let time): time.rfc3339
        case .record(let members, .nothing):
            "map[" + members.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.text)" }.joined(separator: " ")
                + "]"
        case .record(_, let shown): shown.text
        }
    }

    /// Go's notion of truth: not empty and not zero.
    var isTrue: Bool {
        switch self {
        case .nothing, .absent: false
        case .string(let text): !text.isEmpty
        case .number(let value): value != 0
        case .bool(let value): value
        case .time: true
        case .record(let members, .nothing): !members.isEmpty
        case .record(_, let shown): shown.isTrue
        }
    }

    /// As a number, where it is one: text is read, a time is its seconds since 1970.
    var number: Double? {
        switch self {
        case .number(let value): value
        case .string(let text): Double(text)
        case .time(let time): time.seconds
        case .record(_, let shown): shown.number
        // As a number it equals nothing and is neither more nor less than anything.
        case .absent: .nan
        case .nothing, .bool: nil
        }
    }

    /// Shortest digits that read back to the same double, with an exponent from 1e21 up and below 1e-4, as Go prints
    /// floats.
    static func shortest(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        let magnitude = abs(value)
        if magnitude >= 1e21 || magnitude < 1e-4 { return exponentForm(value) }
        if value == value.rounded(), magnitude < 1e15 { return String(Int64(value)) }
        let text = value.description
        guard text.contains("e") else { return text.hasSuffix(".0") ? String(text.dropLast(2)) : text }
        return String(format: "%.0f", value)
    }

    private static func exponentForm(_ value: Double) -> String {
        for precision in 0...17 {
            let text = String(format: "%.\(precision)e", value)
            if Double(text) == value { return text }
        }
        return String(format: "%.17e", value)
    }
}
