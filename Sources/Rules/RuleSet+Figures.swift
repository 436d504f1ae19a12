import Detection
import Statistics
package import StrictYAML
import Values

extension RuleSet {
    /// Rules that ask for the evidence of many windows about a figure of which only the window itself can be judged.
    package var judgedAlone: [Problem] {
        var notes = ProblemCollector()
        for rule in rules where rule.significance == .edetector && rule.judgesPerformance {
            for selector in rule.expression.selectorsOfWindow
            where selector.metric.needsMaturity && selector.metric != .concept_drift
                && selector.metric.detector == nil
            {
                notes.add(
                    "`\(rule.name)` judges `\(selector.metric.name)` by each window alone: evidence of many windows is known of "
                        + "`accuracy`, `auroc` and `mae` (`significance: none` says that this is meant)",
                    at: rule.places.expression.place(ofCharacter: selector.offset))
            }
        }
        return notes.list
    }
}
