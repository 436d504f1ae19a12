import Detection
import Values

/// Alerts that explain others (`inhibited_by`): one cause, one page.
///
/// A value that sticks is also a shifted histogram, and lies outside the range of some small segment; whoever is told that it is stuck
/// needs neither. Unlike Alertmanager's inhibition, which mutes what fires, an inhibited instance never begins: it has no life
/// of its own to resolve.
extension ModelAlertState {
    /// How long what was inhibited stays so after the other alert is over, in windows: detectors end at slightly different times.
    private static let grace: Int64 = 3

    /// Whether a new instance is explained by an active alert of one of these names, or was until a few windows ago.
    ///
    /// - Parameter isWaning: its detector is about to close. What was explained while it was there does not begin when it is gone.
    mutating func isInhibited(
        _ fingerprint: String, by names: [String], _ labels: [String: String], _ segment: Segment, in window: TimeRange,
        isWaning: Bool
    ) -> Bool {
        let isExplained = instances.values.contains { other in
            names.contains(other.rule) && other.isActive && other.labels["column"] == labels["column"]
                && other.labels["version"] == labels["version"] && SegmentRelation.contains(other.segment, segment)
        }
        var all = (inhibited ?? [:]).filter { window.end - $0.value <= window.length * Self.grace }
        if isExplained || (isWaning && all[fingerprint] != nil) { all[fingerprint] = window.end }
        inhibited = all.isEmpty ? nil : all
        return all[fingerprint] != nil
    }
}
