import Events
import Foundation
import TestSupport
import Testing
import Values

/// Rules that change while the service runs.
@Suite struct `Rules read anew` {
    private static func rules(_ more: String) -> String {
        """
        groups:
        - name: pay
          model: pay
          rules:
          - alert: Busy
            expr: count{column="amount"} > 10
            annotations: {summary: first}
        \(more)
        """
    }

    /// The open alert of a rule, as the API shows it.
    private func alert(_ rule: String, _ service: Service) async throws -> JSON? {
        let body = try await service.get("/v1/alerts").body
        return try JSON(parsing: body)["alerts"]?.arrayValue?.first {
            $0["labels"]?["alertname"]?.stringValue == rule && $0["status"]?.stringValue == "firing"
        }
    }

    private func post(_ events: ArraySlice<String>, to service: Service) async throws {
        #expect(try await service.post("/v1/events", events.joined(separator: "\n")).status == 200)
    }

    @Test(.timeLimit(.minutes(2)))
    func `take force on SIGHUP, a mistake changes nothing, and alerts live on`() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 4_000)
        try workspace.write("rules.yaml", Self.rules(""))
        let service = try await Service.start(try stream.configuration("serve"))
        #expect(try await service.metric("holdfast_config_last_reload_successful") == 1)
        try await post(stream.events[..<1_500], to: service)
        let before = try await eventually("the first rule fires") { try await alert("Busy", service) }

        try workspace.write(
            "rules.yaml",
            Self.rules("  - {alert: Busier, expr: 'count{column=\"amount\"} > 11'}").replacing("first", with: "second"))
        service.process.kill(SIGHUP)
        _ = try await eventually("the new rules are taken") {
            try await service.metric("holdfast_config_reloads_total", "outcome=\"loaded\"") == 1 ? true : nil
        }
        try await post(stream.events[1_500..<2_500], to: service)
        _ = try await eventually("the new rule fires") { try await alert("Busier", service) }
        let after = try #require(try await alert("Busy", service))
        #expect(after["startsAt"] == before["startsAt"] && after["fingerprint"] == before["fingerprint"])

        for (broken, told) in [
            (
                "  - {alert: Wrong, expr: 'cuont > 1'}",
                "rules.yaml:8:27: error: unknown metric `cuont`: did you mean `count`?"
            ),
            ("  - {alert: Wrong, expr: 'psi{column=\\\"amuont\\\"} > 1'}", "did you mean `amount`?"),
            ("  - {alert: Wrong, expr: psi > 1, window: 5h}", "restart it"),
        ] {
            let refused = try await service.metric("holdfast_config_reloads_total", "outcome=\"refused\"")
            try workspace.write("rules.yaml", Self.rules(broken.replacing("\\\"", with: "\"")))
            service.process.kill(SIGHUP)
            _ = try await eventually("the mistake is refused") {
                try await service.metric("holdfast_config_reloads_total", "outcome=\"refused\"") == refused + 1
                    ? true : nil
            }
            #expect(service.process.text.contains(told), "\(service.process.text.suffix(2_000))")
            #expect(try await service.metric("holdfast_config_last_reload_successful") == 0)
            #expect(try await service.get("/readyz").status == 200)
        }
        try await post(stream.events[2_500...], to: service)
        #expect(try await alert("Busier", service) != nil)

        try workspace.write("rules.yaml", Self.rules(""))
        service.process.kill(SIGHUP)
        _ = try await eventually("the first rules are back") {
            try await service.metric("holdfast_config_reloads_total", "outcome=\"loaded\"") == 2 ? true : nil
        }
        #expect(try await service.metric("holdfast_config_last_reload_successful") == 1)
        #expect(try await service.stop() == 0)
    }
}
