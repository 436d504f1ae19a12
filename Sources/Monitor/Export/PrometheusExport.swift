import Rules
package import StrictYAML
package import Values

/// `holdfast export prometheus`: rule files as Prometheus alerting rules over `/metrics`. What cannot be said there is told by name, as a
/// comment in the file and to whoever asked.
package struct PrometheusExport: Sendable {
    /// The rule file.
    package let text: String
    /// What is missing in it or different, with the place of the rule it is about.
    package let notes: [Problem]
    package let exported: Int
    package let total: Int

    /// - Parameters:
    ///   - files: rule files.
    ///   - every: time between the windows of the models, for lengths that are counted in windows.
    /// - Throws: every problem of the rule files.
    package static func make(_ files: [(file: String, text: String)], every: Span) throws(Problems) -> PrometheusExport
    {
        PrometheusExport(try RuleSet.load(files), every: every)
    }

    /// Reads the files first.
    package static func make(paths: [String], every: Span) throws(Problems) -> PrometheusExport {
        var problems = ProblemCollector()
        var files: [(file: String, text: String)] = []
        for path in paths {
            let place = Place(file: path, line: 1, column: 1)
            if let text = ConfigurationReader.contents(path, place, &problems) { files.append((path, text)) }
        }
        try problems.throwIfAny()
        return try make(files, every: every)
    }

    private init(_ rules: RuleSet, every: Span) {
        var writer = Writer(every: every)
        for group in rules.groups { writer.write(group) }
        text = writer.text
        notes = writer.notes
        exported = writer.exported
        total = rules.rules.count
    }

    private struct Writer {
        let every: Span
        var lines: [String]
        var notes: [Problem] = []
        var exported = 0
        private var hasGroups = false

        init(every: Span) {
            self.every = every
            lines = [
                "# Prometheus rules made of Holdfast's by `holdfast export prometheus`, over Holdfast's own /metrics.",
                "# They look at all traffic; lengths that Holdfast counts in windows are multiples of \(every) here.",
                "# As always in Prometheus, missing data resolves an alert, and a restart may reset one.",
                "groups:",
            ]
        }

        var text: String {
            // A file without groups is an empty list.
            lines.map { $0 == "groups:" && !hasGroups ? "groups: []" : $0 }.joined(separator: "\n") + "\n"
        }

        mutating func write(_ group: RuleGroup) {
            var body: [String] = []
            var comments: [String] = []
            if group.limit != nil {
                // Prometheus' limit erases every alert of a rule that passes it, which ours was made not to do.
                tell(
                    "group `\(group.name)`: `limit` is left out, in Prometheus it would erase alerts", group.place,
                    &comments)
            }
            for rule in group.rules { body += write(rule, group) }
            lines += comments.map { "# \($0)" }
            let hasRules = body.contains { $0.hasPrefix("  - alert") }
            if hasRules {
                hasGroups = true
                lines += ["- name: \(quoted(group.name))", "  rules:"]
            }
            lines += body
        }

        private mutating func write(_ rule: Rule, _ group: RuleGroup) -> [String] {
            var comments: [String] = []
            var expression = PrometheusExpression(rule, model: group.model, every: every)
            let text: String
            do throws(PrometheusExpression.Inexpressible) {
                try refuse(rule)
                text = try expression.text()
            } catch {
                tell("`\(rule.name)` is not here: \(error.message)", rule.places.name, &comments)
                return comments.map { "  # \($0)" }
            }
            for note in expression.notes { tell("`\(rule.name)`: \(note)", rule.places.name, &comments) }
            if !rule.actions.isEmpty {
                tell("`\(rule.name)`: its actions stay Holdfast's", rule.places.name, &comments)
            }
            if !rule.inhibitedBy.isEmpty {
                tell(
                    "`\(rule.name)`: `inhibited_by` is Alertmanager's, as `inhibit_rules`", rule.places.name, &comments)
            }
            if rule.notify != nil {
                tell("`\(rule.name)`: `notify` is Alertmanager's to route, by labels", rule.places.name, &comments)
            }
            var out = ["  - alert: \(quoted(rule.name))", "    expr: \(quoted(text))"]
            if let hold = length(rule.hold, isFirstCounted: true) { out.append("    for: \(hold)") }
            if let keep = length(rule.keepFiring, isFirstCounted: false) { out.append("    keep_firing_for: \(keep)") }
            out += mapping("labels", rule.labels.mapValues(\.text))
            var annotations: [String: String] = [:]
            for (name, template) in rule.annotations.sorted(by: { $0.key < $1.key }) {
                let foreign = template.variables.subtracting(["labels", "value"])
                if foreign.isEmpty {
                    annotations[name] = template.text
                } else {
                    let list = foreign.sorted().map { "$\($0)" }.joined(separator: ", ")
                    tell(
                        "`\(rule.name)`: annotation `\(name)` uses \(list), which Prometheus does not have",
                        rule.places.name, &comments)
                }
            }
            out += mapping("annotations", annotations)
            exported += 1
            return comments.map { "  # \($0)" } + out
        }

        private func refuse(_ rule: Rule) throws(PrometheusExpression.Inexpressible) {
            if let against = rule.against {
                throw .init(
                    message:
                        "`against: \(against.rawValue)`: /metrics has comparisons with the model's own reference only")
            }
            if let window = rule.window {
                throw .init(message: "`window: \(window)`: /metrics has the model's own windows only")
            }
            if rule.sinceDeploy != nil {
                throw .init(message: "`since`: /metrics does not say when a champion changed")
            }
            if rule.labelsCoverage != nil { throw .init(message: "`labels_coverage`: /metrics does not say it") }
            if rule.noData == .alert {
                throw .init(message: "`no_data: alert`: PromQL does not remember which instances there were")
            }
        }

        /// As a time; `nil` for none.
        private func length(_ hold: Hold, isFirstCounted: Bool) -> String? {
            switch hold {
            case .windows(let count):
                let steps = max(0, isFirstCounted ? count - 1 : count)
                return steps == 0 ? nil : "\(every * Int64(steps))"
            case .duration(let span): return span == .zero ? nil : "\(span)"
            }
        }

        private func mapping(_ key: String, _ texts: [String: String]) -> [String] {
            guard !texts.isEmpty else { return [] }
            return ["    \(key):"] + texts.sorted { $0.key < $1.key }.map { "      \($0.key): \(quoted($0.value))" }
        }

        private mutating func tell(_ text: String, _ place: Place, _ comments: inout [String]) {
            notes.append(Problem(text, at: place))
            comments.append(text.replacing("\n", with: " "))
        }

        /// A JSON string is a YAML string.
        private func quoted(_ text: String) -> String { JSON.string(text).text }
    }
}
