import Foundation
import MLflow
import Registry

/// MLflow's interface over a state folder.
enum MLflowService {
    static func make(registry: Registry, state: String, webhooks: WebhookGate? = nil, clock: WallClock) -> MLflowAPI {
        MLflowAPI(
            registry: registry, artifacts: state + "/artifacts", webhooks: webhooks, now: { clock.now() },
            newID: { UUID().uuidString.replacing("-", with: "").lowercased() })
    }
}
