import Events
import Foundation
import MLflow
import Registry
import Testing
import Values

/// Artifacts: names are keys, bytes are files called by their digest, finished models stay as they are.
struct ArtifactTests {
    /// CVE-2023-1177, -2356, -2780, -6831, CVE-2024-1560: every way out of a folder that was ever found in MLflow.
    @Test(arguments: [
        "../secret", "a/../../secret", "..", ".", "a/./b", "/etc/passwd", "//etc/passwd", "a//b", "a/", "", "a\\..\\b",
        "\\..\\secret", "..\\secret", "%2e%2e/secret", "a/%2e%2e%2f%2e%2e%2fsecret", "%252e%252e/secret", "a%00b",
        "a\u{0}b",
        "a\nb", "C:/windows", "file:///etc/passwd", "a/..", "%5c..%5csecret", "mlflow-artifacts:/0/x",
        // A slash with a combining mark is one character, and two parts all the same.
        "a/../\u{301}b", "../\u{301}b", "/\u{301}b", "./\u{301}b", "C:\u{301}/x",
    ])
    func `no path leads anywhere`(path: String) {
        #expect(throws: MLflowError.self) { try ArtifactPath(path) }
    }

    @Test(arguments: ["a", "a/b.txt", "0/abc/artifacts/model/MLmodel", "a b/ü/100%.txt", "..a/b..", "a/b:c"])
    func `ordinary names are names`(path: String) throws {
        #expect(try ArtifactPath(path).text == path)
    }

    /// CVE-2023-1177, CVE-2025-11201, CVE-2026-2614: a version whose source is a path of the server.
    @Test(arguments: [
        "/etc/passwd", "file:///etc/passwd", "FILE:/etc", "etc/passwd", "../x", "c:\\windows", "mlflow-artifacts:/../x",
        "mlflow-artifacts:/%2e%2e/x", "mlflow-artifacts:/%252e%252e%252fx", "s3://b/..%2f..%2fx", "http://h/a/../../b",
        "runs:/abc/../../x", "models:/m-1/../x", "s3://b/a\u{0}", "\\\\host\\share", "http://h?x=/../y",
        "mlflow-artifacts:/a/%25252525252525252e%2e/", "s3://b/a/../\u{301}x", "s3://b/a/..%2F%CC%81x",
    ])
    func `a source that could be a file of a server is refused`(source: String) async throws {
        let rig = try await Rig()
        try await rig.call("POST", "registered-models/create", ["name": "m"])
        let error = try await refusal {
            try await rig.call("POST", "model-versions/create", .members(("name", "m"), ("source", .string(source))))
        }
        #expect(error?.code == .invalidParameterValue)
        #expect(try await rig.registry.versions(model: "m").isEmpty)
    }

    @Test(arguments: [
        "s3://bucket/a", "gs://b/c", "runs:/abc/model", "models:/m-1", "mlflow-artifacts:/0/x/artifacts/m",
    ])
    func `other addresses are kept as text`(source: String) async throws {
        let rig = try await Rig()
        try await rig.call("POST", "registered-models/create", ["name": "m"])
        try await rig.call("POST", "model-versions/create", .members(("name", "m"), ("source", .string(source))))
        let query = [(name: "name", value: "m"), (name: "version", value: "1")]
        #expect(
            try await rig.call("GET", "model-versions/get", query: query)["model_version"]?["source"] == .string(source)
        )
    }

    @Test func `the same bytes are kept once, under their digest`() async throws {
        let rig = try await Rig()
        try await rig.store("0/x/a.txt", "hello")
        try await rig.store("0/y/b.txt", "hello")
        try await rig.store("0/y/a", "")
        #expect(try await rig.text("0/x/a.txt") == "hello")
        #expect(try await rig.text("0/y/a") == "")
        let files = FileManager.default.enumerator(atPath: rig.folder.path)?.compactMap { $0 as? String } ?? []
        #expect(
            Set(files.filter { $0.count > 60 }.map { String($0.dropFirst(3)) }) == [
                "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ])
        #expect(!files.contains { $0.hasSuffix(".txt") || $0.contains("incoming/") })
    }

    @Test func `a listing shows one level, folders and files apart`() async throws {
        let rig = try await Rig()
        for path in ["d/b/x", "d/b/y", "d/b-c", "d/a", "d/b0", "e"] { try await rig.store(path, path) }
        let listed = try await rig.api.list(try ArtifactPath("d"))["files"]?.arrayValue ?? []
        #expect(listed.compactMap { $0["path"]?.stringValue } == ["a", "b", "b-c", "b0"])
        #expect(listed.map { $0["is_dir"] == .bool(true) } == [false, true, false, false])
        #expect(listed[0]["file_size"] == 3)
        #expect(try await rig.api.list(nil)["files"]?.arrayValue?.count == 2)
        #expect(try await rig.api.list(try ArtifactPath("nowhere"))["files"] == [])
        // Clients write `.` for a folder itself.
        for folder in ["d/.", "./d", "d"] {
            #expect(try await rig.api.list(try ArtifactPath.folder(folder))["files"]?.arrayValue?.count == listed.count)
        }
        for top in [nil, "", ".", "./."] { #expect(try ArtifactPath.folder(top) == nil) }
        #expect(throws: MLflowError.self) { try ArtifactPath.folder("d/..") }
        try await rig.api.remove(try ArtifactPath("d/b"))
        #expect(try await refusal { _ = try await rig.text("d/b/x") }?.code == .resourceDoesNotExist)
        #expect(try await rig.text("d/b-c") == "d/b-c")
    }

    /// CVE-2026-2651: artifacts of others were overwritten.
    @Test func `what a finished model consists of stays`() async throws {
        let rig = try await Rig()
        let model = try await rig.call("POST", "logged-models", .members(("experiment_id", "0"), ("name", "m")))[
            "model"]
        let id = model?["info"]?["model_id"]?.stringValue ?? ""
        let root = "0/models/\(id)/artifacts"
        #expect(model?["info"]?["artifact_uri"] == .string("mlflow-artifacts:/\(root)"))
        try await rig.store("\(root)/MLmodel", "one")
        try await rig.store("\(root)/MLmodel", "two")
        try await rig.call("PATCH", "logged-models/\(id)", ["status": "LOGGED_MODEL_READY"])
        try await rig.store("\(root)/MLmodel", "two")
        for (path, text) in [("MLmodel", "three"), ("more", "x")] {
            let error = try await refusal { try await rig.store("\(root)/\(path)", text) }
            #expect(error?.code == .invalidParameterValue && error?.message.contains("cannot be changed") == true)
        }
        #expect(try await refusal { try await rig.api.remove(try ArtifactPath("0/models")) } != nil)
        #expect(try await rig.text("\(root)/MLmodel") == "two")
    }

    @Test func `a version carries the digest of its manifest and freezes its folder`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        try await rig.store("0/\(run)/artifacts/model/b", "beta")
        try await rig.store("0/\(run)/artifacts/model/a", "alpha")
        try await rig.call("POST", "registered-models/create", ["name": "m"])
        try await rig.call(
            "POST", "model-versions/create",
            .members(
                ("name", "m"), ("source", .string("mlflow-artifacts:/0/\(run)/artifacts/model")),
                ("run_id", .string(run))))
        let version = try await rig.registry.version(model: "m", "1")
        // printf alpha > a; printf beta > b; sha256sum a b | sha256sum
        #expect(
            version.tags["holdfast.digest.sha256"]
                == "df8f8912cf5f1d211174727fbcd9b50ca69eb7d4c8703c7967bf6dd811f3a40b")
        #expect(try await refusal { try await rig.store("0/\(run)/artifacts/model/a", "x") } != nil)
        try await rig.store("0/\(run)/artifacts/notes", "free")
    }

    @Test func `a combining mark after a slash leads into no finished model, and is listed where it is`() async throws {
        let rig = try await Rig()
        let model = try await rig.call("POST", "logged-models", .members(("experiment_id", "0"), ("name", "m")))
        let id = model["model"]?["info"]?["model_id"]?.stringValue ?? ""
        let root = "0/models/\(id)/artifacts"
        try await rig.store("\(root)/\u{301}a/b", "one")
        let listed = try await rig.api.list(try ArtifactPath(root))["files"]?.arrayValue ?? []
        #expect(listed.map { $0["path"] } == ["\u{301}a"] && listed.first?["is_dir"] == .bool(true))
        try await rig.call("PATCH", "logged-models/\(id)", ["status": "LOGGED_MODEL_READY"])
        #expect(try await refusal { try await rig.store("\(root)/\u{301}evil", "x") } != nil)
    }

    /// CVE-2026-2651 by the way of the model's own state.
    @Test func `a model that was ready may be called failed, and its files stay what they were`() async throws {
        let rig = try await Rig()
        let model = try await rig.call("POST", "logged-models", .members(("experiment_id", "0"), ("name", "m")))
        let id = model["model"]?["info"]?["model_id"]?.stringValue ?? ""
        let file = "0/models/\(id)/artifacts/model.pkl"
        try await rig.store(file, "good")
        try await rig.call("PATCH", "logged-models/\(id)", ["status": "LOGGED_MODEL_READY"])
        for status in ["LOGGED_MODEL_PENDING", "LOGGED_MODEL_UPLOAD_FAILED"] {
            let answer = try await rig.call("PATCH", "logged-models/\(id)", .members(("status", .string(status))))
            #expect(answer["model"]?["info"]?["status"]?.stringValue == status)
            #expect(try await refusal { try await rig.store(file, "bad") } != nil, "\(status)")
        }
        try await rig.call("PATCH", "logged-models/\(id)", ["status": "LOGGED_MODEL_READY"])
        try await rig.call("POST", "registered-models/create", ["name": "r"])
        try await rig.call(
            "POST", "model-versions/create", .members(("name", "r"), ("source", .string("models:/\(id)"))))
        try await rig.call("DELETE", "logged-models/\(id)")
        #expect(try await refusal { try await rig.store(file, "bad") } != nil)
        #expect(try await refusal { try await rig.api.remove(try ArtifactPath(file)) } != nil)
        #expect(try await rig.text(file) == "good")
    }

    @Test(arguments: [
        "runs:/RUN/model", "mlflow-artifacts://host/0/RUN/artifacts/model", "mlflow-artifacts:/0/RUN/artifacts//model/",
    ])
    func `however a version names its folder, it is frozen`(source: String) async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        try await rig.store("0/\(run)/artifacts/model/a", "alpha")
        try await rig.call("POST", "registered-models/create", ["name": "m"])
        try await rig.call(
            "POST", "model-versions/create",
            .members(("name", "m"), ("source", .string(source.replacing("RUN", with: run))), ("run_id", .string(run))))
        #expect(try await rig.registry.version(model: "m", "1").tags["holdfast.digest.sha256"] != nil)
        #expect(try await refusal { try await rig.store("0/\(run)/artifacts/model/a", "x") } != nil)
        #expect(try await refusal { try await rig.api.remove(try ArtifactPath("0/\(run)/artifacts")) } != nil)
        try await rig.store("0/\(run)/artifacts/notes", "free")
    }

    @Test func `a name is a file or a folder, not both`() async throws {
        let rig = try await Rig()
        try await rig.store("top/c", "file")
        for path in ["top/c/d", "top/c/d/e"] {
            let error = try await refusal { try await rig.store(path, "below") }
            #expect(error?.code == .invalidParameterValue && error?.message.contains("'top/c' is a file") == true)
        }
        try await rig.store("top/f/g", "below")
        let error = try await refusal { try await rig.store("top/f", "file") }
        #expect(error?.code == .invalidParameterValue && error?.message.contains("it is a folder") == true)
        // Names beside them are no matter.
        try await rig.store("top/c-1", "x")
        try await rig.store("top/c", "again")
        #expect(try await rig.text("top/c") == "again")
    }

    @Test func `nothing is stored for a run or a model that is not there`() async throws {
        let rig = try await Rig()
        let run = try await rig.run()
        let made = try await rig.call("POST", "logged-models", .members(("experiment_id", "0"), ("name", "m")))
        let model = made["model"]?["info"]?["model_id"]?.stringValue ?? ""
        func code(_ path: String) async throws -> MLflowError.Code? {
            try await refusal { try await rig.store(path, "x") }?.code
        }
        let (unknown, none) = (String(repeating: "f", count: 32), String(repeating: "e", count: 32))
        for path in [
            "0/\(unknown)/artifacts/x", "0/nope/artifacts/x", "0/models/m-\(none)/artifacts/x", "x/\(none)/artifacts/y",
        ] {
            #expect(try await code(path) == .resourceDoesNotExist, "\(path)")
        }
        #expect(try await code("1/\(run)/artifacts/x") == .invalidParameterValue, "not where the run's artifacts are")
        for path in ["0/\(run)/artifacts/x", "0/models/\(model)/artifacts/x", "0/traces/t/artifacts/x", "a/b/c"] {
            #expect(try await code(path) == nil, "\(path)")
        }
        try await rig.call("POST", "runs/delete", .members(("run_id", .string(run))))
        try await rig.call("DELETE", "logged-models/\(model)")
        #expect(try await code("0/\(run)/artifacts/y") == .invalidParameterValue)
        #expect(try await code("0/models/\(model)/artifacts/y") == .resourceDoesNotExist)
        // What is there is still read, and cleaned up.
        #expect(try await rig.text("0/\(run)/artifacts/x") == "x")
        try await rig.api.remove(try ArtifactPath("0/\(run)/artifacts"))
        try await rig.call("POST", "runs/restore", .members(("run_id", .string(run))))
        #expect(try await code("0/\(run)/artifacts/y") == nil)
    }

    @Test func `too large a body leaves nothing behind`() async throws {
        let rig = try await Rig()
        let error = try await refusal {
            try await rig.api.store(
                try ArtifactPath("big"), limit: 10, Once(bytes: [UInt8](repeating: 1, count: 3_000)))
        }
        #expect(error?.code == .invalidParameterValue)
        #expect(try FileManager.default.contentsOfDirectory(atPath: rig.folder.path + "/incoming").isEmpty)
    }
}
