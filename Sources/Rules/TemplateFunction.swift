import Foundation
import Values

/// The functions of Prometheus' templates that need no query, and Go's comparisons. Names and results are theirs.
enum TemplateFunction: String, CaseIterable, Sendable {
    case humanize, humanize1024, humanizePercentage, humanizeDuration, humanizeTimestamp
    case printf, print, title, toUpper, toLower, reReplaceAll
    case eq, ne, lt, le, gt, ge, and, or, not

    /// How many arguments it takes, the piped one included.
    var arity: ClosedRange<Int> {
        switch self {
        case .printf, .print: 1...20
        case .reReplaceAll: 3...3
        case .eq, .ne, .lt, .le, .gt, .ge: 2...2
        case .and, .or: 1...20
        default: 1...1
        }
    }

    func apply(_ arguments: [TemplateValue]) throws(TemplateFailure) -> TemplateValue {
        guard arity.contains(arguments.count), let first = arguments.first else {
            throw TemplateFailure(message: "\(rawValue) got \(arguments.count) arguments, takes \(arityInWords)")
        }
        if isForNumbers, first.isAbsent { return .string(TemplateValue.absentText) }
        switch self {
        case .humanize: return .string(Humanize.decimal(try number(first)))
        case .humanize1024: return .string(Humanize.binary(try number(first)))
        case .humanizePercentage: return .string(Humanize.percentage(try number(first)))
        case .humanizeDuration: return .string(Humanize.duration(try number(first)))
        case .humanizeTimestamp: return .string(Humanize.timestamp(try number(first)))
        case .printf: return .string(try Printf.format(first.text, Array(arguments.dropFirst())))
        case .print: return .string(arguments.map(\.text).joined())
        case .title: return .string(Self.titled(first.text))
        case .toUpper: return .string(first.text.uppercased())
        case .toLower: return .string(first.text.lowercased())
        case .reReplaceAll:
            return .string(try Self.replace(arguments[0].text, with: arguments[1].text, in: arguments[2].text))
        case .eq: return .bool(isEqual(first, arguments[1]))
        case .ne: return .bool(!isEqual(first, arguments[1]))
        case .lt: return .bool(try isLess(first, arguments[1]))
        case .ge: return .bool(try !isLess(first, arguments[1]))
        case .gt: return .bool(try isLess(arguments[1], first))
        case .le: return .bool(try !isLess(arguments[1], first))
        case .and: return arguments.first { !$0.isTrue } ?? arguments[arguments.count - 1]
        case .or: return arguments.first { $0.isTrue } ?? arguments[arguments.count - 1]
        case .not: return .bool(!first.isTrue)
        }
    }

    private var isForNumbers: Bool {
        switch self {
        case .humanize, .humanize1024, .humanizePercentage, .humanizeDuration, .humanizeTimestamp: true
        default: false
        }
    }

    var arityInWords: String {
        arity.lowerBound == arity.upperBound ? "\(arity.lowerBound)" : "at least \(arity.lowerBound)"
    }

    private func number(_ value: TemplateValue) throws(TemplateFailure) -> Double {
        guard let number = value.number else {
            throw TemplateFailure(message: "\(rawValue) needs a number, got \"\(value.text)\"")
        }
        return number
    }

    private func isEqual(_ a: TemplateValue, _ b: TemplateValue) -> Bool {
        if let x = a.number, let y = b.number { return x == y }
        return a.text == b.text
    }

    private func isLess(_ a: TemplateValue, _ b: TemplateValue) throws(TemplateFailure) -> Bool {
        if let x = a.number, let y = b.number { return x < y }
        return a.text < b.text
    }

    private static func titled(_ text: String) -> String {
        var out = ""
        var isStart = true
        for c in text {
            out += isStart ? c.uppercased() : String(c)
            isStart = !(c.isLetter || c.isNumber || c == "_" || c == "'")
        }
        return out
    }

    /// Go's replacement syntax: `$1`, `${1}`, `${name}`, `$$`.
    private static func replace(
        _ pattern: String, with replacement: String, in text: String
    ) throws(TemplateFailure) -> String {
        guard let regex = try? LabelMatcher.compile(pattern) else {
            throw TemplateFailure(message: "not a regular expression: \(pattern)")
        }
        return text.replacing(regex) { match in
            var out = ""
            var rest = Substring(replacement)
            while let dollar = rest.firstIndex(of: "$") {
                out += rest[..<dollar]
                rest = rest[rest.index(after: dollar)...]
                if rest.first == "$" {
                    out += "$"
                    rest = rest.dropFirst()
                    continue
                }
                let isBraced = rest.first == "{"
                if isBraced { rest = rest.dropFirst() }
                let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
                rest = rest.dropFirst(name.count)
                if isBraced, rest.first == "}" { rest = rest.dropFirst() }
                if let index = Int(name) {
                    if index < match.output.count { out += match.output[index].substring ?? "" }
                } else {
                    out += match.output.first { $0.name == String(name) }?.substring ?? ""
                }
            }
            return out + rest
        }
    }
}
