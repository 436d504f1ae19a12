import Events
import NIOCore
import NIOPosix
import Registry
import Testing
import Values

/// The feed and the fleet over HTTP, and the guards of promotion. Waits are generous bounds.
struct FleetRouteTests {
    /// Reads a stream until `count` events have come.
    private static func events(
        _ client: Client, _ path: String, _ headers: String = "", count: Int,
        whileReading: @escaping @Sendable () async throws -> Void = {}
    ) async throws -> [(id: String, data: JSON)] {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: client.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(
                ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(headers)\r\n"))
            var text = ""
            var hasBegun = false
            for try await part in inbound {
                text += String(buffer: part)
                if !hasBegun, text.contains(": champions") {
                    hasBegun = true
                    try await whileReading()
                }
                if parse(text).count >= count { break }
            }
            #expect(text.contains("text/event-stream"))
            return parse(text)
        }
    }

    private static func parse(_ text: String) -> [(id: String, data: JSON)] {
        let lines = text.unicodeScalars.split { $0 == "\n" || $0 == "\r" }.map(String.init)
        return zip(lines, lines.dropFirst(2)).compactMap { id, data in
            guard id.hasPrefix("id: "), data.hasPrefix("data: "),
                let json = try? JSON(parsing: data.dropFirst(6).utf8)
            else { return nil }
            return (String(id.dropFirst(4)), json)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `the stream tells all champions, then each that moves`() async throws {
        try await withServer { client, _, registry in
            let before = try await registry.champions(after: 0)
            let events = try await Self.events(client, "/v1/champions/stream", count: before.count + 1) {
                try await registry.promote(
                    model: "fraud", version: "11", actor: "ann", reason: "", at: Fixture.now)
            }
            #expect(before.count == 2)
            let last = try #require(events.last)
            #expect(last.data["model"]?.stringValue == "fraud")
            #expect(last.data["champion"]?["version"]?.stringValue == "11")
            #expect(last.id == "\(try await registry.champion(model: "fraud").sequence)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a reader that comes back hears only what it missed`() async throws {
        try await withServer { client, _, registry in
            let seen = try await registry.champions(after: 0).last?.sequence ?? 0
            try await registry.promote(model: "churn", version: "2.4.0", actor: "ann", reason: "", at: Fixture.now)
            try await registry.promote(model: "fraud", version: "11", actor: "ann", reason: "", at: Fixture.now)
            let missed = try await Self.events(
                client, "/v1/champions/stream", "Last-Event-ID: \(seen)\r\n", count: 1)
            #expect(missed.map { $0.data["model"]?.stringValue } == ["fraud"])
            // The id of another registry means nothing here.
            let all = try await Self.events(client, "/v1/champions/stream", "Last-Event-ID: 999999\r\n", count: 2)
            #expect(all.count == 2)
            let own = try await Self.events(client, "/v1/champions/stream?model=churn", count: 1)
            #expect(own.map { $0.data["model"]?.stringValue } == ["churn"])
            #expect(try await client.get("/v1/champions/stream?model=nope").status == 404)
        }
    }

    @Test func `instances report and the share on the champion is known`() async throws {
        try await withServer { client, _, _ in
            for (instance, active) in [("a", "13"), ("b", "14")] {
                let answer = try await client.post(
                    "/v1/models/fraud/fleet",
                    #"{"instance":"\#(instance)","active":"\#(active)","loaded":["13","12"]}"#)
                #expect(answer.status == 200 && answer.body.contains(#""champion":{"version":"13""#))
            }
            let fleet = try JSON(parsing: try await client.get("/v1/models/fraud/fleet").body.utf8)
            #expect(fleet["share_on_champion"]?.numberValue == 0.5)
            #expect(fleet["members"]?.arrayValue?.count == 2)
            let wrong = try await client.post("/v1/models/fraud/fleet", #"{"instance":"a","loaded":[1]}"#)
            #expect(wrong.status == 400 && wrong.body.contains("a list of strings"))
        }
    }

    @Test func `If-Match guards a promotion`() async throws {
        try await withServer { client, _, registry in
            let sequence = try await registry.champion(model: "fraud").sequence
            func promote(_ version: String, _ tag: String) async throws -> Client.Answer {
                try await client.post("/v1/models/fraud/promote", #"{"version":"\#(version)"}"#, [("If-Match", tag)])
            }
            #expect(try await promote("11", "\"\(sequence - 1)\"").status == 412)
            let done = try await promote("11", "\"\(sequence)\"")
            #expect(done.status == 200 && done.headers["etag"] != "\"\(sequence)\"")
            #expect(try await promote("12", "\"\(sequence)\"").status == 412)
            #expect(try await promote("12", "soon").status == 400)
            let back = try await client.post("/v1/models/fraud/rollback", "{}", [("If-Match", "\"\(sequence)\"")])
            #expect(back.status == 412)
        }
    }

    @Test func `a gate refuses with its reasons until they are met`() async throws {
        try await withServer { client, _, registry in
            try await registry.setPolicy(
                model: "fraud",
                PromotionPolicy(requirements: [.init(metric: "aupr", minimum: 0.8)], approvals: 1),
                actor: "holdfast", reason: "", at: Fixture.now)
            let path = "/v1/models/fraud/versions/11"
            let refused = try await client.post("/v1/models/fraud/promote", #"{"version":"11"}"#)
            #expect(refused.status == 422 && refused.body.contains("aupr >= 0.8") && refused.body.contains("nobody"))
            _ = try await client.post("\(path)/metrics", #"{"name":"aupr","value":0.83,"standard_error":0.01}"#)
            let gate = try await client.post("\(path)/approve", #"{"actor":"maria","reason":"reviewed"}"#)
            #expect(gate.body.contains(#""passes":true"#), "\(gate.body)")
            #expect(try await client.get("\(path)/gate").body == gate.body)
            #expect(try await client.post("/v1/models/fraud/promote", #"{"version":"11"}"#).status == 200)
            let lineage = try await client.get("\(path)/lineage")
            #expect(lineage.status == 200 && lineage.body.contains(#""outcome":"passed""#))
        }
    }

    @Test func `a hold is set and released, and decisions are listed`() async throws {
        try await withServer { client, _, registry in
            let path = "/v1/models/fraud/hold"
            let held = try await client.post(path, #"{"hold":true,"reason":"migration","actor":"bo"}"#)
            #expect(held.status == 200 && held.body.contains("migration"))
            let decision = try await registry.decide(
                RollbackProposal(
                    idempotencyKey: "k", model: "fraud", judgedVersion: "13", target: "champion-1", mode: .auto,
                    cooldown: .zero, maximum: 1, maximumPer: .hours(1), evidence: [:]), at: Fixture.now)
            #expect(decision.outcome == .refused && decision.reason.contains("bo holds"))
            let listed = try await client.get("/v1/models/fraud/decisions")
            #expect(listed.body.contains(#""outcome":"refused""#))
            #expect(try await client.post(path, #"{"hold":false}"#).body == #"{"holds":[]}"#)
            #expect(try await client.post(path, #"{"hold":true}"#).status == 400)
        }
    }
}
