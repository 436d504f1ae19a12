package import Values

/// Alerts that nobody is to be told of for a while, as Alertmanager's silences: those whose labels pass every matcher.
package struct Silence: Sendable, Hashable {
    package struct Matcher: Sendable, Hashable {
        package let name: String
        package let value: String
        package let isRegex: Bool
        package let isEqual: Bool

        package init(name: String, value: String, isRegex: Bool, isEqual: Bool) {
            self.name = name
            self.value = value
            self.isRegex = isRegex
            self.isEqual = isEqual
        }

        fileprivate var compiled: CompiledMatcher {
            CompiledMatcher(
                LabelMatcher(
                    label: name, comparison: isRegex ? isEqual ? .matches : .notMatches : isEqual ? .equal : .notEqual,
                    text: value, offset: 0, textOffset: 0))
        }

        /// Why it cannot be used, in words; `nil` where it can.
        package var problem: String? {
            if name.isEmpty { return "a matcher without the name of a label" }
            guard isRegex else { return nil }
            guard value.count <= LabelMatcher.maximumPattern else { return "the regular expression is too long" }
            return (try? LabelMatcher.compile(value)) == nil ? "not a regular expression: `\(value)`" : nil
        }

        /// Whether a label that is not there passes.
        package var passesNothing: Bool {
            var matcher = compiled
            return matcher.passes("")
        }
    }

    package enum State: String, Sendable {
        case pending, active, expired
    }

    package let id: String
    package let matchers: [Matcher]
    package let startsAt: Timestamp
    package let endsAt: Timestamp
    package let createdBy: String
    package let comment: String
    package let updatedAt: Timestamp

    package init(
        id: String, matchers: [Matcher], startsAt: Timestamp, endsAt: Timestamp, createdBy: String, comment: String,
        updatedAt: Timestamp
    ) {
        self.id = id
        self.matchers = matchers
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.createdBy = createdBy
        self.comment = comment
        self.updatedAt = updatedAt
    }

    /// By the wall clock: silences are about who is told when, not about event time.
    package func state(at now: Timestamp) -> State { now < startsAt ? .pending : now < endsAt ? .active : .expired }

    /// Alertmanager's form, without its state.
    package var json: JSON {
        .members(
            ("id", .string(id)), ("matchers", .array(matchers.map(\.json))), ("startsAt", .time(startsAt)),
            ("endsAt", .time(endsAt)), ("createdBy", .string(createdBy)), ("comment", .string(comment)),
            ("updatedAt", .time(updatedAt)))
    }
}

extension Silence.Matcher {
    package var json: JSON {
        .members(
            ("name", .string(name)), ("value", .string(value)), ("isRegex", .bool(isRegex)), ("isEqual", .bool(isEqual))
        )
    }
}

/// Several silences ready for use on many alerts.
package struct Silencer {
    private var silences: [(id: String, matchers: [CompiledMatcher])]

    package init(_ silences: [Silence]) {
        self.silences = silences.map { ($0.id, $0.matchers.map(\.compiled)) }
    }

    /// The silences that hold for an alert with these labels.
    package mutating func silences(for labels: [String: String]) -> [String] {
        var out: [String] = []
        for i in silences.indices {
            var passes = true
            for j in silences[i].matchers.indices where passes {
                passes = silences[i].matchers[j].passes(labels[silences[i].matchers[j].matcher.label] ?? "")
            }
            if passes { out.append(silences[i].id) }
        }
        return out
    }
}
