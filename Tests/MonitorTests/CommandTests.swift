import Foundation
import TestSupport
import Testing

/// The program as a person meets it: what it prints and how it ends.
struct CommandTests {
    @Test("a configuration with mistakes starts nothing and lists them all")
    func badConfiguration() async throws {
        let workspace = try Workspace()
        let file = try workspace.write(
            "holdfast.yaml",
            """
            stat: here
            models:
              - name: fraud
                refrence: x.json
                window: {size: 7m}
            topics:
              - {name: t}
            workers: 0
            http: {listen: "0.0.0.0:8080"}
            """)
        let (status, text) = try await HoldfastProcess.run(["serve", "--config", file])
        #expect(status == 2)
        for expected in [
            "holdfast.yaml:1:1: error:", "`state`", "holdfast.yaml:4:5: error:", "`reference`",
            "must divide a day evenly",
            "topics need a `kafka` section", "holdfast.yaml:8:10: error:", "a whole number from 1 to 64",
            "holdfast.yaml:9:16: error:", "tokens",
        ] {
            #expect(text.contains(expected), "no '\(expected)' in:\n\(text)")
        }
        #expect(!FileManager.default.fileExists(atPath: workspace.path("state")))
    }

    @Test("check takes the configuration as other commands do, and an empty class is none")
    func checkedConfiguration() async throws {
        let workspace = try Workspace()
        let file = try workspace.write(
            "holdfast.yaml", "models:\n  - name: m\n    reference: m.json\n    positive: \"\"\n")
        let (status, text) = try await HoldfastProcess.run(["check", "--config", file])
        #expect(status == 1 && text.contains("holdfast.yaml:4:15: error:"), "\(text)")
        let nothing = try await HoldfastProcess.run(["check"])
        #expect(nothing.status != 0 && nothing.text.contains("name what to check"), "\(nothing.text)")
    }

    @Test("receivers are what they are named, each with its own keys")
    func receivers() async throws {
        let workspace = try Workspace()
        func check(_ receiver: String) async throws -> (status: Int32, text: String) {
            let file = try workspace.write("holdfast.yaml", "models: []\nreceivers:\n  - {name: r, \(receiver)}\n")
            return try await HoldfastProcess.run(["check", file])
        }
        for good in [
            "webhook: {url: \"https://h/x\", secret: s}", "alertmanager: {url: \"http://127.0.0.1:9093\"}",
            "slack: {url: \"https://hooks.slack.com/services/x\"}", "pagerduty: {routing_key: k}",
            "pagerduty: {routing_key: k, url: \"http://127.0.0.1:1/v2/enqueue\"}", "opsgenie: {api_key: k}",
            "teams: {url: \"https://t.example/w\", timeout: 5s}", "cloudevents: {url: \"https://h/x\", mode: binary}",
            "log: {}",
        ] {
            let found = try await check(good)
            #expect(found.status == 0, "\(good): \(found.text)")
        }
        for (bad, expected) in [
            ("webhook: {url: \"https://h/x\"}, log: {}", "3:5: error: receiver `r` needs one of webhook"),
            ("pagerduty: {}", "`routing_key` is missing"), ("opsgenie: {api_key: \"\"}", "error:"),
            ("slack: {url: \"http://chat.example/x\"}", "is not encrypted"), ("slak: {}", "`slack`"),
            ("cloudevents: {url: \"https://h/x\", mode: odd}", "error:"), ("alertmanager: {}", "`url` is missing"),
        ] {
            let found = try await check(bad)
            #expect(found.status == 1 && found.text.contains(expected), "\(bad): \(found.text)")
        }
    }

    @Test("an Avro topic needs a registry, whose address is checked and whose password is not shown")
    func schemaRegistry() async throws {
        let workspace = try Workspace()
        func problems(_ lines: String, status expected: Int32 = 1) async throws -> String {
            let file = try workspace.write(
                "holdfast.yaml",
                "models: []\nkafka: {bootstrap.servers: \"127.0.0.1:1\"}\ntopics: [{name: t, format: avro}]\n\(lines)\n"
            )
            let (status, text) = try await HoldfastProcess.run(["check", file])
            #expect(status == expected, "\(text)")
            return text
        }
        #expect(try await problems("").contains("holdfast.yaml:3:28: error: the format `avro` needs a registry"))
        let good = try await problems(
            "schema_registry: {url: \"https://r:8081/base/\", username: u, password: p}", status: 0)
        #expect(!good.contains("avro") && !good.contains("schema_registry") && !good.contains("URL"), "\(good)")
        #expect(try await problems("schema_registry: {username: u}").contains("`url`"))
        #expect(try await problems("schema_registry: {urll: x}").contains("`url`"))
        for wrong in ["r:8081", "ftp://r", "http://", "http://a b"] {
            let text = try await problems("schema_registry: {url: \"\(wrong)\"}")
            #expect(text.contains("holdfast.yaml:4:24: error: expected a URL"), "\(wrong): \(text)")
        }
        let user = try await problems("schema_registry: {url: \"http://ada:s3cret@r:8081\"}")
        #expect(user.contains("stand beside the URL") && !user.contains("s3cret"), "\(user)")
        #expect(try await problems("schema_registry: {url: \"http://r?x=1\"}").contains("no `?`"))
        #expect(try await problems("schema_registry: {url: \"http://r\", password: s}").contains("needs a `username`"))
    }

    @Test("a token has the name of whose it is, and no words that could read as another's")
    func tokenNames() async throws {
        let workspace = try Workspace()
        for (name, status) in [("ann.b@c-d_1", 0), ("eve as ann", 1)] as [(String, Int32)] {
            let file = try workspace.write(
                "holdfast.yaml",
                "models: []\nhttp: {tokens: [{token: 0123456789abcdef, role: promoter, name: \"\(name)\"}]}\n")
            let run = try await HoldfastProcess.run(["check", file])
            #expect(run.status == status && run.text.contains("cannot name a token") == (status == 1), "\(run.text)")
        }
    }

    @Test("check tells rule files from configurations and gives places")
    func check() async throws {
        let workspace = try Workspace()
        let good = try workspace.write("good.yaml", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: psi > 0.2}\n")
        let bad = try workspace.write("bad.yaml", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: psii > 0.2}\n")
        let fine = try await HoldfastProcess.run(["check", good])
        #expect(fine.status == 0 && fine.text.contains("1 rule"))
        let wrong = try await HoldfastProcess.run(["check", good, bad])
        #expect(wrong.status == 1)
        #expect(wrong.text.contains("bad.yaml:4:22: error:") && wrong.text.contains("psi"), "\(wrong.text)")
        let missing = try await HoldfastProcess.run(["check", workspace.path("none.yaml")])
        #expect(missing.status == 1 && missing.text.contains("no such file"))
    }

    @Test("check names a misspelled key, knows references, and tells a variable that is not set once")
    func checkHelps() async throws {
        let workspace = try Workspace()
        func check(_ name: String, _ text: String, status expected: Int32 = 1) async throws -> String {
            let (status, text) = try await HoldfastProcess.run(["check", workspace.write(name, text)])
            #expect(status == expected, "\(text)")
            return text
        }
        #expect(
            try await check("a.yaml", "modles: []\n").contains(
                "a.yaml:1:1: error: unknown key `modles`: did you mean `models`?"))
        #expect(try await check("b.yaml", "group:\n- {name: g}\n").contains("did you mean `groups`?"))
        #expect(try await check("c.yaml", "nothing: here\n").contains("is neither a configuration"))
        let secret = try await check(
            "d.yaml",
            "models: []\nreceivers: [{name: r, webhook: {url: \"https://h/\", secret: \"${HOLDFAST_NO_SUCH}\"}}]\n")
        #expect(secret.contains("`HOLDFAST_NO_SUCH` is not set") && !secret.contains("is empty"), "\(secret)")
        #expect(
            try await check("e.yaml", "models: []\nexternal_url: monitor\n").contains(
                "e.yaml:2:15: error: expected a URL"))
        _ = try await StreamFixture.make(workspace, count: 400)
        let reference = try await HoldfastProcess.run(["check", workspace.path("pay.json")])
        #expect(reference.status == 0 && reference.text.contains("reference of"), "\(reference.text)")
        let broken = try await check("f.json", #"{"format":"holdfast-reference/1","columns":[],"groups":[]}"#)
        #expect(broken.contains("f.json:1:1: error: is no usable reference"), "\(broken)")
    }

    @Test("wrong usage ends with status 2, help and version with 0")
    func usage() async throws {
        #expect(try await HoldfastProcess.run(["serve"]).status == 2)
        #expect(try await HoldfastProcess.run(["fly"]).status == 2)
        #expect(try await HoldfastProcess.run(["replay", "--config", "/nowhere.yaml", "x"]).status == 2)
        let help = try await HoldfastProcess.run(["--help"])
        #expect(help.status == 0 && help.text.contains("replay"))
        let version = try await HoldfastProcess.run(["--version"])
        #expect(version.status == 0 && version.text.contains("holdfast 0."))
    }

    @Test("replay --fail-on-alert ends with status 1 when a rule fired")
    func failOnAlert() async throws {
        let workspace = try Workspace()
        let stream = try await StreamFixture.make(workspace, count: 4_000)
        let file = try workspace.write("events.jsonl", stream.events.joined(separator: "\n"))
        let configuration = try stream.configuration("replay")
        let run = try await HoldfastProcess.run(["replay", "--config", configuration, "--fail-on-alert", file])
        #expect(run.status == 1 && run.text.contains(" fired"), "\(run.text)")
        #expect(try await HoldfastProcess.run(["replay", "--config", configuration, file]).status == 0)
    }

    @Test("the registry by hand: register, promote, roll back, audit")
    func registry() async throws {
        let workspace = try Workspace()
        let state = workspace.path("state")
        func run(_ arguments: String...) async throws -> (status: Int32, text: String) {
            try await HoldfastProcess.run(["registry"] + arguments + ["--state", state])
        }
        for version in ["13", "14"] {
            #expect(
                try await run("register", "fraud", "--version", version, "--source", "s3://m/\(version)").status == 0)
            #expect(try await run("promote", "fraud", version).status == 0)
        }
        #expect(try await run("list").text.contains("14"))
        let back = try await run("rollback", "fraud", "--reason", "wrong amounts")
        #expect(back.status == 0 && back.text.contains("champion 13"), "\(back.text)")
        let again = try await run("promote", "fraud", "14")
        #expect(again.status == 1 && again.text.contains("quarantine"), "\(again.text)")
        #expect(try await run("audit", "fraud").text.contains("wrong amounts"))
        #expect(try await run("audit", "--verify").status == 0)
    }

    @Test("the demo's story happens", .timeLimit(.minutes(4)))
    func demo() async throws {
        let run = try await HoldfastProcess.run(["demo", "--once", "--port", "0"], deadline: .seconds(200))
        #expect(run.status == 0, "\(run.text)")
        #expect(run.text.contains("rollback done") && run.text.contains("country=BR"), "\(run.text)")
    }
}
