import Events
import Synchronization
import Values

/// What has happened in the demo so far, as seen from outside: deliveries at the webhook and the fleet's version.
final class DemoStory: Sendable {
    struct Delivery: Sendable {
        let status: String
        let alert: String
        let labels: JSON
        let rollback: String?
        let isSigned: Bool
    }

    struct Facts: Sendable {
        /// A signed alert that names the drifted column and segment has arrived.
        var alertDelivered = false
        /// A delivery that tells of the rollback has arrived.
        var rollbackDelivered = false
        var fleetIsBack = false
        var resolvedDelivered = false

        var isComplete: Bool { alertDelivered && rollbackDelivered && fleetIsBack && resolvedDelivered }
    }

    private let state = Mutex(Facts())

    var facts: Facts { state.withLock { $0 } }

    func fleetChanged(to version: String, after deploy: Bool) {
        state.withLock { if deploy, version == DemoTraffic.good { $0.fleetIsBack = true } }
    }

    func take(_ delivery: Delivery) {
        guard delivery.isSigned, delivery.alert == "FeatureDrift", delivery.labels["column"]?.stringValue == "amount",
            delivery.labels["country"]?.stringValue == "BR"
        else { return }
        state.withLock { facts in
            if delivery.status == "firing" { facts.alertDelivered = true }
            if delivery.rollback == "done" { facts.rollbackDelivered = true }
            if delivery.status == "resolved" { facts.resolvedDelivered = true }
        }
    }
}
