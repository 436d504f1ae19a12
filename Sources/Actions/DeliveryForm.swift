import Values

/// How a delivery is put into requests: the receiver's own form of an alert. What is told is always the same delivery (`AlertmanagerBody`),
/// kept in the outbox as that; it takes its form when it is sent, so that a changed configuration holds for what waits too.
package enum DeliveryForm: Sendable, Hashable {
    /// The body as it is, signed as Standard Webhooks 1.0.
    case standard
    /// The same, named as MLflow's own webhooks name it (mlflow/webhooks/constants.py).
    case mlflow
    /// CloudEvents 1.0 around the body, which carries no signature less for it. `isBinary`: attributes as headers.
    case cloudEvents(isBinary: Bool)
    /// `POST /api/v2/alerts` of a Prometheus Alertmanager.
    case alertmanager
    /// An incoming webhook of Slack.
    case slack
    /// An adaptive card for a workflow of Microsoft Teams.
    case teams
    /// Events API v2 of PagerDuty.
    case pagerDuty(key: String)
    /// Alert API of Opsgenie.
    case opsgenie(key: String)

    /// One request of a delivery.
    struct Request: Sendable {
        /// Put behind the configured address, where that does not say it already.
        var path = ""
        /// Asked after the path.
        var query = ""
        var headers: [(name: String, value: String)] = []
        var body: [UInt8]
    }

    /// Whether the body goes as it is: any delivery can then be sent, orders to start a pipeline too.
    package var takesAnything: Bool {
        switch self {
        case .standard, .mlflow, .cloudEvents: true
        case .alertmanager, .slack, .teams, .pagerDuty, .opsgenie: false
        }
    }

    /// The requests that make a delivery, in order; `nil` where the form cannot say it.
    func requests(_ delivery: PendingDelivery, at now: Timestamp) -> [Request]? {
        switch self {
        case .standard, .mlflow: return [Request(body: delivery.body)]
        case .cloudEvents(let isBinary): return [CloudEvent(delivery, at: now).request(isBinary: isBinary)]
        case .alertmanager, .slack, .teams, .pagerDuty, .opsgenie:
            guard let body = delivery.message, let alerts = DeliveredAlert.all(of: body), !alerts.isEmpty else {
                return nil
            }
            return requests(alerts, at: now)
        }
    }

    private func requests(_ alerts: [DeliveredAlert], at now: Timestamp) -> [Request] {
        switch self {
        case .alertmanager: [Request(path: AlertmanagerPost.path, body: AlertmanagerPost(alerts, at: now).json.bytes)]
        case .slack: [Request(body: SlackMessage(alerts).json.bytes)]
        case .teams: [Request(body: TeamsCard(alerts).json.bytes)]
        case .pagerDuty(let key):
            alerts.map { Request(path: PagerDutyEvent.path, body: PagerDutyEvent($0, key: key).json.bytes) }
        case .opsgenie(let key): alerts.map { OpsgenieAlert($0).request(key: key) }
        case .standard, .mlflow, .cloudEvents: []
        }
    }

    /// An answer that says that this will never be taken, however often it is sent. A plain webhook may be behind something that answers so
    /// by mistake; the services below document it.
    func isFinal(_ status: Int) -> Bool {
        switch self {
        case .standard, .mlflow, .cloudEvents: false
        case .alertmanager, .slack, .teams, .pagerDuty, .opsgenie: [400, 413, 422].contains(status)
        }
    }
}
