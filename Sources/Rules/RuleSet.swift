package import StrictYAML
package import Values

/// All rules of a configuration.
package struct RuleSet: Sendable {
    package let groups: [RuleGroup]

    package init(groups: [RuleGroup]) { self.groups = groups }

    package static let empty = RuleSet(groups: [])

    /// Reads rule files; throws every problem of all of them.
    package static func load(_ files: [(file: String, text: String)]) throws(Problems) -> RuleSet {
        var problems = ProblemCollector()
        let rules = read(files, &problems)
        try problems.throwIfAny()
        return rules
    }

    /// As `load`, giving the rules that are whole beside the problems, for checks that go on.
    package static func read(
        _ files: [(file: String, text: String)], _ problems: inout ProblemCollector
    ) -> RuleSet {
        var groups: [RuleGroup] = []
        for (file, text) in files {
            guard let root = YAMLValue.parse(text: text, file: file, collector: &problems) else { continue }
            RuleFileReader.read(root, into: &groups, &problems)
        }
        checkNames(groups, &problems)
        return RuleSet(groups: groups)
    }

    /// The window sizes a model's rules need: `nil` is the model's own.
    package func windowSizes(model: String) -> [Span?] {
        var sizes = Set<Span?>()
        for group in groups where group.holds(for: model) {
            for rule in group.rules { sizes.insert(rule.window) }
        }
        return sizes.sorted { ($0?.microseconds ?? -1) < ($1?.microseconds ?? -1) }
    }

    package var rules: [Rule] { groups.flatMap(\.rules) }

    package func rule(named name: String, group: String) -> Rule? {
        groups.first { $0.name == group }?.rules.first { $0.name == name }
    }

    /// Two rules of one name on one model would fight over the same alerts, unless a label tells them apart.
    private static func checkNames(_ groups: [RuleGroup], _ problems: inout ProblemCollector) {
        var groupPlaces: [String: Place] = [:]
        var seen: [String: [(group: RuleGroup, rule: Rule)]] = [:]
        for group in groups {
            if let earlier = groupPlaces[group.name] {
                problems.add("group `\(group.name)` is defined already at \(earlier)", at: group.place)
            }
            groupPlaces[group.name] = groupPlaces[group.name] ?? group.place
            for rule in group.rules {
                let texts = rule.labels.mapValues(\.text)
                let clash = seen[rule.name, default: []].first { other in
                    let sharesModel =
                        other.group.model == nil || group.model == nil || other.group.model == group.model
                    return sharesModel && other.rule.labels.mapValues(\.text) == texts
                }
                if let clash {
                    problems.add(
                        "alert `\(rule.name)` is defined already at \(clash.rule.places.name), with the same labels",
                        at: rule.places.name)
                }
                seen[rule.name, default: []].append((group, rule))
            }
        }
    }
}
