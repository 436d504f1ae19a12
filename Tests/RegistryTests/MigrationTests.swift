import GRDB
import Testing
import Values

@testable import Registry

/// Files of before, brought up to date when they are opened.
struct MigrationTests {
    /// A version of a run, one at the run's own address, a copy of it, and one that the mirror took over.
    private static let old = """
        INSERT INTO registered_model (id, name, created_at, updated_at) VALUES (1, 'm', 0, 0);
        INSERT INTO run (uuid, experiment_id, name, user_id, status, artifact_uri)
        VALUES ('r1', 0, 'n', '', 'FINISHED', 'mlflow-artifacts:/0/r1/artifacts');
        INSERT INTO artifact (path, sha256, size, created_at) VALUES ('0/r1/artifacts/model/MLmodel', 'x', 1, 0);
        INSERT INTO model_version (model_id, number, version, source, created_at, updated_at) VALUES
        (1, 1, '1', 'runs:/r1/model', 0, 0), (1, 2, '2', 'mlflow-artifacts:/0/r1/artifacts/model', 0, 0),
        (1, 3, '3', 'models:/m/1', 0, 0), (1, 4, '4', 'models:/m-of-another-server', 0, 0);
        INSERT INTO audit (seq, model, action, actor, reason, detail, at, previous_hash, hash)
        VALUES (1, 'm', 'version.registered', 'mlflow', 'found on the MLflow server', '{"version":"4"}', 0, '', '');
        """

    @Test func `versions of before know what they were made from`() async throws {
        try await Fixture.withFile { path in
            let file = try DatabaseQueue(path: path)
            try Schema.migrator.migrate(file, upTo: "tracking 9 webhooks of clients")
            try await file.write { try $0.execute(sql: Self.old) }
            try file.close()
            let registry = try await Registry(path: path)
            #expect(try await registry.versions(model: "m").map(\.runID) == ["r1", "r1", "r1", nil])
            #expect(try await registry.gate(model: "m", version: "4", actor: "ann") == nil)
        }
    }
}
