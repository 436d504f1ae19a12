import Values

/// Alarms of one target in many segments are one thing to know, whoever of them came first: from the third on they are told as one
/// alarm of what they have in common.
extension TargetDetector {
    /// Segments with an alarm that are told each by itself.
    private static let mostApart = 2
    /// Segments named at most.
    package static let mostNamed = 20

    /// Decides which segment stands for the alarms; it does so until the last of them is over, so that it does not come and go with
    /// each.
    mutating func gatherTogether(_ windows: [StreamWindow]) {
        let open = streams.filter { $0.alarm != nil }.map(\.segment)
        guard !open.isEmpty, !isVolume else {
            together = nil
            return
        }
        guard together != nil || open.count > Self.mostApart else { return }
        let common = (together.map { [$0] } ?? []) + open
        let shared = common[0].parts.filter { part in common.allSatisfy { $0[part.dimension] == part.value } }
        let named = [Segment(shared), .all].compactMap { wanted in
            windows.first { $0.isWatched && SegmentRelation.canonical($0.segment) == SegmentRelation.canonical(wanted) }
        }
        if let first = named.first { together = first.segment }
    }

    /// A window's verdict, where alarms are told as one.
    func joined(_ own: StreamVerdict, _ window: StreamWindow, isNew: Bool) -> StreamVerdict {
        guard let together, SegmentRelation.contains(together, window.segment) else { return own }
        var verdict = own
        guard window.segment == together else {
            verdict.isOpen = false
            verdict.isNew = false
            if own.isOpen { verdict.explainedBy = together }
            return verdict
        }
        let alarms = streams.compactMap(\.alarm)
        let leading = streams.max { ($0.alarm?.logR ?? -.infinity) < ($1.alarm?.logR ?? -.infinity) }
        verdict.leading = leading?.segment
        verdict.effect = leading?.alarm?.lastEffect ?? own.effect
        verdict.together = Array(streams.filter { $0.alarm != nil }.map(\.segment).prefix(Self.mostNamed))
        verdict.isOpen = true
        verdict.isNew = isNew
        verdict.logR = alarms.map(\.logR).max() ?? own.logR
        verdict.changeStart = alarms.map(\.start).min() ?? own.changeStart
        verdict.isWaning = alarms.allSatisfy { $0.back != nil }
        return verdict
    }
}
