import Events
import MLflow
import Registry
import Server
import Testing
import Values

/// MLflow's interface behind the same door as everything else.
struct MLflowRouteTests {
    /// Every path of MLflow's interface with something in its braces.
    private static let all: [(method: String, path: String, changes: Bool)] =
        Endpoint.all.map {
            (
                $0.method, $0.path.replacing("{id}", with: "m-1").replacing("{key}", with: "k"),
                $0.changes || $0.administers
            )
        }
        + [
            ("GET", "/version", false), ("GET", "/api/3.0/mlflow/server-info", false),
            ("GET", "/api/2.0/mlflow-artifacts/artifacts", false),
            ("GET", "/api/2.0/mlflow-artifacts/artifacts/a/b", false),
            ("GET", "/get-artifact", false), ("GET", "/model-versions/get-artifact", false),
            ("GET", "/api/2.0/mlflow/logged-models/m-1/artifacts/files", false),
            ("GET", "/ajax-api/2.0/mlflow/runs/get", false), ("POST", "/ajax-api/2.0/mlflow/runs/create", true),
            ("PUT", "/api/2.0/mlflow-artifacts/artifacts/a/b", true),
            ("DELETE", "/api/2.0/mlflow-artifacts/artifacts/a/b", true),
        ]

    /// CVE-2026-0545: routes that were added beside the door.
    @Test func `no route answers without a token, and a viewer's changes nothing`() async throws {
        try await withServer(tokens: ["first-token", "looker"], roles: ["looker": .viewer], servesMLflow: true) {
            client, _, registry in
            let before = try await registry.events().count
            for (method, path, changes) in Self.all {
                let nobody = try await client.send(method, path, body: method == "GET" ? nil : "{}")
                #expect(nobody.status == 401, "\(method) \(path)")
                #expect(nobody.body.contains("UNAUTHENTICATED") || !path.hasPrefix("/api/"), "\(method) \(path)")
                let looker = try await client.send(
                    method, path, [("Authorization", "Bearer looker")], body: method == "GET" ? nil : "{}")
                #expect((looker.status == 403) == changes, "\(method) \(path): \(looker.status)")
            }
            #expect(try await client.get("/health").body == "OK")
            let unknown = try await client.get(
                "/api/2.0/mlflow/gateway/list", [("Authorization", "Bearer first-token")])
            #expect(unknown.status == 404 && unknown.body.contains("ENDPOINT_NOT_FOUND"))
            #expect(try await registry.events().count == before)
        }
    }

    @Test func `all of it is described in the document of the interface`() async throws {
        try await withServer(servesMLflow: true) { client, _, _ in
            let document = try JSON(parsing: try await client.get("/openapi.json").body.utf8)
            for (method, path, _) in Self.all
            where !path.contains("m-1") && !path.contains("/a/b") && !path.hasPrefix("/ajax") {
                #expect(document["paths"]?[path]?[method.lowercased()] != nil, "\(method) \(path)")
            }
        }
    }

    @Test(arguments: [
        "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "a/%252e%252e/%252e%252e/b", "..%5c..%5cx", "a/%2500",
        "../../x", "a/..;/x",
    ])
    func `a path that climbs is refused on the wire`(path: String) async throws {
        try await withServer(servesMLflow: true) { client, _, _ in
            for method in ["GET", "PUT", "DELETE"] {
                let answer = try await client.send(
                    method, "/api/2.0/mlflow-artifacts/artifacts/\(path)", body: method == "PUT" ? "x" : nil)
                // `..;` is a name like any other here, and nothing is called by it.
                let isName = path == "a/..;/x"
                #expect([400, 404].contains(answer.status) || isName, "\(method): \(answer.status)")
            }
            let listed = try await client.get("/api/2.0/mlflow-artifacts/artifacts?path=..%2f..%2fetc")
            #expect(listed.status == 400)
        }
    }

    @Test func `an artifact comes back as it went, and never as a page`() async throws {
        try await withServer(servesMLflow: true) { client, _, _ in
            let path = "/api/2.0/mlflow-artifacts/artifacts/0/r/files/a%20b.html"
            let stored = try await client.send("PUT", path, [("Content-Type", "text/html")], body: "<script>1</script>")
            #expect(stored.status == 200)
            let answer = try await client.get(path)
            #expect(answer.body == "<script>1</script>")
            #expect(answer.headers["content-type"] == "application/octet-stream")
            #expect(answer.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b.html")
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            #expect(try await client.send("DELETE", path).status == 200)
            #expect(try await client.get(path).status == 404)
        }
    }

    @Test func `a download that broke off goes on, and what is known is not sent again`() async throws {
        try await withServer(servesMLflow: true) { client, _, _ in
            let path = "/api/2.0/mlflow-artifacts/artifacts/a/digits"
            #expect(try await client.send("PUT", path, body: "0123456789").status == 200)
            let whole = try await client.get(path)
            let tag = whole.headers["etag"] ?? ""
            #expect(whole.status == 200 && whole.headers["accept-ranges"] == "bytes")
            for (range, status, body, told) in [
                ("bytes=2-5", 206, "2345", "bytes 2-5/10"), ("bytes=7-", 206, "789", "bytes 7-9/10"),
                ("bytes=-3", 206, "789", "bytes 7-9/10"), ("bytes=8-99", 206, "89", "bytes 8-9/10"),
                ("bytes=-99", 206, "0123456789", "bytes 0-9/10"), ("bytes=10-", 416, "", "bytes */10"),
                ("bytes=-0", 416, "", "bytes */10"), ("bytes=5-2", 200, "0123456789", nil),
                ("bytes=0-1,4-5", 200, "0123456789", nil), ("items=1-2", 200, "0123456789", nil),
                ("bytes=0-99999999999999999999", 200, "0123456789", nil), ("bytes=a-b", 200, "0123456789", nil),
            ] as [(String, Int, String, String?)] {
                let answer = try await client.get(path, [("Range", range)])
                #expect(answer.status == status && answer.body == body, "\(range): \(answer.status) \(answer.body)")
                #expect(answer.headers["content-range"] == told, "\(range)")
                #expect(answer.headers["content-length"] == String(body.utf8.count), "\(range)")
            }
            #expect(try await client.get(path, [("Range", "bytes=2-5"), ("If-Range", tag)]).body == "2345")
            #expect(try await client.get(path, [("Range", "bytes=2-5"), ("If-Range", "\"old\"")]).body == "0123456789")
            for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                let answer = try await client.get(path, [("If-None-Match", known)])
                #expect(answer.status == 304 && answer.body.isEmpty && answer.headers["etag"] == tag, "\(known)")
            }
            #expect(try await client.get(path, [("If-None-Match", "\"other\"")]).status == 200)
        }
    }

    @Test(arguments: [
        ("m.txt", "text/plain", "attachment; filename=m.txt"),
        ("MLmodel", "text/plain", "attachment; filename=MLmodel"),
        ("c.PNG", "image/png", "attachment; filename=c.PNG"),
        ("d+1.pdf", "application/pdf", "attachment; filename=d+1.pdf"),
        ("e.pkl", "application/octet-stream", "attachment; filename=e.pkl"),
        ("f.svg", "application/octet-stream", "attachment; filename=f.svg"),
        ("a%22;x=%C3%A4.csv", "text/plain", "attachment; filename*=UTF-8''a%22%3Bx%3D%C3%A4.csv"),
    ])
    func `a download says what it is by its name, which cannot say more than that`(
        name: String, type: String, disposition: String
    ) async throws {
        try await withServer(servesMLflow: true) { client, _, _ in
            let path = "/api/2.0/mlflow-artifacts/artifacts/0/r/files/\(name)"
            #expect(try await client.send("PUT", path, body: "x").status == 200)
            let answer = try await client.get(path)
            #expect(answer.headers["content-type"] == type)
            #expect(answer.headers["content-disposition"] == disposition)
        }
    }

    @Test func `artifacts are found by their run, logged model or version, also as MLflow's pages ask for them`()
        async throws
    {
        try await withServer(servesMLflow: true) { client, _, _ in
            func post(_ path: String, _ body: String) async throws -> JSON {
                try JSON(parsing: try await client.post("/ajax-api/2.0/mlflow/\(path)", body).body.utf8)
            }
            let run =
                try await post("runs/create", #"{"experiment_id":"0"}"#)["run"]?["info"]?["run_id"]?.stringValue ?? ""
            let model =
                try await post("logged-models", #"{"experiment_id":"0"}"#)["model"]?["info"]?["model_id"]?.stringValue
                ?? ""
            let root = "/api/2.0/mlflow-artifacts/artifacts/0"
            #expect(try await client.send("PUT", "\(root)/\(run)/artifacts/d/a.txt", body: "of the run").status == 200)
            #expect(
                try await client.send("PUT", "\(root)/models/\(model)/artifacts/MLmodel", body: "of the model").status
                    == 200)
            _ = try await post("registered-models/create", #"{"name":"new"}"#)
            _ = try await post("model-versions/create", #"{"name":"new","source":"models:/\#(model)"}"#)
            for (path, body) in [
                ("/get-artifact?run_id=\(run)&path=d/a.txt", "of the run"),
                ("/get-artifact?run_uuid=\(run)&path=d/a.txt", "of the run"),
                ("/get-artifact?run_id=&run_uuid=\(run)&path=d%2Fa.txt", "of the run"),
                ("/model-versions/get-artifact?name=new&version=1&path=MLmodel", "of the model"),
                (
                    "/ajax-api/2.0/mlflow/logged-models/\(model)/artifacts/files?artifact_file_path=MLmodel",
                    "of the model"
                ),
            ] {
                #expect(try await client.get(path).body == body, "\(path)")
            }
            let listed = try await client.get("/api/2.0/mlflow/logged-models/\(model)/artifacts/directories")
            #expect(listed.body.contains(#""path":"MLmodel""#))
            for path in ["d/b.txt", "../x", "d/%252e%252e/x", ""] {
                let answer = try await client.get("/get-artifact?run_id=\(run)&path=\(path)")
                #expect([400, 404].contains(answer.status), "\(path): \(answer.status)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a client that leaves in the middle of an upload is no failure of ours, and leaves nothing`() async throws {
        let lines = LogLines()
        try await withServer(servesMLflow: true, log: lines.log) { client, _, _ in
            let path = "/api/2.0/mlflow-artifacts/artifacts/a/cut"
            for framing in ["Content-Length: 100000", "Transfer-Encoding: chunked"] {
                let start = framing.hasPrefix("C") ? "the first bytes" : "5\r\nfirst\r\n"
                try await client.abandon(
                    sending: "PUT \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(framing)\r\n\r\n\(start)")
                let line = await lines.next { $0.contains("client left") }
                #expect(line.hasPrefix("debug"), "\(line)")
            }
            #expect(try await client.get(path).status == 404)
        }
        #expect(!lines.all.contains { $0.contains("request failed") })
    }

    @Test func `errors have MLflow's form and lists come as repeated names`() async throws {
        try await withServer(servesMLflow: true) { client, _, _ in
            let missing = try await client.get("/api/2.0/mlflow/registered-models/get?name=nobody")
            #expect(missing.status == 404)
            let body = try JSON(parsing: missing.body.utf8)
            #expect(
                body["error_code"] == "RESOURCE_DOES_NOT_EXIST"
                    && body["message"]?.stringValue?.contains("nobody") == true)
            let broken = try await client.post("/api/2.0/mlflow/runs/create", "{")
            #expect(broken.status == 400 && broken.body.contains("INVALID_PARAMETER_VALUE"))
            let found = try await client.get(
                "/api/2.0/mlflow/model-versions/search?order_by=name%20ASC&order_by=version_number%20DESC&max_results=2"
            )
            #expect(found.status == 200)
            let versions = try JSON(parsing: found.body.utf8)["model_versions"]?.arrayValue ?? []
            #expect(versions.map { $0["name"]?.stringValue } == ["churn", "fraud"])
            // The label of a version that is no number is Holdfast's; MLflow's clients see its number.
            #expect(versions.map { $0["version"]?.stringValue } == ["1", "14"])
        }
    }

    @Test func `an alias is compared and set by its tag`() async throws {
        try await withServer(servesMLflow: true) { client, _, registry in
            let path = "/api/2.0/mlflow/registered-models/alias"
            func set(_ alias: String, _ version: String, _ headers: [(String, String)]) async throws -> Client.Answer {
                try await client.post(path, #"{"name":"fraud","alias":"\#(alias)","version":"\#(version)"}"#, headers)
            }
            func get(_ alias: String, _ headers: [(String, String)] = []) async throws -> Client.Answer {
                try await client.get("\(path)?name=fraud&alias=\(alias)", headers)
            }
            #expect(try await set("live", "11", [("If-Match", "*")]).status == 412)
            let first = try await set("live", "11", [("If-None-Match", "*")])
            #expect(first.status == 200)
            let read = try #require(try await get("live").headers["etag"])
            #expect(read.hasPrefix(first.headers["etag"]?.dropLast() ?? "none"))
            #expect(try await get("live", [("If-None-Match", "\"1\", \(read)")]).status == 304)
            #expect(try await set("live", "12", [("If-None-Match", "*")]).status == 412)
            #expect(try await set("live", "12", [("If-Match", read)]).status == 200)
            let late = try await set("live", "13", [("If-Match", read)])
            #expect(late.status == 412 && late.body.contains("RESOURCE_CONFLICT") && late.body.contains("version '12'"))
            #expect(try await set("live", "13", [("If-Match", "soon")]).status == 400)
            #expect(try await set("live", "13", [("If-Match", "\"soon\"")]).status == 412)
            // What the answer says of the version changes without the alias.
            let moved = try #require(try await get("live").headers["etag"])
            _ = try await client.post(
                "/api/2.0/mlflow/model-versions/set-tag", #"{"name":"fraud","version":"12","key":"a","value":"b"}"#)
            #expect(try await get("live", [("If-None-Match", moved)]).status == 200)
            #expect(try await set("live", "13", [("If-Match", moved)]).status == 200)
            let gone = try await client.send(
                "DELETE", path, [("If-Match", moved)], body: #"{"name":"fraud","alias":"live"}"#)
            #expect(gone.status == 412)
            // A protected champion: a promotion, by the same comparison.
            let champion = try #require(try await get("champion").headers["etag"])
            #expect(try await set("champion", "11", [("If-Match", read)]).status == 412)
            #expect(try await set("champion", "11", [("If-Match", champion)]).status == 200)
            #expect(try await registry.champion(model: "fraud").champion?.version == "11")
            #expect(try await set("champion", "12", []).status == 200, "without a header the last one wins")
        }
    }

    @Test func `the audit trail names the token, and after it the user beside a client's password`() async throws {
        try await withServer(tokens: ["second"], servesMLflow: true) { client, _, registry in
            let answer = try await client.post(
                "/api/2.0/mlflow/registered-models/create", #"{"name":"new"}"#,
                [("Authorization", "Basic YW5uOnNlY29uZA==")])
            #expect(answer.status == 200)
            #expect(try await registry.audit(limit: 1).first?.actor == "mlflow:admin as ann")
        }
    }
}
