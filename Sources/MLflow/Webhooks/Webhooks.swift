import Events
package import Registry
package import Values

/// What webhooks need of the service around them: MLflow's interface keeps them, and somebody else sends.
package struct WebhookGate: Sendable {
    /// Why an address cannot be used, in words for the client; `nil` where it can.
    let problem: @Sendable (StoredWebhook) -> String?
    /// Sends one body, once.
    let test: @Sendable (StoredWebhook, JSON) async -> WebhookTest

    package init(
        problem: @escaping @Sendable (StoredWebhook) -> String?,
        test: @escaping @Sendable (StoredWebhook, JSON) async -> WebhookTest
    ) {
        self.problem = problem
        self.test = test
    }
}

/// What became of a test: the receiver's status, or why there is none. Never its answer's body, which could be anything
/// that the service can reach and the client cannot.
package enum WebhookTest: Sendable, Hashable {
    case status(Int)
    case failed(String)
}

extension Endpoint {
    static let webhooks: [Endpoint] = [
        Endpoint("POST", "webhooks", "Makes a webhook", changes: true, administers: true) { api, call in
            let gate = try api.gate()
            let webhook = StoredWebhook(
                id: api.newID(), name: try WebhookForm.name(try call.fields.required("name")),
                about: try call.fields.text("description") ?? "", url: try call.fields.required("url"),
                secret: try WebhookForm.secret(call.fields), events: try WebhookForm.events(call.fields) ?? [],
                isActive: try WebhookForm.isActive(call.fields) ?? true, at: api.now())
            try WebhookForm.check(webhook, gate)
            try await api.registry.add(webhook, actor: call.actor)
            return .members(("webhook", WebhookForm.view(webhook)))
        },
        Endpoint("GET", "webhooks", "The webhooks that clients made", administers: true) { api, call in
            let page = try Page(call.fields, default: 100, maximum: 1_000)
            let all = try await api.registry.webhooks()
            let (found, next) = page.cut(Array(all.dropFirst(page.offset).prefix(page.limit + 1)))
            return .members(
                ("webhooks", found.isEmpty ? nil : .array(found.map(WebhookForm.view))), ("next_page_token", next))
        },
        Endpoint("GET", "webhooks/{id}", "One webhook", administers: true) { api, call in
            .members(("webhook", WebhookForm.view(try await api.webhook(call))))
        },
        Endpoint("PATCH", "webhooks/{id}", "Changes a webhook", administers: true) { api, call in
            let gate = try api.gate()
            let fields = call.fields
            let id = call.path["id"] ?? ""
            let (name, url) = (try fields.text("name") ?? "", try fields.text("url") ?? "")
            let (about, secret) = (try fields.text("description"), try WebhookForm.secret(fields))
            let (events, isActive) = (try WebhookForm.events(fields), try WebhookForm.isActive(fields))
            if !name.isEmpty { _ = try WebhookForm.name(name) }
            let changed = try await api.registry.changeWebhook(id, actor: call.actor, at: api.now()) { webhook in
                if !name.isEmpty { webhook.name = name }
                if !url.isEmpty { webhook.url = url }
                if let about { webhook.about = about }
                if let secret { webhook.secret = secret }
                if let events { webhook.events = events }
                if let isActive { webhook.isActive = isActive }
                try WebhookForm.check(webhook, gate)
            }
            guard let changed else { throw WebhookForm.missing(id) }
            return .members(("webhook", WebhookForm.view(changed)))
        },
        Endpoint("DELETE", "webhooks/{id}", "Deletes a webhook", administers: true) { api, call in
            let id = call.path["id"] ?? ""
            guard try await api.registry.deleteWebhook(id, actor: call.actor, at: api.now()) else {
                throw WebhookForm.missing(id)
            }
            return [:]
        },
        Endpoint("POST", "webhooks/{id}/test", "Sends an example to a webhook", administers: true) { api, call in
            let gate = try api.gate()
            let webhook = try await api.webhook(call)
            let event = try call.fields.object("event").map { try WebhookForm.event($0) } ?? webhook.events.first
            let result = await gate.test(webhook, WebhookForm.example(event ?? "", at: api.now()))
            return .members(("result", WebhookForm.view(result)))
        },
    ]
}

extension MLflowAPI {
    fileprivate func gate() throws(MLflowError) -> WebhookGate {
        guard let webhooks else { throw MLflowError(.endpointNotFound, "Webhooks are not served here") }
        return webhooks
    }

    fileprivate func webhook(_ call: MLflowCall) async throws -> StoredWebhook {
        let id = call.path["id"] ?? ""
        guard let webhook = try await registry.webhook(id) else { throw WebhookForm.missing(id) }
        return webhook
    }
}
