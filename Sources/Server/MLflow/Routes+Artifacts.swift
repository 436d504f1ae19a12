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
                    .init(status: 404, about: "No such artifact"),
                ]
            ) { call in
                try await answering(call, backend) { try await send(try ArtifactPath(try call.named("path")), api) }
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
                return try await send(try await api.artifactPath(below, of: try owner(call, query)), api)
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

    private static func send(_ path: ArtifactPath, _ api: MLflowAPI) async throws -> Response {
        let artifact = try await api.artifact(path)
        let headers: HTTPFields = [
            .contentType: path.mediaType, .eTag: "\"\(artifact.sha256)\"", .cacheControl: "no-cache",
            .contentDisposition: path.disposition,
        ]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(contentLength: Int(artifact.size)) { writer in
                while true {
                    let piece = try await api.next(artifact)
                    if piece.isEmpty { break }
                    try await writer.write(ByteBuffer(bytes: piece))
                }
                try await writer.finish(nil)
            })
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
