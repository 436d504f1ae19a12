import Detection
import Statistics
import Values

/// One pass of a model's rules over one window: collects transitions first, because an alert tells what else is firing.
struct WindowEvaluation {
    let rules: RuleSet
    let snapshot: Snapshot
    private let clock: String
    private let roles: RoleHistory
    /// How far back each history is needed.
    private let memories: [String: Span]
    private(set) var state: ModelAlertState
    /// From the end of the last window of this size to the end of this one.
    private let step: Span
    private var transitions: [AlertTransition] = []
    private let rows: WindowRows

    /// When the window is judged, where that is not as it ends.
    private let judgedAt: Timestamp?
    /// Which of a window's passes this is; `nil` for the model's own.
    private let pass: String?

    /// - Parameters:
    ///   - clock: names the nominal size of the window, and the pass.
    init(
        rules: RuleSet, snapshot: Snapshot, clock: String, step: Span, roles: RoleHistory, state: ModelAlertState,
        judgedAt: Timestamp?, pass: String?
    ) {
        self.pass = pass
        self.judgedAt = judgedAt
        self.step = step
        self.rules = rules
        self.snapshot = snapshot
        self.clock = clock
        self.roles = roles
        self.state = state
        memories = rules.memories(model: snapshot.model, clock: clock)
        rows = WindowRows(snapshot)
    }

    /// When alerts change. How long a condition holds is told by the windows it held in, whenever they were judged.
    private var at: Timestamp { judgedAt ?? snapshot.window.end }

    /// Alerts whose rule is gone end: nobody would ever resolve them.
    mutating func resolveOrphans() {
        for (fingerprint, instance) in state.instances.sorted(by: { $0.key < $1.key }) {
            let group = rules.groups.first { $0.name == instance.group && $0.holds(for: snapshot.model) }
            let isKnown =
                instance.rule == RuleSet.limitAlert
                ? group?.rules.contains { $0.pass == instance.labels["pass"] } == true
                : group?.rules.contains { $0.name == instance.rule } == true
            if !isKnown { end(fingerprint, instance, rule: nil, sample: nil) }
        }
        var known: Set<String> = []
        var gathering: Set<String> = []
        for group in rules.groups {
            for rule in group.rules {
                let key = "\(group.name)/\(rule.name)"
                known.insert(key)
                if rule.significance == .edetector { gathering.insert(key) }
            }
        }
        state.errors = state.errors.filter { known.contains($0.key) }
        // Evidence of a rule that stopped gathering it would be weeks old when it begins again.
        state.detectors = state.detectors.filter { gathering.contains($0.key) }
    }

    mutating func evaluate(_ group: RuleGroup, _ due: [Rule], ownSize: Span?) {
        var room = Room(
            limit: group.limit ?? RuleSet.standardLimit,
            used: state.instances.values.count {
                $0.group == group.name && $0.isActive && $0.rule != RuleSet.limitAlert
            })
        let watched = watchedStreams(group, due)
        // What explains others is known before they are asked.
        for rule in due.filter(\.inhibitedBy.isEmpty) + due.filter({ !$0.inhibitedBy.isEmpty }) {
            evaluate(rule, group, watched, &room)
        }
        reportLimit(group, room, ownSize)
    }

    /// How many instances a group may still have, and how many found no room.
    private struct Room {
        let limit: Int
        var used: Int
        var refused = 0
    }

    /// Streams by rule, of all rules of the group that gather evidence: its budget is shared among them.
    private func watchedStreams(_ group: RuleGroup, _ due: [Rule]) -> [String: Int] {
        var watched: [String: Int] = [:]
        for rule in group.rules where rule.significance == .edetector {
            watched[rule.name] = state.detectors["\(group.name)/\(rule.name)"]?.streams ?? 0
        }
        for rule in due where rule.significance == .edetector {
            watched[rule.name] = evaluator(rule).watched(rule.expression)
        }
        return watched
    }

    /// What looks at the window for a rule, before it knows the past.
    private func evaluator(_ rule: Rule) -> ExpressionEvaluator {
        ExpressionEvaluator(
            snapshot: snapshot, rows: rows, minimumRows: rule.minimumRows, significance: rule.significance,
            labelsCoverage: rule.labelsCoverage, roles: roles.versions(at: snapshot.window.end), clock: clock)
    }

    /// What judges a rule's numbers by all windows so far, `nil` where it asks for something else.
    private func detector(_ rule: Rule, _ group: RuleGroup, _ watched: [String: Int]) -> RuleDetector? {
        guard rule.significance == .edetector else { return nil }
        let known = state.detectors["\(group.name)/\(rule.name)"]
        let own = known.flatMap { $0.ruleHash == rule.identityHash ? $0 : nil }
        let budget = group.budget ?? .standard
        let size = Double(max(snapshot.window.length.microseconds, 1))
        let step = min(max(Double(step.microseconds), 1), size)
        return RuleDetector(
            own ?? RuleDetectorState(ruleHash: rule.identityHash), snapshot, rows: rows,
            minimumRows: rule.minimumRows,
            limit: LogEvidence.limit(
                streams: watched.values.reduce(0, +), windows: Double(budget.per.microseconds) / step,
                budget: budget.falseAlerts), weight: step / size)
    }

    private mutating func evaluate(
        _ rule: Rule, _ group: RuleGroup, _ watched: [String: Int], _ room: inout Room
    ) {
        let key = "\(group.name)/\(rule.name)"
        var known: [String: AlertInstance] = [:]
        for (fingerprint, instance) in state.instances where instance.group == group.name && instance.rule == rule.name
        {
            known[fingerprint] = instance
        }
        let detector = detector(rule, group, watched)
        var evaluator = evaluator(rule)
        evaluator.detector = detector
        do {
            try remember(rule, &evaluator)
            let samples = try evaluator.evaluate(rule.expression)
            if let detector { state.detectors[key] = detector.finished(streams: watched[rule.name] ?? 0) }
            let named = try name(samples, rule, isTracking: !known.isEmpty || rule.noData == .alert)
            state.errors[key] = nil
            for entry in named { step(entry, rule, group, &known, &room) }
            for (fingerprint, instance) in known.sorted(by: { $0.key < $1.key }) {
                missing(fingerprint, instance, rule, &room)
            }
        } catch {
            // As in Prometheus a rule that cannot be evaluated freezes its alerts.
            state.errors[key] = error.message
            for (fingerprint, var instance) in known {
                _ = instance.on(
                    .unknown(.error), window: snapshot.window, hold: rule.hold, keepFiring: rule.keepFiring,
                    judgedAt: at)
                state.instances[fingerprint] = instance
            }
        }
    }

    /// Adds this window to what the rule looks back on, before it looks.
    private mutating func remember(_ rule: Rule, _ evaluator: inout ExpressionEvaluator) throws(EvaluationError) {
        for (history, inner) in rule.expression.histories {
            let key = RuleHistory.key(history, clock: clock, minimumRows: rule.minimumRows)
            var past = state.histories?[key] ?? RuleHistory()
            do {
                try past.record(
                    try evaluator.values(inner), at: snapshot.window.end, memory: memories[key] ?? history.memory)
            } catch {
                state.histories?[key] = nil
                throw error
            }
            state.histories = state.histories ?? [:]
            state.histories?[key] = past
            evaluator.histories[key] = past
        }
    }

    /// Forgets what no rule looks back on any more.
    mutating func forgetHistories() {
        guard let histories = state.histories else { return }
        let kept = histories.filter { !$0.key.hasPrefix("\(clock)/") || memories[$0.key] != nil }
        state.histories = kept.isEmpty ? nil : kept
    }

    private struct Named {
        var fingerprint: String
        var labels: [String: String]
        var sample: Sample
    }

    /// Full labels of the samples. What neither holds nor is remembered needs none.
    private func name(
        _ samples: [Sample], _ rule: Rule, isTracking: Bool
    ) throws(EvaluationError) -> [Named] {
        var seen: Set<String> = []
        var out: [Named] = []
        for sample in samples where isTracking || sample.truth == .holds {
            var labels = sample.labels
            labels["alertname"] = rule.name
            labels["model"] = snapshot.model
            let scope = TemplateScope.labels(labels.merging(["segment": sample.segment.description]) { own, _ in own })
            for (name, template) in rule.labels { labels[name] = template.render(scope) }
            // An empty label is no label: receivers drop it, which would change the alert's identity.
            labels = labels.filter { !$0.value.isEmpty }
            let fingerprint = Fingerprint.hex(of: labels)
            guard seen.insert(fingerprint).inserted else {
                let shown = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }
                throw EvaluationError(message: "several instances have the labels {\(shown.joined(separator: ", "))}")
            }
            out.append(Named(fingerprint: fingerprint, labels: labels, sample: sample))
        }
        return out
    }

    private mutating func step(
        _ entry: Named, _ rule: Rule, _ group: RuleGroup, _ known: inout [String: AlertInstance], _ room: inout Room
    ) {
        var input = input(entry.sample.truth, rule.noData)
        if !isArmed(rule), known[entry.fingerprint]?.phase != .firing, case .holds = input { input = .clear }
        // What another alert explains does not begin; what was told already goes on by itself.
        if case .holds = input, !rule.inhibitedBy.isEmpty, known[entry.fingerprint]?.isActive != true,
            state.isInhibited(
                entry.fingerprint, by: rule.inhibitedBy, entry.labels, entry.sample.segment, in: snapshot.window,
                isWaning: entry.sample.verdict?.isWaning == true)
        {
            input = .clear
        }
        var instance: AlertInstance
        if let mine = known.removeValue(forKey: entry.fingerprint) {
            instance = mine
            instance.ruleHash = rule.identityHash
        } else {
            let holds = if case .holds = input { true } else { false }
            guard holds || rule.noData == .alert else { return }
            instance = AlertInstance(
                labels: entry.labels, segment: entry.sample.segment, group: group.name, rule: rule.name,
                ruleHash: rule.identityHash, revision: state.retired[entry.fingerprint]?.revision ?? 0,
                at: snapshot.window.end)
        }
        let wasActive = instance.isActive
        if !wasActive, case .holds = input {
            guard room.used < room.limit else {
                room.refused += 1
                return
            }
            room.used += 1
        }
        let outcome = instance.on(
            input, window: snapshot.window, hold: rule.hold, keepFiring: rule.keepFiring, judgedAt: at)
        if !wasActive, case .holds = input, let start = snapshot.changeStart(of: entry.sample) {
            instance.note(changeStart: start)
        }
        if case .holds = input {
            let scope = AlertEvidence(snapshot, entry.sample).scope(
                labels: instance.labels, instance.segment, since: instance.changeStart)
            instance.annotations = rule.annotations.mapValues { $0.render(scope) }
            if entry.sample.truth == .noData { instance.health = .no_data }
        }
        settle(entry.fingerprint, instance, outcome, rule, entry.sample)
        if wasActive, state.instances[entry.fingerprint]?.isActive != true { room.used -= 1 }
    }

    /// A rule that waits for deploys raises nothing at other times; what fires goes on until it is over.
    private func isArmed(_ rule: Rule) -> Bool {
        rule.sinceDeploy.map { roles.isWithin($0, ofDeployIn: snapshot.window) } ?? true
    }

    /// An instance the expression no longer speaks of: its rows are gone, or its rule is another one now.
    private mutating func missing(
        _ fingerprint: String, _ instance: AlertInstance, _ rule: Rule, _ room: inout Room
    ) {
        var instance = instance
        if instance.ruleHash != rule.identityHash {
            end(fingerprint, instance, rule: rule, sample: nil)
            return
        }
        var input = input(.noData, rule.noData)
        if !isArmed(rule), instance.phase != .firing, case .holds = input { input = .clear }
        let wasActive = instance.isActive
        if !wasActive, case .holds = input {
            guard room.used < room.limit else {
                room.refused += 1
                return
            }
            room.used += 1
        }
        let outcome = instance.on(
            input, window: snapshot.window, hold: rule.hold, keepFiring: rule.keepFiring, judgedAt: at)
        instance.health = .no_data
        if instance.isForsaken {
            end(fingerprint, instance, rule: rule, sample: nil)
            room.used -= 1
            return
        }
        if case .holds = input, outcome != .none {
            let scope = AlertEvidence(snapshot, nil).scope(
                labels: instance.labels, instance.segment, since: instance.changeStart)
            instance.annotations = rule.annotations.mapValues { $0.render(scope) }
        }
        settle(fingerprint, instance, outcome, rule, nil)
        if wasActive, state.instances[fingerprint]?.isActive != true { room.used -= 1 }
    }

    private func input(_ truth: Sample.Truth, _ noData: NoDataPolicy) -> AlertInstance.Input {
        switch truth {
        case .holds: return .holds
        case .clear: return .clear
        case .insufficient: return .unknown(.insufficient)
        case .lateLabels: return .unknown(.late_labels)
        case .noData:
            switch noData {
            case .keepLast: return .unknown(.no_data)
            case .alert: return .holds
            case .ok: return .clear
            }
        }
    }

    private mutating func settle(
        _ fingerprint: String, _ instance: AlertInstance, _ outcome: AlertInstance.Outcome, _ rule: Rule?,
        _ sample: Sample?
    ) {
        var instance = instance
        switch outcome {
        case .none: state.instances[fingerprint] = instance
        case .pending, .firing:
            instance.revision += 1
            state.instances[fingerprint] = instance
            transitions.append(
                AlertTransition(
                    fingerprint: fingerprint, instance: instance, status: outcome == .firing ? .firing : .pending,
                    rule: rule, sample: sample))
        case .resolved:
            instance.revision += 1
            transitions.append(
                AlertTransition(
                    fingerprint: fingerprint, instance: instance, status: .resolved, rule: rule, sample: sample))
            retire(fingerprint, instance, rule)
        case .forgotten: retire(fingerprint, instance, rule)
        }
    }

    /// Rules for which missing data is the condition must remember what there was.
    private mutating func retire(_ fingerprint: String, _ instance: AlertInstance, _ rule: Rule?) {
        if rule?.noData == .alert {
            state.instances[fingerprint] = instance
        } else {
            state.retire(fingerprint, instance, at: at)
        }
    }

    /// Ends an instance nothing can be said of any more.
    private mutating func end(_ fingerprint: String, _ instance: AlertInstance, rule: Rule?, sample: Sample?) {
        if instance.phase == .firing {
            var instance = instance
            instance.revision += 1
            transitions.append(
                AlertTransition(
                    fingerprint: fingerprint, instance: instance, status: .resolved, rule: rule, sample: sample))
            state.retire(fingerprint, instance, at: at)
        } else {
            state.retire(fingerprint, instance, at: at)
        }
    }

    private mutating func reportLimit(_ group: RuleGroup, _ room: Room, _ ownSize: Span?) {
        var labels = ["alertname": RuleSet.limitAlert, "model": snapshot.model, "group": group.name]
        // Rules of other windows are counted apart, or each window size would resolve the other's alert.
        labels["window"] = ownSize?.description
        // So are those of each pass, which happen beside each other.
        labels["pass"] = pass
        let fingerprint = Fingerprint.hex(of: labels)
        let isOver = room.refused > 0
        guard isOver || state.instances[fingerprint] != nil else { return }
        var instance =
            state.instances[fingerprint]
            ?? AlertInstance(
                labels: labels, segment: .all, group: group.name, rule: RuleSet.limitAlert, ruleHash: "",
                revision: state.retired[fingerprint]?.revision ?? 0, at: snapshot.window.end)
        let outcome = instance.on(
            isOver ? .holds : .clear, window: snapshot.window, hold: .none, keepFiring: .none, judgedAt: at)
        if isOver {
            instance.annotations = [
                "summary": "group \(group.name) has reached its limit of \(room.limit) alerts: "
                    + "\(room.refused) more hold and are not shown"
            ]
        }
        settle(fingerprint, instance, outcome, nil, nil)
    }

    /// The collected transitions as alerts. Notes the window in the state, for those of later ones.
    mutating func alerts(clock: String, _ champions: [ChampionMove]) -> [Alert] {
        let memory = state.remember(snapshot, rows: EvidenceBook.windowRows(snapshot), clock: clock)
        guard !transitions.isEmpty else { return [] }
        var writer = AlertWriter(book: EvidenceBook(snapshot), memory: memory, champions: champions, at: at)
        return writer.alerts(transitions, &state)
    }
}
