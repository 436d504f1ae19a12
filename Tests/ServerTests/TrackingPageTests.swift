import Events
import Foundation
import Registry
import Testing
import Values

@testable import Server

/// The pages that the links lead to which MLflow's client prints.
struct TrackingPageTests {
    private static let hostile = "<script>alert(1)</script>\"'"

    private static func post(_ client: Client, _ path: String, _ body: JSON) async throws -> JSON {
        try JSON(parsing: try await client.post("/api/2.0/mlflow/\(path)", body.text).body.utf8)
    }

    /// A run with a little of everything; its name and all it holds are hostile.
    private static func run(_ client: Client) async throws -> String {
        let made = try await post(
            client, "runs/create",
            .members(("experiment_id", "0"), ("run_name", .string(hostile)), ("start_time", 1_770_000_000_000)))
        let run = made["run"]?["info"]?["run_id"]?.stringValue ?? ""
        let metrics = (0..<30).map { step in
            JSON.members(
                ("key", "loss"), ("value", .number(-1 - Double(step))), ("timestamp", 1), ("step", .int(step)))
        }
        _ = try await post(
            client, "runs/log-batch",
            .members(
                ("run_id", .string(run)), ("metrics", .array(metrics)),
                ("params", .array([.members(("key", "depth"), ("value", .string(hostile)))])),
                ("tags", .array([.members(("key", "team"), ("value", .string(hostile)))]))))
        _ = try await client.send(
            "PUT", "/api/2.0/mlflow-artifacts/artifacts/0/\(run)/artifacts/notes/a%20b.txt", body: "text")
        _ = try await post(client, "registered-models/create", ["name": "risk"])
        _ = try await post(
            client, "model-versions/create",
            .members(("name", "risk"), ("source", "s3://b/1"), ("run_id", .string(run))))
        return run
    }

    @Test func `a run's page shows its curve, what it was given and what came of it`() async throws {
        try await withServer(servesMLflow: true) { client, _, _ in
            let run = try await Self.run(client)
            let page = try await client.get("/runs/\(run)")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            for text in [
                run, "loss over its steps", "−30", "step 29", "depth", "href=\"/registry/risk\"",
                "/v1/models/risk/versions/1/lineage", "?path=notes", "href=\"/experiments/0\"", "running",
            ] { #expect(page.body.contains(text), "\(text)") }
            #expect(!page.body.contains("<script") && page.body.contains(Markup.escape(Self.hostile)))
            let folder = try await client.get("/runs/\(run)?path=notes")
            let link = "/get-artifact?run_id=\(run)&amp;path=notes%2Fa%20b.txt"
            #expect(folder.body.contains(link))
            #expect(try await client.get(link.replacing("&amp;", with: "&")).body == "text")
        }
    }

    @Test func `an experiment's runs are sorted by what is asked for, and the page says by what`() async throws {
        try await withServer(servesMLflow: true) { client, _, _ in
            var runs: [String] = []
            for value in [2, 3, 1] {
                let made = try await Self.post(client, "runs/create", ["experiment_id": "0", "start_time": 1])
                let run = made["run"]?["info"]?["run_id"]?.stringValue ?? ""
                _ = try await Self.post(
                    client, "runs/log-metric",
                    .members(("run_id", .string(run)), ("key", "m 1"), ("value", .int(value)), ("timestamp", 1)))
                runs.append(run)
            }
            func order(_ query: String) async throws -> [Int] {
                let body = try await client.get("/experiments/0?\(query)").body
                let places = runs.enumerated().compactMap { i, run in
                    body.range(of: "/runs/\(run)").map { (i, $0.lowerBound) }
                }
                return places.sorted { $0.1 < $1.1 }.map(\.0)
            }
            #expect(try await order("order=metrics.%60m%201%60%20DESC") == [1, 0, 2])
            #expect(try await order("order=metrics.%60m%201%60%20ASC") == [2, 0, 1])
            #expect(try await order("filter=metrics.%60m%201%60%20%3E%201.5").sorted() == [0, 1])
            let page = try await client.get("/experiments/0?order=metrics.%60m%201%60%20DESC").body
            #expect(page.contains("order=metrics.%60m%201%60%20ASC") && page.contains("↓"))
            #expect(try await client.get("/experiments").body.contains("Default"))
        }
    }

    @Test func `pages of what is not there say so, and registered models have theirs without tracking`() async throws {
        try await withServer(servesMLflow: true) { client, _, _ in
            for path in ["/runs/nope", "/experiments/99", "/logged-models/m-1", "/registry/nobody"] {
                let answer = try await client.get(path)
                #expect(answer.status == 404, "\(path)")
            }
            #expect(try await client.get("/experiments/0?filter=garbage").status == 400)
            #expect(try await client.get("/").body.contains("href=\"/experiments\""))
        }
        try await withServer { client, _, _ in
            #expect(try await client.get("/experiments").status == 404)
            let page = try await client.get("/").body
            #expect(!page.contains("href=\"/experiments\""))
            #expect(try await client.get("/registry").body.contains("href=\"/registry/churn\""))
            let model = try await client.get("/registry/fraud").body
            #expect(model.contains("champion-1") && model.contains("quarantined"))
        }
    }

    @Test func `the client's addresses lead on from the first page, and nowhere else`() {
        // Run in a browser by hand; here, that every way out of it is a path of this server.
        let targets = PageAssets.script.split(separator: "location.replace(").dropFirst().map { $0.prefix(160) }
        #expect(targets.count == 2)
        #expect(targets.allSatisfy { $0.contains("\"/") && !$0.contains("http") })
    }
}
