import GRDB
import Registry
import Values

/// What has artifacts of its own; clients name them by paths below it.
package enum ArtifactOwner: Sendable {
    case run(String)
    case loggedModel(String)
    case version(model: String, number: String)

    /// The address that the owner's artifacts are at.
    fileprivate func root(_ db: Database) throws -> String {
        switch self {
        case .run(let uuid): return try Run.find(db, uuid)["artifact_uri"]
        case .loggedModel(let uuid): return try LoggedModel.find(db, uuid)["artifact_uri"]
        case .version(let model, let number):
            return try ModelVersionRow.address(try ModelVersionRow.find(db, model, ModelVersionRow.number(number)), db)
        }
    }

    /// The name its artifacts begin with.
    fileprivate func base(_ db: Database) throws -> (root: String, name: String) {
        let root = try root(db)
        guard let name = ArtifactLocation.path(root), !name.isEmpty else {
            throw MLflowError.invalid("The artifacts are not kept here but at \(root): read them there")
        }
        return (root, name)
    }
}

extension MLflowAPI {
    /// The name of an artifact that a client calls by its owner and the path below.
    package func artifactPath(_ below: ArtifactPath, of owner: ArtifactOwner) async throws -> ArtifactPath {
        try await Self.translating {
            try await read { try ArtifactPath("\(owner.base($0).name)/\(below.text)") }
        }
    }

    fileprivate func list(_ owner: ArtifactOwner, _ below: String?) async throws -> JSON {
        let path = try ArtifactPath.folder(below)
        return try await read { db in
            let base = try owner.base(db)
            let prefix = path.map { "\(base.name)/\($0.text)" } ?? base.name
            let files = try Artifacts.list(db, under: prefix).map { file in
                file.view(path: path.map { "\($0.text)/\(file.name)" } ?? file.name)
            }
            return .members(("root_uri", .string(base.root)), ("files", files.isEmpty ? nil : .array(files)))
        }
    }
}

extension Endpoint {
    static let listings: [Endpoint] = [
        Endpoint("GET", "artifacts/list", "The artifacts of a run, one level") { api, call in
            try await api.list(.run(try Run.uuid(call.fields)), try call.fields.text("path"))
        },
        Endpoint(
            "GET", "logged-models/{id}/artifacts/directories", "The artifacts of a logged model, one level"
        ) { api, call in
            try await api.list(
                .loggedModel(call.path["id"] ?? ""), try call.fields.text("artifact_directory_path"))
        },
    ]
}
