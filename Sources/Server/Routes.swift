import HTTPTypes
import Hummingbird
import Values

/// The one table of everything that can be asked.
enum Routes {
    static func all(_ backend: Backend) -> [Route] {
        let described =
            pages(backend) + health(backend) + events(backend) + models(backend) + alerts(backend) + champion(backend)
            + changes(backend) + fleet(backend) + mlflow(backend) + tracking(backend) + silences(backend)
        return described + [openAPI(describing: described)]
    }

    private static func health(_ backend: Backend) -> [Route] {
        [
            Route(
                method: .get, path: "/healthz", access: .open, summary: "Whether the process answers",
                answers: [.init(status: 200, about: "It does")]
            ) { _ in .json(["status": "ok"]) },
            Route(
                method: .get, path: "/readyz", access: .open, summary: "Whether the service can do its work",
                answers: [.init(status: 200, about: "It can"), .init(status: 503, about: "Not yet, with the reasons")]
            ) { _ in
                let reasons = await backend.service.notReady()
                guard !reasons.isEmpty else { return .json(["status": "ok"]) }
                return .json(
                    .members(("status", "not ready"), ("reasons", .array(reasons.map { .string($0) }))),
                    status: .serviceUnavailable)
            },
            Route(
                method: .get, path: "/metrics", summary: "Everything measured, for Prometheus",
                answers: [.init(status: 200, about: "Text exposition", type: "text/plain")]
            ) { _ in Response(await backend.service.metrics().utf8, type: ContentType.metrics) },
        ]
    }

    private static func events(_ backend: Backend) -> [Route] {
        [
            Route(
                method: .post, path: "/v1/events",
                summary: "Takes predictions and labels: one event, an array, or JSON lines",
                body: [],
                answers: [
                    .init(
                        status: 200, about: "Stored; rejected events are counted, the first thousand listed with why"),
                    .init(status: 400, about: "None could be used"), .init(status: 413, about: "More than 32 MiB"),
                    .init(status: 503, about: "Not stored: send the same again after Retry-After"),
                ]
            ) { call in
                let body = try await call.bytes(upTo: Limits.eventBytes)
                let result: IngestResult
                do {
                    result = try await backend.service.ingest(body)
                } catch let error where !(error is CancellationError) && !(error is Failure) {
                    let failure = Failure.later(
                        "unavailable", "nothing was stored, send the same again: \(error)", seconds: 5)
                    backend.telemetry.failed("POST", "/v1/events", failure, cause: String(describing: error))
                    throw failure
                }
                let nothing = result.accepted == 0 && !result.rejected.isEmpty
                return .json(result.json, status: nothing ? .badRequest : .ok)
            }
        ]
    }

    private static func alerts(_ backend: Backend) -> [Route] {
        [
            Route(
                method: .get, path: "/v1/alerts", summary: "Open alerts, then the newest resolved ones",
                query: [
                    .init(name: "model", about: "Only of this model"),
                    .init(name: "resolved", about: "How many resolved ones, 20 unless told", type: "integer"),
                ],
                answers: [
                    .init(status: 200, about: "Lines of alerts.jsonl as objects"),
                    .init(status: 400, about: "A parameter is wrong"),
                ]
            ) { call in
                let resolved = try call.query.int("resolved", in: 0...Limits.resolvedAlerts, default: 20)
                let lines = try await backend.service.alerts(model: call.query["model"], resolved: resolved)
                return Response(
                    JSONLines.document("alerts", lines.map { Array($0.utf8)[...] }), type: ContentType.json)
            }
        ]
    }
}

extension IngestResult {
    fileprivate var json: JSON {
        .members(
            ("accepted", .int(accepted)),
            (
                "rejected",
                .array(
                    rejected.map {
                        .members(
                            ("index", .int($0.index)), ("reason", .string($0.reason)), ("detail", .string($0.detail)))
                    })
            ), ("rejected_total", .int(rejectedTotal)))
    }
}

/// Lines that are JSON already are put into a document as they are, byte for byte.
enum JSONLines {
    static func document(_ key: String, _ lines: [ArraySlice<UInt8>]) -> [UInt8] {
        var out = [UInt8]("{\"\(key)\":[".utf8)
        out.reserveCapacity(lines.reduce(out.count + 3) { $0 + $1.count + 1 })
        var isFirst = true
        for line in lines where !line.isEmpty {
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            out += line
        }
        out += "]}".utf8
        return out
    }
}
