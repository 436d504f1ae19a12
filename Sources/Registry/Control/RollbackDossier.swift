package import Values

/// Everything one decision rests on: what was asked, what was measured, and what the registry held at that moment. The
/// ruling is a pure function of it, so a stored decision can be made again at any time.
package struct RollbackDossier: Codable, Sendable, Hashable {
    /// The registry's side, read in the transaction that acts on it.
    package struct Facts: Codable, Sendable, Hashable {
        package var at: Timestamp
        package var isRegistered: Bool
        package var champion: String?
        /// The version the target stands for; `nil` where it stands for none.
        package var target: String?
        /// Why the target cannot be gone to: missing, quarantined, the champion itself.
        package var obstacle: String?
        /// Whether it is one of the aliases a fleet keeps loaded.
        package var isInWarmSet: Bool
        package var lastAutomatic: Timestamp?
        package var automaticInSpan: Int
        /// Who holds automatic rollbacks of the model, and why.
        package var hold: String?
        /// Instances whose report is fresh; 0 where no fleet reports.
        package var fleet: Int
        /// Those of them that have the target loaded.
        package var fleetWithTarget: Int
    }

    package let model: String
    package let judgedVersion: String
    package let target: String
    package let mode: RollbackProposal.Mode
    package let cooldown: Span
    package let maximum: Int
    package let maximumPer: Span
    package let vetoes: [String]
    /// `nil` where the proposer judged by itself.
    package let trial: RollbackTrial?
    package let facts: Facts

    /// What a dossier comes to.
    package struct Ruling: Sendable, Hashable {
        package let verdict: RollbackVerdict
        package let outcome: Decision.Outcome
        package let reason: String
    }

    /// Instances that must have the target loaded, where a fleet reports at all.
    static let warmShare = 0.5

    init(_ proposal: RollbackProposal, facts: Facts) {
        model = proposal.model
        judgedVersion = proposal.judgedVersion
        target = proposal.target
        mode = proposal.mode
        cooldown = proposal.cooldown
        maximum = proposal.maximum
        maximumPer = proposal.maximumPer
        vetoes = proposal.vetoes
        trial = proposal.trial
        self.facts = facts
    }

    /// The guards in the order they are told: is the verdict still about the champion, may anything happen now, is the
    /// data sound, is the model at fault, is there somewhere better to go.
    package var ruling: Ruling {
        let judged = trial?.verdict(of: judgedVersion) ?? (.degrade, "")
        if let reason = objection(judged) {
            return Ruling(verdict: judged.verdict, outcome: .refused, reason: reason)
        }
        let (from, to) = (facts.champion ?? "", facts.target ?? target)
        return mode == .dryRun
            ? Ruling(
                verdict: judged.verdict, outcome: .wouldRun,
                reason: "dry run: the champion would have gone from '\(from)' to '\(to)'")
            : Ruling(
                verdict: judged.verdict, outcome: .done, reason: "the champion went from '\(from)' to '\(to)'")
    }

    private func objection(_ judged: (verdict: RollbackVerdict, reason: String)) -> String? {
        guard facts.isRegistered else { return RegistryError.noModel(model).message }
        guard facts.champion == judgedVersion else {
            return """
                version '\(judgedVersion)' was judged, but the champion is \
                \(facts.champion.map { "'\($0)'" } ?? "none") now: nothing to roll back
                """
        }
        if let hold = facts.hold { return "on hold: \(hold)" }
        if let reason = tooSoon { return reason }
        if !vetoes.isEmpty { return vetoes.joined(separator: "; ") }
        // `auto` takes the rule's word where one version alone cannot be measured, but never against its own rows.
        let isOnRulesWord = mode == .auto && trial?.threshold == nil
        if judged.verdict == .healthy || (judged.verdict == .inconclusive && !isOnRulesWord) {
            return "\(judged.verdict.rawValue): \(judged.reason)"
        }
        return targetObjection
    }

    /// Only those that were done count. A decision dated before one that was done is too soon as well, so that no
    /// order of arrival gets round the guard.
    private var tooSoon: String? {
        if let last = facts.lastAutomatic, facts.at - last < cooldown {
            return
                "cooldown: the last automatic rollback was at \(last.rfc3339), and \(cooldown) must pass before the next"
        }
        if facts.automaticInSpan >= maximum {
            return
                "maximum: \(facts.automaticInSpan) automatic rollbacks in the last \(maximumPer), \(maximum) are allowed"
        }
        return nil
    }

    /// Most of the fleet has not loaded the target.
    private var isCold: Bool {
        facts.fleet > 0 && Double(facts.fleetWithTarget) < Self.warmShare * Double(facts.fleet)
    }

    /// What stands against the rollback may be gone the next time it is looked at: a hold, the time or the number of those
    /// before it, a rule about the data that fires, a fleet that still loads.
    package var isPutOff: Bool {
        guard facts.champion == judgedVersion, facts.obstacle == nil else { return false }
        return facts.hold != nil || tooSoon != nil || !vetoes.isEmpty || (facts.isInWarmSet && isCold)
    }

    private var targetObjection: String? {
        if let obstacle = facts.obstacle { return obstacle }
        let to = facts.target ?? target
        guard facts.isInWarmSet else {
            return
                "version '\(to)' is not champion-1 or champion-2, so no fleet keeps it loaded: roll back to it by hand"
        }
        if isCold {
            return """
                only \(facts.fleetWithTarget) of \(facts.fleet) instances have version '\(to)' loaded: it is not warm, \
                roll back by hand
                """
        }
        guard mode != .auto, let trial else { return nil }
        switch trial.opinion(of: to) {
        case .better: return nil
        case .noBetter(let reason): return reason
        case .unknown(let reason): return "inconclusive: \(reason)"
        }
    }
}
