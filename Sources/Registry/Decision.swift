import Foundation
import GRDB
package import Values

/// A rollback that the monitor wants, with the guards its rule sets.
package struct RollbackProposal: Sendable, Hashable {
    package enum Mode: String, Sendable, CaseIterable, Codable {
        /// Decide and record, but change nothing.
        case dryRun = "dry_run"
        /// Act only where the target is shown to do better on the same rows.
        case guarded
        /// Act without that comparison.
        case auto
    }

    /// Names the cause (rule, model, version, change start): one key is decided once, however often it is asked.
    package var idempotencyKey: String
    package var model: String
    /// The version the evidence is about. Only it is rolled away from.
    package var judgedVersion: String
    /// `champion-1`, `champion-2`, or the label of a version in one of these.
    package var target: String
    package var mode: Mode
    /// The least time between two automatic rollbacks of the model.
    package var cooldown: Span
    /// At most this many automatic rollbacks of the model in any `maximumPer`.
    package var maximum: Int
    package var maximumPer: Span
    /// What speaks against a rollback, each in a sentence: an alert that says the data is at fault, for one. Any one forbids.
    package var vetoes: [String]
    /// The measurements to judge by; `nil` where the proposer has judged already.
    package var trial: RollbackTrial?
    package var evidence: JSON
    /// Why, in a sentence for the audit trail; the key where left empty.
    package var reason: String

    package init(
        idempotencyKey: String, model: String, judgedVersion: String, target: String, mode: Mode, cooldown: Span,
        maximum: Int, maximumPer: Span, vetoes: [String] = [], trial: RollbackTrial? = nil, evidence: JSON,
        reason: String = ""
    ) {
        self.reason = reason
        self.idempotencyKey = idempotencyKey
        self.model = model
        self.judgedVersion = judgedVersion
        self.target = target
        self.mode = mode
        self.cooldown = cooldown
        self.maximum = maximum
        self.maximumPer = maximumPer
        self.vetoes = vetoes
        self.trial = trial
        self.evidence = evidence
    }
}

/// What became of a proposal. Stored for good, with its evidence.
package struct Decision: Sendable, Hashable {
    package enum Outcome: String, Sendable, CaseIterable {
        case done, refused
        case wouldRun = "would_run"
    }

    package let id: Int64
    package let idempotencyKey: String
    package let model: String
    package let judgedVersion: String
    package let target: String
    package let mode: RollbackProposal.Mode
    package let outcome: Outcome
    /// What was made of the champion; `nil` for decisions of before verdicts were kept.
    package let verdict: RollbackVerdict?
    /// For people: why it was refused, or what was or would be done.
    package let reason: String
    /// The champion it found, `nil` where there was none.
    package let from: String?
    /// The version it went or would go to, `nil` where the target could not be resolved.
    package let to: String?
    /// JSON text.
    package let evidence: String
    /// JSON text of the `RollbackDossier` it was made from; `nil` for decisions of before it was kept.
    package let dossier: String?
    /// The event that told of it.
    package let sequence: Int64
    package let at: Timestamp
}

extension Decision {
    init(_ row: Row) throws {
        let mode: String = row["mode"]
        let outcome: String = row["outcome"]
        let verdict: String? = row["verdict"]
        guard let mode = RollbackProposal.Mode(rawValue: mode), let outcome = Outcome(rawValue: outcome) else {
            throw RegistryError(
                .unavailable, "decision \(row["id"] as Int64) was written by a newer holdfast: upgrade this one")
        }
        self.init(
            id: row["id"], idempotencyKey: row["idempotency_key"], model: row["model"],
            judgedVersion: row["judged_version"], target: row["target"], mode: mode, outcome: outcome,
            verdict: verdict.flatMap(RollbackVerdict.init), reason: row["reason"], from: row["from_version"],
            to: row["to_version"], evidence: row["evidence"],
            dossier: row["dossier"], sequence: row["seq"], at: Timestamp(microseconds: row["at"]))
    }
}

extension Decision {
    /// What a decision comes to when it is made again from what is stored with it.
    package enum Again: Sendable, Hashable {
        case same
        /// The rules of today decide otherwise, in words.
        case different(String)
        /// It was made before dossiers were kept.
        case notKept
    }

    package func decidedAgain() throws -> Again {
        guard let ruling = try readDossier()?.ruling else { return .notKept }
        if ruling.outcome == outcome, ruling.verdict == verdict, ruling.reason == reason { return .same }
        return .different("\(ruling.verdict.rawValue), \(ruling.outcome.rawValue): \(ruling.reason)")
    }

    /// Refused for a reason that may pass by itself, as `RollbackDossier.isPutOff` says.
    package func isPutOff() throws -> Bool { try outcome == .refused && readDossier()?.isPutOff == true }

    private func readDossier() throws -> RollbackDossier? {
        guard let dossier else { return nil }
        do {
            return try JSONDecoder().decode(RollbackDossier.self, from: Data(dossier.utf8))
        } catch let error as DecodingError {
            throw RegistryError(
                .unavailable, "the dossier of decision \(id) cannot be read: \(error); was the file altered?")
        }
    }
}
