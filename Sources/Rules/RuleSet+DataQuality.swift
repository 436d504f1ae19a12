import Statistics

extension RuleSet {
    /// Names of the rules that look at nothing but the quality of data: rows that are missing, unreadable or unheard of. While
    /// one fires, every version of a model gets the same bad rows.
    package var dataQualityRules: Set<String> {
        let quality: Set<Metric> = [
            .null_rate, .invalid_rate, .out_of_range_rate, .new_category_rate, .missing_rate, .wrong_type_rate,
            .stuck_rate,
        ]
        return Set(
            rules.filter { rule in
                let selectors = rule.expression.selectors
                return !selectors.isEmpty
                    && selectors.allSatisfy { selector in
                        // A model whose answers stick is at fault itself.
                        quality.contains(selector.metric)
                            && !(selector.metric == .stuck_rate
                                && selector.matchers.contains { $0.label == "column" && $0.pinned == "prediction" })
                    }
            }.map(\.name))
    }

    /// The rules that may roll a model back, with what they ask for.
    package func rollbacks(of model: String) -> [(rule: Rule, request: ActionRequest.Rollback)] {
        groups.filter { $0.holds(for: model) }.flatMap(\.rules).flatMap { rule in
            rule.actions.compactMap { action in
                guard case .rollback(let request) = action else { return nil }
                return (rule, request)
            }
        }
    }
}
