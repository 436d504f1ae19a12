import Foundation
import TestSupport
import Testing

/// Gates, references and records of the registry from the command line.
struct RegistryCommandTests {
    private static func configuration(_ workspace: Workspace, reference: String) throws -> String {
        try workspace.write("rules.yaml", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: psi > 0.2}\n")
        return try workspace.write(
            "holdfast.yaml",
            """
            state: state
            models:
              - name: pay
                reference: \(reference)
                segments: [country]
                window: {pane: 10m, size: 1h, every: 30m, lateness: 5m}
                promotion:
                  require:
                    - {metric: aupr, dataset: holdout, min: 0.8}
                  better_than_champion: {metric: aupr, dataset: holdout, by: 0.005, confidence: 0.95}
                  approvals: 1
            rules: [rules.yaml]
            """)
    }

    @Test("a gate of the configuration refuses, is met step by step, and is passed")
    func gate() async throws {
        let workspace = try Workspace()
        _ = try await StreamFixture.make(workspace, count: 10)
        let file = try Self.configuration(workspace, reference: "pay.json")
        func run(_ arguments: String...) async throws -> (status: Int32, text: String) {
            try await HoldfastProcess.run(["registry"] + arguments + ["--config", file])
        }
        for version in ["1", "2"] {
            #expect(try await run("register", "pay", "--version", version, "--source", "s3://\(version)").status == 0)
        }
        let refused = try await run("promote", "pay", "1")
        #expect(refused.status == 1 && refused.text.contains("not measured") && refused.text.contains("nobody"))
        #expect(try await run("gate", "pay", "1").status == 1)
        #expect(try await run("measure", "pay", "1", "aupr=0.82~0.002", "--dataset", "holdout").status == 0)
        #expect(try await run("approve", "pay", "1", "--actor", "ann").status == 0)
        #expect(try await run("promote", "pay", "1", "--actor", "maria").status == 0)
        #expect(try await run("measure", "pay", "2", "aupr=0.822~0.002", "--dataset", "holdout").status == 0)
        #expect(try await run("approve", "pay", "2", "--actor", "ann").status == 0)
        let close = try await run("promote", "pay", "2", "--actor", "maria")
        #expect(close.status == 1 && close.text.contains("beyond the margin"), "\(close.text)")
        #expect(try await run("promote", "pay", "2", "--force").status == 2, "force needs a reason")
        let forced = try await run("promote", "pay", "2", "--force", "--reason", "the old one is wrong")
        #expect(forced.status == 0, "\(forced.text)")
        #expect(try await run("audit", "pay").text.contains("promotion.forced"))
        #expect(try await run("lineage", "pay", "2").text.contains(#""outcome":"forced""#))
        #expect(try await run("delete", "pay", "2").status == 1)
        #expect(try await run("history", "pay", "--alias", "champion").text.contains("maria"))
        let intact = try await run("audit", "--verify")
        #expect(intact.status == 0 && intact.text.hasPrefix("intact: "), "\(intact.text)")
    }

    @Test("a registry that is missing or empty is not called intact, nor made")
    func nothingToVerify() async throws {
        let workspace = try Workspace()
        let state = workspace.path("state")
        let missing = try await HoldfastProcess.run(["registry", "audit", "--verify", "--state", state])
        #expect(missing.status == 1 && missing.text.contains("does not exist"), "\(missing.text)")
        #expect(!FileManager.default.fileExists(atPath: state))
        #expect(try await HoldfastProcess.run(["registry", "list", "--state", state]).status == 0)
        let empty = try await HoldfastProcess.run(["registry", "audit", "--verify", "--state", state])
        #expect(empty.status == 1 && empty.text.contains("holds no entries"), "\(empty.text)")
    }

    @Test("what a purge leaves is told, and names are printed as text")
    func purge() async throws {
        let workspace = try Workspace()
        func run(_ arguments: String...) async throws -> (status: Int32, text: String) {
            try await HoldfastProcess.run(["registry"] + arguments + ["--state", workspace.path("state")])
        }
        let source = "s3://b/\u{9b}31mred\u{202e}"
        #expect(try await run("register", "pay", "--version", "1", "--source", source).status == 0)
        #expect(try await run("delete", "pay", "1").status == 0)
        let folder = workspace.path("state/artifacts/ab")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let name = "ab" + String(repeating: "0", count: 62)
        #expect(FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: Data("bytes".utf8)))
        let told = try await run("purge", "--older-than", "0s").text
        #expect(!told.contains("\u{9b}") && !told.contains("\u{202e}"), "\(told)")
        #expect(told.contains("\\u{9b}31mred\\u{202e}"), "\(told)")
        #expect(told.contains("1 versions and 0 files"), "\(told)")
        #expect(told.contains("1 files of artifacts (5 bytes) that nothing names stay") && told.contains("last hour"))
        #expect(try await run("purge", "--older-than", "0s", "--json").text.contains(#""young_artifact_files":1"#))
    }

    @Test("the reference of the champion is taken from the registry")
    func reference() async throws {
        let workspace = try Workspace()
        _ = try await StreamFixture.make(workspace, count: 10)
        let file = try Self.configuration(workspace, reference: "{registry: champion}")
        let state = ["--state", workspace.path("state")]
        let missing = try await HoldfastProcess.run(["check", file])
        #expect(missing.status == 1 && missing.text.contains("does not exist yet"), "\(missing.text)")
        for arguments in [
            ["register", "pay", "--version", "1", "--source", "s3://1"], ["promote", "pay", "1"],
            ["reference", "pay", "1", workspace.path("pay.json")],
        ] {
            let run = try await HoldfastProcess.run(["registry"] + arguments + state)
            #expect(run.status == 0, "\(run.text)")
        }
        let found = try await HoldfastProcess.run(["check", file])
        #expect(found.status == 0, "\(found.text)")
        let wrong = try await HoldfastProcess.run(["registry", "reference", "pay", "1", file] + state)
        #expect(wrong.status == 2)
    }

    @Test("mistakes in gates, roles and the registry's settings are told with their places")
    func mistakes() async throws {
        let workspace = try Workspace()
        let file = try workspace.write(
            "holdfast.yaml",
            """
            models:
              - name: pay
                reference: {registri: champion}
                promotion:
                  require: [{metric: aupr}]
                  better_than_champion: {metric: aupr, confidence: 2}
            registry: {topic: champions, mlflow: "mlflow:5000", fleet: {share: 7}}
            http: {tokens: [{token: aaaaaaaaaaaaaaaaaaaa, role: king}]}
            """)
        let (status, text) = try await HoldfastProcess.run(["check", file])
        #expect(status == 1)
        for expected in [
            "3:16", "`registry`", "5:17: error: a requirement needs `min`", "6:56", "needs a `kafka` section",
            "expected the URL of an MLflow server", "7:", "8:", "viewer",
        ] {
            #expect(text.contains(expected), "no '\(expected)' in:\n\(text)")
        }
    }
}
