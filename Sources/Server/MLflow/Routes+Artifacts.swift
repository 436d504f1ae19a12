import HTTPTypes
import Hummingbird
import MLflow
import NIOCore
import Values

/// MLflow's artifact proxy: bytes in and out, never more than a piece of them in memory.
extension Routes {
    private static let root = "/api/2.0/mlflow-artifacts/artifacts"

    static func artifacts(_ api: MLflowAPI, _ backend: Backend) -> [Route] {
        [
            Route(
                method: .get, path: root, summary: "The artifacts under a path, one level",
                answers: [.init(status: 200, about: "Files and folders")]
            ) { call in
                try await answering(call, backend) {
                    let asked = try Query(call.request.uri.query)["path"]
                    return .json(try await api.list(try ArtifactPath.folder(asked)))
                }
            },
            Route(
                method: .put, path: root + "/{path...}", summary: "Stores an artifact", body: [],
                answers: [
                    .init(status: 200, about: "Stored and on disk"),
                    .init(status: 400, about: "The path is wrong, or belongs to a finished model"),
                    .init(status: 404, about: "The run or the logged model that it names is not there"),
                ]
            ) { call in
                try await answering(call, backend) {
                    let path = try ArtifactPath(try call.named("path"))
                    try await api.store(path, limit: Limits.artifactBytes, Pieces(body: call.request.body))
                    return .json([:])
                }
            },
            Route(
                method: .get, path: root + "/{path...}", summary: "The bytes of an artifact",
                answers: [
                    .init(status: 200, about: "The bytes", type: "application/octet-stream"),
                    .init(status: 206, about: "The bytes of the range", type: "application/octet-stream"),
                    .init(status: 404, about: "No such artifact"),
                ]
            ) { call in
                try await answering(call, backend) {
                    try await send(try ArtifactPath(try call.named("path")), api, call.request.headers)
                }
            },
            download("/get-artifact", "An artifact of a run", "path", api, backend) { _, query in
                // Older pages and scripts call it by the name that runs had first.
                .run(try required("run_id", or: "run_uuid", query))
            },
            download("/model-versions/get-artifact", "An artifact of a version", "path", api, backend) { _, query in
                .version(model: try required("name", query), number: try required("version", query))
            },
            download(
                "/api/2.0/mlflow/logged-models/{id}/artifacts/files", "An artifact of a logged model",
                "artifact_file_path", api, backend
            ) { call, _ in .loggedModel(try call.named("id")) },
            Route(
                method: .delete, path: root + "/{path...}", summary: "Removes an artifact, or a folder of them",
                answers: [
                    .init(status: 200, about: "There is none now"),
                    .init(status: 400, about: "It belongs to a finished model"),
                ]
            ) { call in
                try await answering(call, backend) {
                    try await api.remove(try ArtifactPath(try call.named("path")))
                    return .json([:])
                }
            },
        ]
    }

    /// Downloads by owner and path, as MLflow's user interface and scripts ask for them.
    private static func download(
        _ path: String, _ summary: String, _ parameter: String, _ api: MLflowAPI, _ backend: Backend,
        owner: @escaping @Sendable (Call, Query) throws -> ArtifactOwner
    ) -> Route {
        Route(
            method: .get, path: path, summary: summary,
            answers: [
                .init(status: 200, about: "The bytes", type: "application/octet-stream"),
                .init(status: 404, about: "No such artifact"),
            ]
        ) { call in
            try await answering(call, backend) {
                let query = try Query(call.request.uri.query)
                let below = try ArtifactPath(try required(parameter, query))
                return try await send(
                    try await api.artifactPath(below, of: try owner(call, query)), api, call.request.headers)
            }
        }
    }

    private static func required(_ name: String, or old: String? = nil, _ query: Query) throws -> String {
        let given = [query[name], old.flatMap { query[$0] }].compactMap(\.self).first { !$0.isEmpty }
        guard let value = given else {
            throw MLflowError(.invalidParameterValue, "Missing value for required parameter '\(name)'.")
        }
        return value
    }

    private static func send(_ path: ArtifactPath, _ api: MLflowAPI, _ asked: HTTPFields) async throws -> Response {
        let artifact = try await api.artifact(path)
        let tag = "\"\(artifact.sha256)\""
        if let known = asked[.ifNoneMatch], isNamed(tag, in: known) {
            return Response(status: .notModified, headers: [.eTag: tag, .cacheControl: "no-cache"])
        }
        var headers: HTTPFields = [
            .contentType: path.mediaType, .eTag: tag, .cacheControl: "no-cache", .acceptRanges: "bytes",
            .contentDisposition: path.disposition,
        ]
        // What goes on after other bytes than these begins anew.
        let isSame = asked[.ifRange].map { $0 == tag } ?? true
        switch ByteRange(isSame ? asked[.range] : nil, size: artifact.size) {
        case .all: return Response(status: .ok, headers: headers, body: body(artifact, 0..<artifact.size, api))
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(artifact.size)"
            return Response(status: .partialContent, headers: headers, body: body(artifact, range, api))
        case .none:
            return Response(status: .rangeNotSatisfiable, headers: [.contentRange: "bytes */\(artifact.size)"])
        }
    }

    /// Whether `If-None-Match` holds a tag; weak ones count here.
    private static func isNamed(_ tag: String, in header: String) -> Bool {
        header.split(separator: ",").contains { item in
            let item = item.drop { $0 == " " }
            return item == "*" || item == tag || item == "W/\(tag)"
        }
    }

    private static func body(_ artifact: MLflowAPI.Artifact, _ range: Range<Int64>, _ api: MLflowAPI) -> ResponseBody {
        ResponseBody(contentLength: Int(range.count)) { writer in
            try await api.start(artifact, at: range.lowerBound)
            var left = range.count
            while left > 0 {
                let piece = try await api.next(artifact)
                if piece.isEmpty { break }
                try await writer.write(ByteBuffer(bytes: piece.prefix(left)))
                left -= min(left, piece.count)
            }
            try await writer.finish(nil)
        }
    }
}

/// A request's body as pieces of bytes.
private struct Pieces: AsyncSequence, Sendable {
    let body: RequestBody

    struct Iterator: AsyncIteratorProtocol {
        var base: RequestBody.AsyncIterator

        mutating func next() async throws -> [UInt8]? {
            try await base.next().map { Array($0.readableBytesView) }
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(base: body.makeAsyncIterator()) }
}
