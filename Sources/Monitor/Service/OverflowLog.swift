import Logging
import Synchronization

/// Says once of each dimension of each model that its names have run out of places; how many rows it concerns, `/metrics` counts.
final class OverflowLog: Sendable {
    private let log: Logger
    private let told = Mutex<Set<SegmentOverflowKey>>([])

    init(log: Logger) { self.log = log }

    func take(_ step: Engine.Step) {
        guard !step.segmentOverflow.isEmpty else { return }
        for key in step.segmentOverflow.keys where told.withLock({ $0.insert(key).inserted }) {
            let what =
                switch key.dimension {
                case SegmentOverflowKey.version: "versions that the registry does not know"
                case SegmentOverflowKey.combination: "combinations of segment values"
                default: "values of this segment dimension"
                }
            log.warning(
                "too many \(what): new ones are counted together as (other)",
                metadata: ["model": "\(key.model)", "dimension": "\(key.dimension)"])
        }
    }
}
