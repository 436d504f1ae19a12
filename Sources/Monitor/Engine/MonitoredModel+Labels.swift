import Events
import Statistics
import StrictYAML
import Windows

/// The configuration's way of judging rows, held against the one its reference was built with: figures of one cannot be compared with
/// figures of the other.
extension MonitoredModel {
    /// `warnings` with their places, for a log.
    var warningLines: [String] { warnings.map { "\($0.place): \($0.message)" } }

    /// What the labelled rows of a reference are good for.
    struct LabelledReference {
        var settings: PerformanceSettings?
        /// `nil` where they were counted in another way.
        var reference: PerformanceReference?
        var warnings: [Problem] = []
    }

    /// Where the reference was built with a configuration, another way is a problem; where it was built without, its labelled rows are left
    /// out with a warning.
    static func labelled(
        _ model: Configuration.Model, _ known: PerformanceReference?, _ problems: inout ProblemCollector
    ) -> LabelledReference {
        guard var settings = model.asksPerformance || known != nil ? model.performance : nil else {
            return LabelledReference()
        }
        guard let known else { return LabelledReference(settings: settings) }
        if !model.namesTask { settings.task = known.task }
        if let place = model.performancePlaces["positive"], let text = unknownPositive(settings, known) {
            problems.add("model `\(model.name)`: \(text)", at: place)
            return LabelledReference(settings: settings)
        }
        var found = LabelledReference(settings: settings, reference: known)
        if let (key, text) = difference(settings, known) {
            let place = model.performancePlaces[key] ?? model.performancePlaces["task"] ?? model.place
            let message =
                "model `\(model.name)`: \(text): build the reference again with "
                + "`holdfast reference build --config \(model.place.file) --model \(model.name)`"
            found.reference = nil
            if known.basis.map(\.isGuessed) ?? true {
                found.warnings = [
                    Problem(
                        message + "; until then its labelled rows are left out, and nothing is estimated", at: place)
                ]
            } else {
                problems.add(message, at: place)
            }
        } else if settings.task == .binary, let basis = known.basis {
            found.settings?.labelClasses = basis.labels
            // Another threshold changes only which scores are called positive, and the reference has those with their labels.
            if let old = basis.threshold, old != settings.threshold {
                found.reference = known.judged(by: settings.threshold)
            }
        }
        return found
    }

    /// A class that neither of the reference's two is. Where it has one alone, the other may be the positive one.
    private static func unknownPositive(_ settings: PerformanceSettings, _ known: PerformanceReference) -> String? {
        guard settings.task == .binary, let labels = known.basis?.labels, labels.count > 1 else { return nil }
        let own = LabelVocabulary(positives: settings.positives)
        guard !labels.contains(where: own.isPositive) else { return nil }
        let classes = settings.positives.joined(separator: ", ")
        return "no label of its reference is the positive class \(classes): they are \(labels.joined(separator: ", "))"
    }

    /// - Returns: the key of the configuration that says something else, and what, in words.
    private static func difference(
        _ settings: PerformanceSettings, _ known: PerformanceReference
    ) -> (key: String, text: String)? {
        guard settings.task == known.task else {
            return (
                "task",
                "its task is \(settings.task.rawValue), and the labelled rows of its reference were taken for those of a "
                    + "\(known.task.rawValue) model"
            )
        }
        guard settings.task == .binary, let basis = known.basis else { return nil }
        func names(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }
        let own = LabelVocabulary(positives: settings.positives)
        let old = LabelVocabulary(positives: basis.positives)
        // Spellings that no label has make no difference.
        let differs =
            basis.labels.isEmpty ? own != old : basis.labels.contains { own.isPositive($0) != old.isPositive($0) }
        if differs {
            return (
                "positive",
                "its positive class is \(names(settings.positives)), and in the labelled rows of its reference, whose labels "
                    + "are \(names(basis.labels)), it was \(names(basis.positives))"
            )
        }
        return nil
    }
}
