import Detection
import StrictYAML
import Values

/// Turns a rule file's YAML into groups. What cannot be understood is collected; the rest is still read, so that one
/// run tells everything.
enum RuleFileReader {
    static func read(_ root: YAMLValue, into groups: inout [RuleGroup], _ problems: inout ProblemCollector) {
        if root.isNull { return }
        guard let top = root.mapping(allowed: ["groups"], &problems),
            let list = top.required("groups", &problems)?.list(&problems)
        else { return }
        for item in list {
            if let group = group(item, &problems) { groups.append(group) }
        }
    }

    private static func group(_ value: YAMLValue, _ problems: inout ProblemCollector) -> RuleGroup? {
        let keys = ["name", "model", "labels", "budget", "limit", "rules"]
        let hints = ["interval": "rules look at every window as it closes; a rule's `window` is its size"]
        guard let mapping = value.mapping(allowed: keys, hints: hints, &problems) else { return nil }
        let name = mapping.required("name", &problems)?.nonEmptyString(&problems)
        let model = mapping["model"]?.nonEmptyString(&problems)
        let labels = mapping["labels"].map { RuleReader.labels($0, &problems) } ?? [:]
        let limit = mapping["limit"]?.int(in: 1...1_000_000, &problems)
        let budget = mapping["budget"].flatMap { Self.budget($0, &problems) }
        var rules: [Rule] = []
        for item in mapping.required("rules", &problems)?.list(&problems) ?? [] {
            if let rule = RuleReader.rule(item, groupLabels: labels, &problems) { rules.append(rule) }
        }
        guard let name else { return nil }
        return RuleGroup(
            name: name, model: model, limit: limit, budget: budget, rules: rules,
            place: mapping["name"]?.place ?? mapping.place, modelPlace: mapping["model"]?.place)
    }

    private static func budget(
        _ value: YAMLValue, _ problems: inout ProblemCollector
    ) -> RuleGroup.Budget? {
        guard let mapping = value.mapping(allowed: ["false_alerts", "per"], &problems) else { return nil }
        let count = mapping.required("false_alerts", &problems)?.double(in: 1e-6...1e6, &problems)
        let per = mapping.required("per", &problems)?
            .duration(in: Span.minutes(1)...Span.days(3_650), &problems)
        guard let count, let per else { return nil }
        return RuleGroup.Budget(falseAlerts: count, per: per)
    }
}
