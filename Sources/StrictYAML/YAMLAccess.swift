package import Values

/// Each accessor gives the value as the type asked for, or `nil` after collecting what is wrong and what was expected.
extension YAMLValue {
    /// A mapping with these keys only. Unknown ones are collected, the known ones are still given.
    ///
    /// - Parameter hints: for keys that people expect here for a reason, what to write instead.
    package func mapping(
        allowed: [String], hints: [String: String] = [:], _ problems: inout ProblemCollector
    ) -> YAMLMapping? {
        guard let mapping = anyMapping(&problems) else { return nil }
        for entry in mapping.entries where !allowed.contains(entry.key) {
            let hint = hints[entry.key].map { ": \($0)" } ?? Nearest.hint(for: entry.key, among: allowed)
            problems.add("unknown key `\(entry.key)`\(hint)", at: entry.keyPlace)
        }
        return mapping
    }

    /// A mapping whose keys the author chooses.
    package func anyMapping(_ problems: inout ProblemCollector) -> YAMLMapping? {
        guard case .mapping(let entries) = content else {
            return wrong("a mapping of `key: value`", &problems)
        }
        return YAMLMapping(entries: entries, place: place)
    }

    package func list(_ problems: inout ProblemCollector) -> [YAMLValue]? {
        guard case .list(let items) = content else { return wrong("a list", &problems) }
        return items
    }

    /// Text exactly as written (after `${…}`), whatever it looks like.
    package func string(_ problems: inout ProblemCollector) -> String? {
        guard case .scalar(let scalar) = content, !isNull else { return wrong("text", &problems) }
        return scalar.text
    }

    /// As `string`, but not empty.
    package func nonEmptyString(_ problems: inout ProblemCollector) -> String? {
        guard let text = string(&problems) else { return nil }
        return text.isEmpty ? wrong("text that is not empty", &problems) : text
    }

    /// One word, or a list of words.
    package func strings(_ problems: inout ProblemCollector) -> [String]? {
        guard case .list(let items) = content else { return string(&problems).map { [$0] } }
        let texts = items.map { $0.string(&problems) }
        return texts.contains(nil) ? nil : texts.compactMap { $0 }
    }

    package func bool(_ problems: inout ProblemCollector) -> Bool? {
        let text = unquoted ?? ""
        switch text {
        case "true": return true
        case "false": return false
        case "yes", "on", "Yes", "On", "True", "TRUE": return wrong("`true` or `false`", hint: "true", &problems)
        case "no", "off", "No", "Off", "False", "FALSE": return wrong("`true` or `false`", hint: "false", &problems)
        default: return wrong("`true` or `false`", &problems)
        }
    }

    package func int(
        in range: ClosedRange<Int> = Int.min...Int.max, _ problems: inout ProblemCollector
    ) -> Int? {
        guard let text = unquoted, let value = Int(text), !text.hasPrefix("+") else {
            return wrong("a whole number", &problems)
        }
        let digits = text.drop { $0 == "-" }
        if digits.count > 1, digits.hasPrefix("0") {
            return wrong("a whole number without leading zeros", hint: "\(value)", &problems)
        }
        guard range.contains(value) else {
            return wrong("a whole number \(Self.inWords(range))", &problems)
        }
        return value
    }

    package func double(
        in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude,
        _ problems: inout ProblemCollector
    ) -> Double? {
        // Swift also reads hexadecimal floats, `inf` and `nan`, which nobody means in a settings file.
        guard let text = unquoted, text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }),
            let value = Double(text), value.isFinite
        else { return wrong("a number", &problems) }
        guard range.contains(value) else {
            return wrong("a number from \(range.lowerBound) to \(range.upperBound)", &problems)
        }
        return value
    }

    /// A Prometheus duration. Years are refused, and weeks where they read like counts of something else.
    package func duration(
        in range: ClosedRange<Span> = Span.zero...Span(microseconds: .max / 2), weeks: Bool = false,
        _ problems: inout ProblemCollector
    ) -> Span? {
        guard case .scalar(let scalar) = content, !isNull else {
            return wrong("a duration such as `90s`, `5m`, `1h30m` or `7d`", &problems)
        }
        guard let span = Span(parsing: scalar.text) else {
            return wrong("a duration such as `90s`, `5m`, `1h30m` or `7d`", hint: unitHint(scalar), &problems)
        }
        if (scalar.text.contains("w") && !weeks) || scalar.text.contains("y") {
            return wrong(
                "a duration in \(weeks ? "weeks" : "days") or smaller units", hint: span.description, &problems)
        }
        guard range.contains(span) else {
            let upper = range.upperBound >= Span(microseconds: .max / 2) ? "or more" : "to `\(range.upperBound)`"
            return wrong("a duration of `\(range.lowerBound)` \(upper)", &problems)
        }
        return span
    }

    /// One of some words.
    package func word(of allowed: [String], _ problems: inout ProblemCollector) -> String? {
        guard let text = string(&problems) else { return nil }
        guard allowed.contains(text) else {
            let shown = allowed.map { "`\($0)`" }.joined(separator: ", ")
            let near = Nearest.to(text, among: allowed).flatMap {
                $0.distance <= max(2, text.count / 3) ? $0.name : nil
            }
            return wrong("one of \(shown)", hint: near, &problems)
        }
        return text
    }

    /// One case of an enumeration whose raw values are the words.
    package func enumeration<Choice: RawRepresentable & CaseIterable>(
        _ type: Choice.Type, _ problems: inout ProblemCollector
    ) -> Choice? where Choice.RawValue == String {
        word(of: type.allCases.map(\.rawValue), &problems).flatMap { Choice(rawValue: $0) }
    }

    /// Text that may be a number or a boolean: written without quotes, or given by a variable.
    private var unquoted: String? {
        guard case .scalar(let scalar) = content, scalar.isPlain || scalar.isSecret else { return nil }
        return scalar.text
    }

    private func unitHint(_ scalar: Scalar) -> String? {
        guard !scalar.isSecret else { return nil }
        let compact = scalar.text.filter { $0 != " " }.lowercased()
        if Span(parsing: compact) != nil { return compact }
        if compact.allSatisfy(\.isNumber), !compact.isEmpty { return "\(compact)s" }
        for (word, unit) in [
            ("minutes", "m"), ("minute", "m"), ("min", "m"), ("hours", "h"), ("hour", "h"),
            ("days", "d"), ("day", "d"), ("seconds", "s"), ("second", "s"), ("sec", "s"),
        ]
        where compact.hasSuffix(word) {
            let fixed = compact.dropLast(word.count) + unit
            if Span(parsing: fixed) != nil { return String(fixed) }
        }
        return nil
    }

    private static func inWords(_ range: ClosedRange<Int>) -> String {
        if range.upperBound == .max { return "of at least \(range.lowerBound)" }
        if range.lowerBound == .min { return "of at most \(range.upperBound)" }
        return "from \(range.lowerBound) to \(range.upperBound)"
    }

    private func wrong<T>(_ expected: String, hint: String? = nil, _ problems: inout ProblemCollector) -> T? {
        var message = "expected \(expected), found \(kindInWords)"
        let isSecret = if case .scalar(let scalar) = content { scalar.isSecret } else { false }
        if let hint, !isSecret { message += ": did you mean `\(hint)`?" }
        problems.add(message, at: place)
        return nil
    }
}

/// The entries of a mapping by key.
package struct YAMLMapping: Sendable {
    package let entries: [YAMLValue.Entry]
    package let place: Place

    package subscript(key: String) -> YAMLValue? { entries.first { $0.key == key }?.value }

    /// The value of a key that must be there.
    package func required(_ key: String, _ problems: inout ProblemCollector) -> YAMLValue? {
        if let value = self[key] { return value }
        problems.add("`\(key)` is missing", at: place)
        return nil
    }

    package func keyPlace(_ key: String) -> Place { entries.first { $0.key == key }?.keyPlace ?? place }

    /// All entries as text to text, for labels and annotations.
    package func texts(_ problems: inout ProblemCollector) -> [String: String] {
        var out: [String: String] = [:]
        for entry in entries { out[entry.key] = entry.value.string(&problems) }
        return out
    }
}
