import Events
import Registry
import Testing
import Values

/// The registry over HTTP. Timeouts are generous bounds; what is waited for comes at once.
struct ChampionRouteTests {
    @Test func `the champion has its sequence as its tag`() async throws {
        try await withServer { client, _, registry in
            let state = try await registry.champion(model: "fraud")
            let answer = try await client.get("/v1/models/fraud/champion")
            #expect(answer.status == 200 && answer.body == state.json.text)
            #expect(answer.headers["etag"] == "\"\(state.sequence)\"")
            for tag in ["\"\(state.sequence)\"", "W/\"\(state.sequence)\"", "\"1\", \"\(state.sequence)\""] {
                let same = try await client.get("/v1/models/fraud/champion", [("If-None-Match", tag)])
                #expect(same.status == 304 && same.body.isEmpty)
            }
            let old = try await client.get("/v1/models/fraud/champion", [("If-None-Match", "\"1\"")])
            #expect(old.status == 200)
            let unknown = try await client.get("/v1/models/nope/champion")
            #expect(unknown.status == 404)
        }
    }

    @Test func `a wait wakes with the commit`() async throws {
        try await withServer { client, _, registry in
            let sequence = try await registry.champion(model: "fraud").sequence
            for (path, headers) in [
                ("/v1/models/fraud/champion?wait=60s&after=\(sequence)", []),
                ("/v1/models/fraud/champion?wait=60s", []),
                ("/v1/models/fraud/champion?wait=60", [("If-None-Match", "\"\(sequence)\"")]),
            ] as [(String, [(String, String)])] {
                let current = try await registry.champion(model: "fraud")
                let fresh = path.replacing("after=\(sequence)", with: "after=\(current.sequence)")
                let tagged = headers.map { ($0.0, "\"\(current.sequence)\"") }
                async let waiting = client.get(fresh, tagged)
                while registry.waiterCount == 0 { await Task.yield() }
                let next = current.champion?.version == "13" ? "12" : "13"
                try await registry.promote(
                    model: "fraud", version: next, actor: "ann", reason: "", at: Fixture.now)
                let answer = try await waiting
                // 204 or 304 is what a wait that ran out is answered.
                #expect(answer.status == 200)
                #expect(
                    try JSON(parsing: answer.body.utf8)["champion"]?["version"]?.stringValue == next)
                #expect(answer.headers["etag"] != "\"\(current.sequence)\"")
                #expect(registry.waiterCount == 0)
            }
        }
    }

    @Test func `a wait for what has passed is answered at once`() async throws {
        try await withServer { client, _, registry in
            let sequence = try await registry.champion(model: "fraud").sequence
            let answer = try await client.get("/v1/models/fraud/champion?wait=60s&after=\(sequence - 1)")
            #expect(answer.status == 200 && answer.headers["etag"] == "\"\(sequence)\"")
            #expect(registry.waiterCount == 0)
        }
    }

    @Test func `a wait in which nothing changes ends empty`() async throws {
        try await withServer { client, _, registry in
            let tag = "\"\(try await registry.champion(model: "fraud").sequence)\""
            let plain = try await client.get("/v1/models/fraud/champion?wait=10ms")
            #expect(plain.status == 204 && plain.body.isEmpty && plain.headers["etag"] == tag)
            let tagged = try await client.get("/v1/models/fraud/champion?wait=10ms", [("If-None-Match", tag)])
            #expect(tagged.status == 304 && tagged.headers["etag"] == tag)
        }
    }

    @Test func `one connection carries one wait after another`() async throws {
        try await withServer { client, _, registry in
            let path = "/v1/models/fraud/champion?wait=10ms"
            let statuses = try await client.getEmpty(onOneConnection: [path, path, path])
            #expect(statuses == [204, 204, 204])
            #expect(registry.waiterCount == 0)
        }
    }

    @Test func `a client that leaves is not waited for`() async throws {
        try await withServer { client, _, registry in
            try await client.abandon("/v1/models/fraud/champion?wait=60s") {
                while registry.waiterCount == 0 { await Task.yield() }
            }
            while registry.waiterCount > 0 { await Task.yield() }
            #expect(registry.waiterCount == 0)
        }
    }

    @Test func `a server that stops ends the waits`() async throws {
        let answer = try await withServer { client, _, registry in
            let waiting = Task { try await client.get("/v1/models/fraud/champion?wait=60s") }
            while registry.waiterCount == 0 { await Task.yield() }
            return waiting
        }
        #expect(try await answer.value.status == 503)
    }

    @Test func `one waiter too many is told to come back`() async throws {
        try await withServer { client, _, registry in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await client.get("/v1/models/fraud/champion?wait=60s").status }
                }
                while registry.waiterCount < 4 { await Task.yield() }
                let answer = try await client.get("/v1/models/fraud/champion?wait=60s")
                #expect(answer.status == 503 && answer.headers["retry-after"] == "1")
                try await registry.promote(model: "fraud", version: "12", actor: "a", reason: "", at: Fixture.now)
                for try await status in group { #expect(status == 200) }
            }
        }
    }

    @Test(arguments: ["wait=soon", "wait=-1s", "wait=30s&after=x", "after=3", "wait=1s&after=-1"])
    func `a wait that makes no sense is refused`(query: String) async throws {
        try await withServer { client, _, _ in
            let answer = try await client.get("/v1/models/fraud/champion?\(query)")
            #expect(answer.status == 400)
        }
    }

    @Test func `a rollback answers the champion after it`() async throws {
        try await withServer { client, _, registry in
            let answer = try await client.post(
                "/v1/models/fraud/rollback",
                #"{"to":"champion-1","expected_champion":"13","reason":"wrong scores","actor":"bo"}"#)
            let state = try await registry.champion(model: "fraud")
            #expect(answer.status == 200 && answer.body == state.json.text && state.champion?.version == "12")
            #expect(answer.headers["etag"] == "\"\(state.sequence)\"")
            let entry = try await registry.audit(limit: 1).first
            #expect(entry?.actor == "bo" && entry?.reason == "wrong scores" && entry?.at == Fixture.now)
        }
    }

    @Test(arguments: [
        (#"{"to":"champion-1","expected_champion":"14"}"#, 409, "conflict"), (#"{"to":"99"}"#, 404, "not_found"),
        (#"{"to":"14"}"#, 422, "refused"), (#"{"actor":""}"#, 400, "invalid"), (#"{"tow":"12"}"#, 400, "'tow'"),
        (#"{"to":12}"#, 400, "'to'"), ("[]", 400, "object"), ("{", 400, "not JSON"), ("", 400, "not JSON"),
        (#"{"to":"12","to":"11"}"#, 400, "twice"),
    ])
    func `a rollback that cannot be says why`(body: String, status: Int, says: String) async throws {
        try await withServer { client, _, registry in
            let before = try await registry.champion(model: "fraud")
            let answer = try await client.post("/v1/models/fraud/rollback", body)
            #expect(answer.status == status && answer.body.contains(says), "\(answer.body)")
            #expect(try await registry.champion(model: "fraud") == before)
        }
    }

    @Test func `a promotion holds to the sequence it was decided on`() async throws {
        try await withServer { client, _, registry in
            let sequence = try await registry.champion(model: "fraud").sequence
            let path = "/v1/models/fraud/promote"
            let missing = try await client.post(path, "{}")
            #expect(missing.status == 400 && missing.body.contains("'version'"))
            let late = try await client.post(path, #"{"version":"11","expected_sequence":1}"#)
            #expect(late.status == 409)
            let quarantined = try await client.post(path, #"{"version":"14"}"#)
            #expect(quarantined.status == 422)
            let done = try await client.post(path, #"{"version":"11","expected_sequence":\#(sequence)}"#)
            #expect(done.status == 200)
            #expect(try await registry.champion(model: "fraud").champion?.version == "11")
        }
    }

    @Test func `versions are listed with where they stand`() async throws {
        try await withServer { client, _, _ in
            let answer = try await client.get("/v1/models/fraud/versions")
            let versions = try JSON(parsing: answer.body.utf8)["versions"]?.arrayValue ?? []
            #expect(versions.map { $0["version"]?.stringValue } == ["11", "12", "13", "14"])
            #expect(versions[2]["aliases"] == ["champion"] && versions[3]["quarantined"] == true)
            let unknown = try await client.get("/v1/models/nope/versions")
            #expect(unknown.status == 404)
        }
    }
}
