import Events
import Server
import Testing
import Values

/// What each route answers, over a real socket.
struct RouteTests {
    @Test func `health is ok and readiness tells its reasons`() async throws {
        var state = Fixture.incident()
        state.reasons = ["kafka: no partition assigned yet"]
        try await withServer(state) { client, _, _ in
            let health = try await client.get("/healthz")
            #expect(health.status == 200 && health.body == #"{"status":"ok"}"#)
            #expect(health.headers["content-type"] == "application/json")
            let ready = try await client.get("/readyz")
            #expect(ready.status == 503)
            #expect(ready.body == #"{"status":"not ready","reasons":["kafka: no partition assigned yet"]}"#)
        }
        try await withServer { client, _, _ in
            let answer = try await client.get("/readyz")
            #expect(answer.status == 200)
        }
    }

    @Test func `metrics are Prometheus text`() async throws {
        try await withServer { client, _, _ in
            let answer = try await client.get("/metrics")
            #expect(answer.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            #expect(answer.body.contains("holdfast_events_total 7"))
        }
    }

    @Test func `HEAD answers as GET does, without a body`() async throws {
        try await withServer { client, _, _ in
            let get = try await client.get("/healthz")
            let head = try await client.send("HEAD", "/healthz")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.headers["content-length"] == get.headers["content-length"])
        }
    }

    @Test func `unknown paths and wrong methods are told apart`() async throws {
        try await withServer { client, _, _ in
            for path in [
                "/nope", "/v1", "/v1/models/fraud/nope", "/v1/models/%ff/champion", "/v1/models/a%2fb/c/champion",
            ] {
                let answer = try await client.get(path)
                #expect(answer.status == 404, "\(path)")
                #expect(answer.body.hasPrefix(#"{"error":{"code":"not_found","message":"#))
            }
            let answer = try await client.send("DELETE", "/v1/models/fraud/champion")
            #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD")
            #expect(try await client.get("/v1/events").headers["allow"] == "POST")
        }
    }

    @Test func `events are handed over byte for byte and counted`() async throws {
        var state = Fixture.incident()
        state.ingest = .success(
            IngestResult(
                accepted: 2, rejected: [.init(index: 1, reason: "no_model", detail: "name \"x\" is unknown")],
                rejectedTotal: 5))
        try await withServer(state) { client, service, _ in
            let answer = try await client.post("/v1/events", "{\"a\":1}\n{\"b\":2}\n")
            #expect(answer.status == 200)
            #expect(
                answer.body
                    == #"{"accepted":2,"rejected":[{"index":1,"reason":"no_model","detail":"name \"x\" is unknown"}],"rejected_total":5}"#
            )
            #expect(service.received == [Array("{\"a\":1}\n{\"b\":2}\n".utf8)])
        }
    }

    @Test func `events of which none can be used are a bad request`() async throws {
        var state = Fixture.incident()
        state.ingest = .success(IngestResult(accepted: 0, rejected: [.init(index: 0, reason: "not_json", detail: "")]))
        try await withServer(state) { client, _, _ in
            let answer = try await client.post("/v1/events", "nonsense")
            #expect(answer.status == 400 && answer.body.contains("not_json"))
        }
    }

    @Test func `events that could not be stored are to be sent again`() async throws {
        var state = Fixture.incident()
        state.ingest = .failure(.init(description: "disk full"))
        try await withServer(state) { client, _, _ in
            let answer = try await client.post("/v1/events", "{}")
            #expect(answer.status == 503 && answer.headers["retry-after"] == "5")
            #expect(answer.body.contains("disk full"))
        }
    }

    @Test func `a body beyond the limit is refused by its announcement and by its length`() async throws {
        try await withServer { client, service, _ in
            let announced = try await client.post("/v1/events", "", [("Content-Length", "33554433")])
            #expect(announced.status == 413 && announced.body.contains("too_large"))
            let long = try await client.post(
                "/v1/models/fraud/rollback", String(repeating: " ", count: 70_000))
            #expect(long.status == 413)
            let chunk = String(repeating: " ", count: 70_000)
            let chunked = try await client.post(
                "/v1/models/fraud/rollback", "\(String(chunk.utf8.count, radix: 16))\r\n\(chunk)\r\n0\r\n\r\n",
                [("Transfer-Encoding", "chunked")])
            #expect(chunked.status == 413)
            let answer = try await client.post("/v1/events", "x", [("Content-Encoding", "gzip")])
            #expect(answer.status == 415)
            #expect(service.received.isEmpty)
        }
    }

    @Test func `models are listed with their windows and columns`() async throws {
        try await withServer { client, _, _ in
            let answer = try await client.get("/v1/models")
            let models = try JSON(parsing: answer.body.utf8)["models"]?.arrayValue ?? []
            #expect(models.map { $0["name"]?.stringValue } == ["fraud", "churn", "pricing"])
            #expect(models[0]["rows"]?.integerValue == 18_412)
            #expect(models[0]["window"]?["end"]?.stringValue == "2026-03-01T14:00:00Z")
            #expect(models[0]["columns"]?.arrayValue?.first?["worst_segment"]?["segment"] == ["country": "BR"])
            #expect(models[2]["window"] == .null)
            #expect(try await client.get("/v1/models").body == answer.body)
        }
    }

    @Test func `snapshots come as a document or as lines`() async throws {
        try await withServer { client, service, _ in
            let path =
                "/v1/models/fraud/snapshots?column=amount&segment=country%3DBR%2Cdevice%3Dweb&from=2026-03-01T00:00:00Z"
                + "&to=1772370000&limit=3"
            let answer = try await client.get(path)
            #expect(answer.status == 200)
            #expect(try JSON(parsing: answer.body.utf8)["snapshots"]?.arrayValue?.count == 2)
            #expect(
                service.asked == [
                    .init(
                        model: "fraud", column: "amount",
                        segment: Segment([.init("country", "BR"), .init("device", "web")]),
                        from: Timestamp(rfc3339: "2026-03-01T00:00:00Z"),
                        to: Timestamp(microseconds: 1_772_370_000_000_000), limit: 3)
                ])
            for lines in [
                try await client.get("/v1/models/fraud/snapshots?format=jsonl"),
                try await client.get("/v1/models/fraud/snapshots", [("Accept", "application/x-ndjson")]),
            ] {
                #expect(lines.headers["content-type"] == "application/x-ndjson")
                #expect(lines.body == Fixture.incident().snapshots)
            }
            #expect(service.asked.last?.limit == 24 && service.asked.last?.segment == nil)
        }
    }

    @Test(arguments: [
        ("from=yesterday", "'from'"), ("to=", "'to'"), ("limit=0", "'limit'"), ("limit=x", "'limit'"),
        ("segment=BR", "'segment'"), ("segment=%7B%22a%22:1%7D", "'segment'"), ("format=csv", "'format'"),
        ("segmnt=a%3Db", "'segmnt'"), ("limit=1&limit=2", "'limit'"), ("column=%zz", "percent"),
        ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "'from'"),
    ])
    func `a wrong parameter is named`(query: String, named: String) async throws {
        try await withServer { client, _, _ in
            let answer = try await client.get("/v1/models/fraud/snapshots?\(query)")
            #expect(answer.status == 400 && answer.body.contains(named), "\(answer.body)")
        }
    }

    @Test func `snapshots of a model that is not watched are not found`() async throws {
        try await withServer { client, _, _ in
            let answer = try await client.get("/v1/models/nope/snapshots")
            #expect(answer.status == 404 && answer.body.contains("churn, fraud, pricing"))
        }
    }

    @Test func `alerts are the lines themselves`() async throws {
        try await withServer { client, service, _ in
            let answer = try await client.get("/v1/alerts?model=fraud&resolved=5")
            #expect(answer.body == "{\"alerts\":[\(FixtureAlerts.all.joined(separator: ","))]}")
            _ = try await client.get("/v1/alerts")
            #expect(service.askedAlerts == ["fraud 5", "* 20"])
            let wrong = try await client.get("/v1/alerts?resolved=-1")
            #expect(wrong.status == 400)
        }
    }

    @Test func `what breaks inside is not told outside`() async throws {
        var state = Fixture.incident()
        state.broken = .init(description: "SQLITE_CORRUPT in /var/lib/holdfast")
        try await withServer(state) { client, _, _ in
            for path in ["/v1/alerts", "/v1/models/fraud/snapshots"] {
                let answer = try await client.get(path)
                #expect(answer.status == 500 && !answer.body.contains("SQLITE"))
            }
            let page = try await client.get("/")
            #expect(page.status == 200 && page.body.contains("alerts cannot be read"))
        }
    }

    @Test func `the OpenAPI document names every route and nothing else`() async throws {
        try await withServer { client, _, _ in
            let document = try JSON(parsing: try await client.get("/openapi.json").body.utf8)
            #expect(document["openapi"]?.stringValue == "3.1.0")
            let described = (document["paths"]?.objectValue ?? []).flatMap { path in
                (path.value.objectValue ?? []).map { "\($0.key.uppercased()) \(path.key)" }
            }
            #expect(described.sorted() == allRoutes.sorted())
            #expect(document["paths"]?["/healthz"]?["get"]?["security"] == .array([]))
            let wait = document["paths"]?["/v1/models/{model}/champion"]?["get"]?["parameters"]?.arrayValue
            #expect(wait?.map { $0["name"]?.stringValue } == ["model", "wait", "after"])
        }
    }
}

/// Every endpoint there is, by hand: a route that is added must be added here, and is then walked by `AccessTests`.
let allRoutes = [
    "GET /", "GET /fragment", "GET /favicon.svg", "GET /healthz", "GET /readyz", "GET /metrics", "POST /v1/events",
    "GET /v1/models", "GET /v1/models/{model}/snapshots", "GET /v1/alerts", "GET /v1/models/{model}/champion",
    "GET /v1/models/{model}/versions", "POST /v1/models/{model}/rollback", "POST /v1/models/{model}/promote",
    "GET /openapi.json", "POST /v1/models/{model}/hold", "POST /v1/models/{model}/versions/{version}/approve",
    "POST /v1/models/{model}/versions/{version}/metrics", "GET /v1/models/{model}/versions/{version}/gate",
    "GET /v1/models/{model}/versions/{version}/lineage", "GET /v1/champions/stream", "POST /v1/models/{model}/fleet",
    "GET /v1/models/{model}/fleet", "GET /v1/models/{model}/decisions",
    "GET /models/{model}", "GET /models/{model}/alerts/{fingerprint}",
    "GET /models/{model}/alerts/{fingerprint}/picture.svg",
    "GET /v1/silences", "POST /v1/silences", "DELETE /v1/silences/{id}", "GET /registry", "GET /registry/{model}",
]
