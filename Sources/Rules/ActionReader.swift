import StrictYAML
import Values

/// Reads a rule's `actions`.
enum ActionReader {
    static func actions(
        _ value: YAMLValue, _ places: inout Rule.Places?, _ problems: inout ProblemCollector
    ) -> [ActionRequest] {
        var out: [ActionRequest] = []
        for item in value.list(&problems) ?? [] {
            guard let mapping = item.mapping(allowed: ["rollback", "retrain"], &problems) else { continue }
            if mapping.entries.count != 1 {
                problems.add(
                    "expected one action, `rollback: {…}` or `retrain: {…}`, found \(mapping.entries.count)",
                    at: item.place)
            }
            if let retrain = mapping["retrain"], let request = self.retrain(retrain, &places, &problems) {
                out.append(.retrain(request))
            }
            if let rollback = mapping["rollback"], let request = self.rollback(rollback, &places, &problems) {
                out.append(.rollback(request))
            }
        }
        return out
    }

    /// `{pipeline: fraud-train}`, started by the receiver of that name, or by `receiver`.
    private static func retrain(
        _ value: YAMLValue, _ places: inout Rule.Places?, _ problems: inout ProblemCollector
    ) -> ActionRequest.Retrain? {
        if case .scalar(let scalar) = value.content, !scalar.isSecret {
            problems.add(
                "expected which pipeline, as in `{pipeline: \(scalar.text)}`, found `\(scalar.text)`", at: value.place)
            return nil
        }
        guard let mapping = value.mapping(allowed: ["pipeline", "receiver"], &problems),
            let name = mapping.required("pipeline", &problems), let pipeline = name.nonEmptyString(&problems)
        else { return nil }
        guard let receiver = mapping["receiver"] else {
            places?.starters.append((pipeline, name.place))
            return ActionRequest.Retrain(pipeline: pipeline, receiver: pipeline)
        }
        guard let text = receiver.nonEmptyString(&problems) else { return nil }
        places?.starters.append((text, receiver.place))
        return ActionRequest.Retrain(pipeline: pipeline, receiver: text)
    }

    private static func rollback(
        _ value: YAMLValue, _ places: inout Rule.Places?, _ problems: inout ProblemCollector
    ) -> ActionRequest.Rollback? {
        let keys = ["to", "mode", "unless", "max", "cooldown", "windows", "min_rows"]
        var request = ActionRequest.Rollback(
            to: "champion-1", mode: .guarded, unless: [], maximum: 1, maximumPer: .days(1), cooldown: .hours(6))
        // `rollback:` alone takes every default.
        if value.isNull { return request }
        guard let mapping = value.mapping(allowed: keys, &problems) else { return nil }
        let before = problems.list.count
        if let to = mapping["to"]?.word(of: ["champion-1", "champion-2"], &problems) { request.to = to }
        if let mode = mapping["mode"]?.enumeration(ActionRequest.Rollback.Mode.self, &problems) {
            request.mode = mode
        }
        if let unless = mapping["unless"] {
            request.unless = unless.strings(&problems) ?? []
            if case .list(let items) = unless.content {
                for (name, item) in zip(request.unless, items) { places?.unless.append((name, item.place)) }
            } else if let name = request.unless.first {
                places?.unless.append((name, unless.place))
            }
        }
        if let maximum = mapping["max"], let (count, per) = self.maximum(maximum, &problems) {
            request.maximum = count
            request.maximumPer = per
        }
        if let cooldown = mapping["cooldown"]?.duration(in: Span.zero...Span.days(366), &problems) {
            request.cooldown = cooldown
        }
        if let windows = mapping["windows"]?.int(in: 1...100, &problems) { request.windows = windows }
        if let rows = mapping["min_rows"]?.int(in: 1...1_000_000_000, &problems) { request.minimumRows = Int64(rows) }
        return problems.list.count == before ? request : nil
    }

    /// `1 per 24h`.
    private static func maximum(_ value: YAMLValue, _ problems: inout ProblemCollector) -> (Int, Span)? {
        guard let text = value.nonEmptyString(&problems) else { return nil }
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 3, words[1] == "per", let count = Int(words[0]), (0...1_000).contains(count),
            let per = Span(parsing: words[2]), per > .zero
        else {
            problems.add("expected a number per duration such as `1 per 24h`, found `\(text)`", at: value.place)
            return nil
        }
        return (count, per)
    }
}
