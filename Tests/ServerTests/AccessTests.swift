import Registry
import Server
import Testing
import Values

/// Who gets in.
struct AccessTests {
    private static let open: Set = ["GET /healthz", "GET /readyz"]

    @Test func `every route but the probes needs a token`() async throws {
        try await withServer(tokens: ["first-token", "second"]) { client, service, _ in
            for route in allRoutes {
                let parts = route.split(separator: " ").map(String.init)
                let path = parts[1].replacing("{model}", with: "fraud").replacing("{version}", with: "12")
                for method in [parts[0], parts[0] == "GET" ? "HEAD" : "PUT"] {
                    let answer = try await client.send(method, path, body: parts[0] == "POST" ? "{}" : nil)
                    if Self.open.contains(route) {
                        #expect(answer.status == 200, "\(method) \(path)")
                    } else {
                        #expect(answer.status == 401, "\(method) \(path)")
                        #expect(answer.headers["www-authenticate"]?.contains("Bearer") == true)
                        #expect(answer.headers["www-authenticate"]?.contains("Basic") == true)
                    }
                }
            }
            // Nor is it told which paths there are.
            let nowhere = try await client.get("/nope")
            #expect(nowhere.status == 401)
            let probe = try await client.send("DELETE", "/healthz")
            #expect(probe.status == 401)
            #expect(service.received.isEmpty)
        }
    }

    @Test(arguments: [
        ("Bearer first-token", 200), ("bearer second", 200), ("Basic YW5uOnNlY29uZA==", 200),
        ("Basic OnNlY29uZA==", 200), ("Bearer first-toke", 401), ("Bearer first-token1", 401), ("Bearer ", 401),
        ("Bearer", 401), ("Basic !!", 401), ("Basic c2Vjb25kOg==", 401), ("Digest second", 401),
        ("Bearer secondsecond", 401),
    ])
    func `a token opens and nothing else does`(header: String, status: Int) async throws {
        try await withServer(tokens: ["first-token", "second"]) { client, _, _ in
            let answer = try await client.get("/v1/models", [("Authorization", header)])
            #expect(answer.status == status)
        }
    }

    @Test func `a viewer changes nothing, an editor no champion, and only an admin forces a gate`() async throws {
        let roles: [String: Role] = ["looks": .viewer, "writes": .editor, "moves": .promoter, "rules": .admin]
        try await withServer(tokens: roles.keys.sorted(), roles: roles) {
            (client: Client, service: FixtureService, registry: Registry) async throws -> Void in
            @Sendable func status(
                _ token: String, _ method: String, _ path: String, _ body: String?
            ) async throws -> Int {
                try await client.send(method, path, [("Authorization", "Bearer \(token)")], body: body).status
            }
            for route in allRoutes where route.hasPrefix("POST") {
                let path = route.dropFirst(5).replacing("{model}", with: "fraud").replacing("{version}", with: "12")
                #expect(try await status("looks", "POST", String(path), "{}") == 403, "\(route)")
            }
            #expect(service.received.isEmpty)
            let promotion = "/v1/models/fraud/promote"
            #expect(try await status("looks", "GET", "/v1/models/fraud/champion", nil) == 200)
            #expect(try await status("writes", "POST", promotion, #"{"version":"13"}"#) == 403)
            #expect(try await status("writes", "POST", "/v1/models/fraud/fleet", #"{"instance":"a"}"#) == 200)
            #expect(try await status("moves", "POST", promotion, #"{"version":"12"}"#) == 200)
            #expect(try await status("moves", "POST", promotion, #"{"version":"13","force":true}"#) == 403)
            #expect(try await status("rules", "POST", promotion, #"{"version":"13","force":true,"reason":" "}"#) == 400)
            #expect(
                try await status("rules", "POST", promotion, #"{"version":"13","force":true,"reason":"why"}"#) == 200)
            #expect(try await registry.champion(model: "fraud").champion?.version == "13")
        }
    }

    @Test func `the audit trail names the token, and after it the user of Basic credentials`() async throws {
        try await withServer(tokens: ["second"]) { client, _, registry in
            let answer = try await client.post(
                "/v1/models/fraud/rollback", "{}", [("Authorization", "Basic YW5uOnNlY29uZA==")])
            #expect(answer.status == 200)
            #expect(try await registry.audit(limit: 1).first?.actor == "http:admin as ann")
        }
    }

    @Test func `one token approves once, whoever it says it is and whatever door it comes through`() async throws {
        let names = ["first": "ann", "second": "bob", "third": "ann"]
        try await withServer(tokens: names.keys.sorted(), names: names, servesMLflow: true) { client, _, registry in
            try await registry.setPolicy(
                model: "fraud", PromotionPolicy(approvals: 1), actor: "holdfast", reason: "", at: Fixture.now)
            func post(_ token: String, _ path: String, _ body: String) async throws -> Int {
                let answer = try await client.post(
                    "/v1/models/fraud/\(path)", body, [("Authorization", "Bearer \(token)")])
                return answer.status
            }
            for actor in ["eve", "holdfast", "bob"] {
                #expect(try await post("first", "versions/11/approve", #"{"actor":"\#(actor)"}"#) == 200)
            }
            #expect(try await registry.audit(limit: 1).first?.actor == "http:ann as bob")
            #expect(try await post("first", "promote", #"{"version":"11","actor":"me"}"#) == 422)
            #expect(try await post("third", "promote", #"{"version":"11"}"#) == 422, "another token of the same person")
            let alias = try await client.post(
                "/api/2.0/mlflow/registered-models/alias", #"{"name":"fraud","alias":"champion","version":"11"}"#,
                [("Authorization", "Bearer first")])
            #expect(alias.status != 200)
            #expect(try await post("second", "promote", #"{"version":"11","actor":"ann"}"#) == 200)
        }
    }

    @Test func `without tokens only names of this machine are served`() async throws {
        try await withServer { client, _, _ in
            for host in ["localhost:\(client.port)", "127.0.0.1", "[::1]:8080"] {
                let answer = try await client.get("/v1/models", [("Host", host)])
                #expect(answer.status == 200)
            }
            let answer = try await client.get("/v1/models", [("Host", "evil.example")])
            #expect(answer.status == 421)
        }
        try await withServer(tokens: ["t"]) { client, _, _ in
            let answer = try await client.get(
                "/v1/models", [("Host", "monitor.example"), ("Authorization", "Bearer t")])
            #expect(answer.status == 200)
        }
    }

    @Test func `pages of other sites change nothing`() async throws {
        try await withServer { client, _, registry in
            let before = try await registry.champion(model: "fraud")
            let answer = try await client.post(
                "/v1/models/fraud/rollback", "{}", [("Origin", "https://evil.example"), ("Content-Type", "text/plain")])
            #expect(answer.status == 403)
            #expect(try await registry.champion(model: "fraud") == before)
            let own = try await client.post(
                "/v1/models/fraud/rollback", "{}", [("Origin", "http://127.0.0.1:\(client.port)")])
            #expect(own.status == 200)
        }
    }

    @Test(arguments: [
        ("0.0.0.0", ["t"], true), ("0.0.0.0", [], false), ("127.0.0.1", [], true), ("127.1.2.3", [], true),
        ("localhost", [], true), ("::1", [], true), ("127.0.0.1.evil.example", [], false), ("127.0.0.1", [""], false),
        ("", ["t"], false),
    ])
    func `nothing is served beyond this machine without a token`(host: String, tokens: [String], isAllowed: Bool) {
        let accepted = try? ServerConfiguration(host: host, port: 8080, tokens: tokens)
        #expect((accepted != nil) == isAllowed)
    }

    @Test func `a port that is none is refused`() {
        #expect(throws: ServerConfigurationError.self) {
            try ServerConfiguration(host: "127.0.0.1", port: 65_536, tokens: [])
        }
    }
}
