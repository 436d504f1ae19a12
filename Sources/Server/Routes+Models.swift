import HTTPTypes
import Hummingbird
import Statistics
import Values

/// Models and their snapshots.
extension Routes {
    static func models(_ backend: Backend) -> [Route] {
        [
            Route(
                method: .get, path: "/v1/models", summary: "The models that are watched, and their latest windows",
                answers: [.init(status: 200, about: "All models")]
            ) { _ in
                let models = await backend.service.models()
                return .json(["models": .array(models.map(\.json))])
            },
            Route(
                method: .get, path: "/v1/models/{model}/snapshots",
                summary: "What was found in closed windows: one object per version, segment and column",
                query: [
                    .init(name: "column", about: "Only of this column"),
                    .init(
                        name: "segment",
                        about: "Only of this segment: country=BR,device=web; empty for all traffic; "
                            + "a JSON object where values hold commas"),
                    .init(name: "from", about: "Windows that end after this time"),
                    .init(name: "to", about: "Windows that end at this time or before"),
                    .init(name: "limit", about: "The newest windows, 24 unless told", type: "integer"),
                    .init(
                        name: "format", about: "json, or jsonl for JSON lines (as does Accept: application/x-ndjson)"),
                ],
                answers: [
                    .init(status: 200, about: "Lines of snapshots.jsonl, oldest first"),
                    .init(status: 400, about: "A parameter is wrong"), .init(status: 404, about: "No such model"),
                ]
            ) { try await snapshots($0, backend) },
        ]
    }

    private static func snapshots(_ call: Call, _ backend: Backend) async throws -> Response {
        let model = try call.named("model")
        let asLines = try wantsLines(call)
        let from = try call.query.time("from")
        let to = try call.query.time("to")
        if let from, let to, from >= to { throw Failure.invalid("parameter 'from' must be before 'to'") }
        let segment = try call.query.segment("segment")
        let limit = try call.query.int("limit", in: 1...Limits.snapshotWindows, default: 24)
        _ = try await watched(call, backend)
        let lines = try await backend.service.snapshots(
            model: model, column: call.query["column"], segment: segment, from: from, to: to, limit: limit)
        if asLines { return Response(lines, type: ContentType.jsonLines) }
        return Response(
            JSONLines.document("snapshots", lines.split(separator: UInt8(ascii: "\n"))), type: ContentType.json)
    }

    /// The model that a call names.
    static func watched(_ call: Call, _ backend: Backend) async throws -> ModelOverview {
        let model = try call.named("model")
        let models = await backend.service.models()
        guard let found = models.first(where: { $0.name == model }) else {
            throw Failure(
                .notFound, "not_found",
                "model '\(model)' is not watched: "
                    + (models.isEmpty ? "none is" : "these are: \(models.map(\.name).sorted().joined(separator: ", "))")
            )
        }
        return found
    }

    private static func wantsLines(_ call: Call) throws -> Bool {
        switch call.query["format"] {
        case "jsonl": return true
        case "json": return false
        case nil:
            let accept = call.request.headers[.accept]?.lowercased() ?? ""
            return accept.contains(ContentType.jsonLines) || accept.contains("application/jsonl")
        case .some(let other): throw Failure.invalid("parameter 'format' is '\(other)': use json or jsonl")
        }
    }
}

extension ModelOverview {
    var json: JSON {
        .members(
            ("name", .string(name)), ("task", .string(task)),
            ("versions", .array(versions.map { .string($0) })),
            (
                "reference",
                .members(("name", .string(referenceName)), ("rows", .integer(Int64(clamping: referenceRows))))
            ),
            ("window", window.map { .members(("start", .time($0.start)), ("end", .time($0.end))) } ?? .null),
            ("window_size", .string(windowSize.description)), ("rows", .integer(Int64(clamping: rows))),
            ("watermark", watermark.map { .time($0) } ?? .null), ("late_rows", .integer(Int64(clamping: lateRows))),
            ("columns", .array(columns.map(\.json))), ("labels", labels?.json))
    }
}

extension ModelOverview.Column {
    fileprivate var json: JSON {
        .members(
            ("name", .string(name)), ("kind", .string(kind)),
            ("metrics", .object(metrics.present.map { JSON.Member($0.metric.name, .number($0.value)) })),
            (
                "worst_segment",
                worstSegment.map { .members(("segment", $0.segment.json), ("psi", .number($0.psi))) } ?? .null
            ))
    }
}
