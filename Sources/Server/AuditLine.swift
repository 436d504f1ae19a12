import Events
import Registry
import Values

/// An entry of the audit trail in one sentence: `rolled back 14 → 13`, by whom, why, when.
struct AuditLine: Sendable {
    let at: String
    let model: String
    let what: String
    let actor: String
    let reason: String?
    /// A class of the style sheet.
    let kind: String

    init(_ entry: AuditEntry) {
        at = Format.time(entry.at)
        model = entry.model
        actor = entry.actor
        reason = entry.reason.isEmpty ? nil : entry.reason
        let detail = (try? JSON(parsing: entry.detail.utf8)) ?? .null
        func text(_ key: String) -> String { detail[key]?.stringValue ?? "none" }
        switch RegistryEvent.Kind(rawValue: entry.action) {
        case .rolledBack:
            what = "rolled back \(text("from")) → \(text("to"))"
            kind = "back"
        case .promoted:
            what = detail["from"]?.stringValue.map { "promoted \(text("to")), after \($0)" } ?? "promoted \(text("to"))"
            kind = "forward"
        case .rollbackRefused:
            what = "rollback refused"
            kind = "refused"
        case .rollbackWouldRun:
            what = "rollback would have run (dry run)"
            kind = "plain"
        case .versionRegistered:
            what = "registered version \(text("version"))"
            kind = "plain"
        case .versionDeleted:
            what = "deleted version \(text("version"))"
            kind = "plain"
        case .versionChanged:
            what =
                detail["stage"]?.stringValue.map { "moved version \(text("version")) to stage \($0)" }
                ?? "changed version \(text("version"))"
            kind = "plain"
        case .modelRenamed:
            what = "renamed the model from \(text("from"))"
            kind = "plain"
        case .modelChanged:
            what = detail["protected"] == nil ? "changed the model" : "protected the model's champion"
            kind = "plain"
        case .modelDeleted:
            what = "deleted the model"
            kind = "plain"
        case .modelRegistered:
            what = "registered the model"
            kind = "plain"
        case .aliasSet:
            what = "pointed \(text("alias")) at \(text("to"))"
            kind = "plain"
        case .aliasDeleted:
            what = "removed the alias \(text("alias"))"
            kind = "plain"
        case .quarantineCleared:
            what = "cleared \(text("version")) from quarantine"
            kind = "forward"
        case .rollbackHeld:
            what = "stopped automatic rollbacks"
            kind = "refused"
        case .rollbackReleased:
            what = "allowed automatic rollbacks again"
            kind = "plain"
        case .promotionRefused:
            what = "promotion of \(text("version")) refused by its gate"
            kind = "refused"
        case .gateForced:
            what = "passed the gate of \(text("version")) by force"
            kind = "refused"
        case .policySet:
            what = "changed the promotion policy"
            kind = "plain"
        case .metricsRecorded:
            what = "measured version \(text("version"))"
            kind = "plain"
        case .versionApproved:
            what = "approved version \(text("version"))"
            kind = "plain"
        case .referenceStored:
            what = "stored the reference of version \(text("version"))"
            kind = "plain"
        case .versionsPurged:
            what = "purged deleted versions"
            kind = "plain"
        case .webhookCreated:
            what = "made the webhook \(text("name"))"
            kind = "plain"
        case .webhookChanged:
            what = "changed the webhook \(text("name"))"
            kind = "plain"
        case .webhookDeleted:
            what = "deleted the webhook \(text("name"))"
            kind = "plain"
        case nil:
            what = entry.action
            kind = "plain"
        }
    }
}
