import Events
import Statistics
import Windows

/// Notices that no label of a binary model is of its positive class, as after a misspelt `positive`: all figures would be those of a model
/// whose case never comes.
struct PositiveWatch {
    private let model: String
    private let settings: PerformanceSettings
    private var labels = 0
    private var classes: Set<String> = []
    private var isDone: Bool

    /// Of a rare class the first hundreds of labels may have none.
    private static let least = 1_000
    /// At the end of a file there is nothing to wait for.
    private static let leastAtEnd = 30
    private static let shown = 10

    init(model: String, _ settings: PerformanceSettings) {
        self.model = model
        self.settings = settings
        isDone = settings.task != .binary
    }

    /// - Returns: what to say, once.
    mutating func take(_ delta: JoinDelta) -> String? {
        guard !isDone else { return nil }
        var isSeen = [Bool](repeating: false, count: delta.classes.count)
        func note(_ label: Double) {
            guard label >= 0, Int(label) < isSeen.count else { return }
            isSeen[Int(label)] = true
            labels += 1
        }
        for label in delta.labels { note(label.value) }
        for prediction in delta.predictions { note(prediction.label) }
        let vocabulary = settings.vocabulary
        for place in isSeen.indices where isSeen[place] {
            classes.insert(delta.classes[place])
            if vocabulary.isPositive(delta.classes[place]) { isDone = true }
        }
        return tell(Self.least)
    }

    mutating func finish() -> String? { tell(Self.leastAtEnd) }

    private mutating func tell(_ least: Int) -> String? {
        guard !isDone, labels >= least else { return nil }
        isDone = true
        let seen = classes.sorted().prefix(Self.shown).joined(separator: ", ")
        return
            "model `\(model)`: none of \(labels) labels is of the positive class (\(settings.positives.joined(separator: ", "))): "
            + "they are \(seen); if another one counts, the model's `positive` must name it"
    }
}
