import Detection
import Statistics
import Values

/// A change of one instance that somebody is to be told of.
struct AlertTransition {
    var fingerprint: String
    var instance: AlertInstance
    var status: Alert.Status
    var rule: Rule?
    var sample: Sample?

    /// As the detector estimates it, otherwise the start of the first window in which the condition held.
    var changeStart: Timestamp { sample?.verdict?.changeStart ?? instance.changeStart }
}

extension Segment {
    /// Whether every row of another segment is one of this.
    fileprivate func holds(_ other: Segment) -> Bool { parts.allSatisfy { other[$0.dimension] == $0.value } }
}

/// Makes alerts of the transitions of one window: finds which belong together, and gathers the evidence for each.
struct AlertWriter {
    private var book: EvidenceBook
    private let memory: WindowMemory
    private let champions: [ChampionMove]
    /// When the window is judged: when alerts change.
    private let at: Timestamp

    init(book: EvidenceBook, memory: WindowMemory, champions: [ChampionMove], at: Timestamp) {
        self.at = at
        self.book = book
        self.memory = memory
        self.champions = champions
    }

    /// A segment leads a shift that it holds at least half of.
    static let leadingShare = 0.5

    mutating func alerts(_ transitions: [AlertTransition], _ state: inout ModelAlertState) -> [Alert] {
        let transitions = withCauses(transitions, &state)
        let active = state.instances.sorted { $0.key < $1.key }.map(\.value).filter(\.isActive)
        let firing = active.filter { $0.phase == .firing }
        return transitions.map { alert($0, active, firing) }
    }

    private mutating func alert(
        _ transition: AlertTransition, _ active: [AlertInstance], _ firing: [AlertInstance]
    ) -> Alert {
        let instance = transition.instance
        let evidence = AlertEvidence(book.snapshot, transition.sample)
        var findings = AlertEvidence.Findings(significance: transition.rule?.significance)
        findings.alsoFiring = Array(
            firing.lazy.filter { $0.labels != instance.labels }.prefix(AlertEvidence.maximumOthers))
        if let index = transition.sample?.row { find(&findings, index, transition, active) }
        return Alert(
            status: transition.status, at: at, labels: instance.labels,
            annotations: instance.annotations, startsAt: instance.activeAt,
            endsAt: transition.status == .resolved ? at : nil,
            fingerprint: transition.fingerprint, segment: instance.segment,
            context: evidence.context(instance, findings), revision: instance.revision, model: book.snapshot.model,
            group: instance.group, rule: instance.rule, notify: transition.rule?.notify,
            actions: transition.status == .firing ? transition.rule?.actions ?? [] : [])
    }

    private mutating func find(
        _ findings: inout AlertEvidence.Findings, _ index: Int, _ transition: AlertTransition,
        _ active: [AlertInstance]
    ) {
        let row = book.snapshot.rows[index]
        let metric = transition.sample?.metric
        let report = book.report(row, metric)
        findings.report = report
        let lead = Self.lead(report)
        let around = WindowClues(
            snapshot: book.snapshot, memory: memory, champions: champions, start: transition.changeStart)
        // A broken segment is diluted in its parents, and its children have few rows: its own tell most.
        var focus = row.segment
        var clues = book.clues(ofRow: index)
        if let lead, lead != row.segment, lead.holds(row.segment) || row.segment.holds(lead),
            let inner = book.index(version: row.version, column: row.column, segment: lead),
            row.segment.holds(lead) || Self.isAsStrong(book.snapshot.rows[inner], as: row, metric)
        {
            let own = book.clues(ofRow: inner)
            if !own.isEmpty || clues.isEmpty && row.segment.holds(lead) { (focus, clues) = (lead, own) }
        }
        let deploys = around.deploys(book.versions(column: row.column, segment: focus))
        if let mix = mix(report, row) { clues.append(mix) }
        if let versions = VersionClue.find(metric, book.versions(of: row, in: focus)) { clues.append(versions) }
        let focused = book.index(version: row.version, column: row.column, segment: focus)
        let likely = LikelyCause(
            row: row, focus: focus, metric: metric, report: report, clues: clues, deploys: deploys,
            traffic: focused.map { Double(book.snapshot.rows[$0].n) / Double(max(1, row.n)) })
        // A window in which it is over has no cause to tell.
        findings.likely = transition.status == .resolved ? nil : likely.text
        // What an alert about performance says of itself is its sentence and its figures, not something beside it.
        var seen: Set<String> = []
        findings.correlated =
            (clues.filter { $0.kind != .performance } + deploys
            + [around.volume(book.windowRows), around.together(transition.instance, active)].compactMap(\.self))
            .filter { seen.insert($0.kind.rawValue + $0.what).inserted }
    }

    /// Whether the segment around the alert's shows it about as strongly: otherwise the alert's own says more.
    private static func isAsStrong(_ outer: SnapshotRow, as row: SnapshotRow, _ metric: Metric?) -> Bool {
        guard let metric, let own = row.metrics[metric], let whole = outer.metrics[metric] else { return false }
        return abs(whole) >= 0.7 * abs(own)
    }

    /// The segment that holds most of the shift, `nil` where none does.
    private static func lead(_ report: AttributionReport) -> Segment? {
        report.drivers.first.flatMap { $0.share >= leadingShare ? $0.segment : nil }
    }

    /// The leading segment has more or less traffic than in the reference, and its values are nearly the same.
    private func mix(_ report: AttributionReport, _ row: SnapshotRow) -> Clue? {
        guard let top = report.drivers.first, top.share >= Self.leadingShare, top.contribution > 0,
            top.mix >= 0.8 * top.contribution,
            let all = book.index(version: row.version, column: row.column, segment: .all),
            let part = book.index(version: row.version, column: row.column, segment: top.segment)
        else { return nil }
        func share(_ side: (Comparison) -> [UInt64]) -> Double {
            let whole = side(book.snapshot.rows[all].common).reduce(0, &+)
            let own = side(book.snapshot.rows[part].common).reduce(0, &+)
            return whole > 0 ? Double(own) / Double(whole) : 0
        }
        let (before, now) = (share(\.reference), share(\.current))
        return Clue(
            kind: .mixChange,
            what: "\(top.segment) is \(Words.percent(now)) of rows, \(Words.percent(before)) in the reference",
            reading: "the traffic changed, the values of \(row.column) inside the segments did not",
            numbers: [
                .init("now", .rounded(now)), .init("before", .rounded(before)), .init("mix", .rounded(top.mix)),
                .init("within", .rounded(top.within)),
            ])
    }
}

extension AlertWriter {
    private struct CauseKey: Hashable {
        let group: String
        let segment: Segment
    }

    /// Gives each instance that is new its cause: that of others of the group, whatever their rules, which began within a window of it and
    /// are led by the same segment, or one of its own. What breaks a column shifts it, empties it and brings new values at once: that is one
    /// thing to be told of.
    private mutating func withCauses(
        _ transitions: [AlertTransition], _ state: inout ModelAlertState
    ) -> [AlertTransition] {
        var known: [CauseKey: [AlertCause]] = [:]
        for (_, instance) in state.instances.sorted(by: { $0.key < $1.key }) where instance.phase == .firing {
            guard let cause = instance.cause else { continue }
            let key = CauseKey(group: instance.group, segment: cause.segment)
            if !known[key, default: []].contains(cause) { known[key, default: []].append(cause) }
        }
        return transitions.map { transition in
            guard transition.status != .resolved else { return transition }
            var transition = transition
            let start = transition.changeStart
            let segment = leadingSegment(transition)
            let key = CauseKey(group: transition.instance.group, segment: segment)
            let near = known[key]?.first {
                abs($0.start.microseconds - start.microseconds) <= book.snapshot.window.length.microseconds
            }
            let cause =
                near
                ?? AlertCause(
                    id: Fingerprint.hex(of: [
                        book.snapshot.model, key.group, segment.description, start.rfc3339,
                    ]), segment: segment, start: start)
            if near == nil { known[key, default: []].append(cause) }
            transition.instance.cause = cause
            state.instances[transition.fingerprint]?.cause = cause
            return transition
        }
    }

    private mutating func leadingSegment(_ transition: AlertTransition) -> Segment {
        guard let index = transition.sample?.row else { return transition.instance.segment }
        return Self.lead(book.report(book.snapshot.rows[index], transition.sample?.metric)) ?? .all
    }
}
