import Mustache
import Registry
import Values

/// Everything the first page shows, gathered once per request.
struct Page: Sendable {
    let title: String
    let state: String
    /// A class of the style sheet: `calm`, `alarm` or `waiting`.
    let stateClass: String
    let now: String
    let problems: [String]
    let firing: [AlertCard]
    let pending: [AlertCard]
    let resolved: [AlertCard]
    let models: [ModelCard]
    let audit: [AuditLine]
    let isCalm: Bool
    let hasPending: Bool
    /// Whether there are pages of experiments.
    let hasTracking: Bool

    private static let resolvedMaximum = 10
    private static let auditMaximum = 12

    init(_ backend: Backend) async {
        var problems = await backend.service.notReady()
        var lines: [String] = []
        do {
            lines = try await backend.service.alerts(model: nil, resolved: Self.resolvedMaximum)
        } catch {
            problems.append("alerts cannot be read: \(error)")
        }
        let alerts = lines.compactMap { AlertCard(line: $0) }
        var audit: [AuditEntry] = []
        do {
            audit = try await backend.registry.audit(limit: Self.auditMaximum)
        } catch {
            problems.append("the registry cannot be read: \(error)")
        }
        var models: [ModelCard] = []
        for model in await backend.service.models() {
            // A model that is watched need not be registered.
            let champion = try? await backend.registry.champion(model: model.name)
            let quarantined = try? await backend.registry.quarantined(model: model.name)
            models.append(ModelCard(model, champion: champion, quarantined: quarantined ?? []))
        }
        self.init(
            now: backend.service.now(), problems: problems, alerts: alerts, models: models,
            audit: audit.map { AuditLine($0) }, hasTracking: backend.mlflow != nil)
    }

    private init(
        now: Timestamp, problems: [String], alerts: [AlertCard], models: [ModelCard], audit: [AuditLine],
        hasTracking: Bool
    ) {
        self.hasTracking = hasTracking
        self.now = Format.time(Timestamp(microseconds: now.microseconds / 1_000_000 * 1_000_000))
        self.problems = problems
        self.models = models
        self.audit = audit
        firing = alerts.filter(\.isFiring)
        resolved = alerts.filter(\.isResolved)
        pending = alerts.filter { !$0.isFiring && !$0.isResolved }
        isCalm = firing.isEmpty && pending.isEmpty
        hasPending = !pending.isEmpty
        switch firing.count {
        case 0 where !problems.isEmpty:
            (state, stateClass) = ("Not ready", "waiting")
        case 0 where !pending.isEmpty:
            (state, stateClass) = ("\(pending.count) pending", "waiting")
        case 0:
            (state, stateClass) = ("All calm", "calm")
        case let count:
            (state, stateClass) = ("\(count) alert\(count == 1 ? "" : "s") firing", "alarm")
        }
        title = "\(state) · Holdfast"
    }

    /// The part that is replaced every few seconds.
    var fragment: String { Self.fragmentTemplate.render(self) }

    var document: String {
        PageFrame.document(title, body: fragment, script: PageAssets.script)
    }

    private static let fragmentTemplate = Markup.template(PageTemplate.fragment)
}
