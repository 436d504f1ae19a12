import Events
import Foundation
import TestSupport
import Testing
import Values

@testable import Monitor

/// The fleet as the service watches it.
@Suite(.serialized)
struct FleetTests {
    @Test("a flip that does not arrive is told once, and its end as well")
    func lag() {
        var lag = FleetLag()
        func on(_ sequence: Int64, _ isBehind: Bool, _ seconds: Int64) -> FleetLag.Change? {
            lag.on(sequence: sequence, isBehind: isBehind, age: .seconds(seconds), within: .seconds(10))
        }
        #expect(on(1, true, 1) == nil)
        #expect(on(1, true, 10) == nil)
        #expect(on(1, true, 11) == .began)
        #expect(on(1, true, 12) == nil)
        #expect(on(2, true, 1) == nil)
        #expect(on(2, false, 3) == .ended)
        #expect(on(2, true, 11) == .began)
        #expect(on(2, false, 12) == .ended)
        #expect(on(2, true, 13) == .began)
        #expect(lag.told == 5, "each has a number of its own, also at one sequence")
        var restarted = FleetLag(told: lag.told)
        #expect(restarted.on(sequence: 2, isBehind: true, age: .seconds(14), within: .seconds(10)) == nil)
        #expect(restarted.on(sequence: 2, isBehind: false, age: .seconds(15), within: .seconds(10)) == .ended)
    }

    private static func configuration(_ workspace: Workspace, _ extra: String = "") async throws -> String {
        _ = try await StreamFixture.make(workspace, count: 10)
        return try workspace.write(
            "holdfast.yaml",
            """
            state: state
            models:
              - {name: pay, reference: pay.json, segments: [country]}
            http: {listen: "127.0.0.1:0"}
            \(extra)
            """)
    }

    private static func promote(_ service: Service, _ workspace: Workspace, _ version: String) async throws {
        let run = try await HoldfastProcess.run([
            "registry", "register", "pay", "--version", version, "--source", "s3://pay/\(version)", "--state",
            workspace.path("state"),
        ])
        #expect(run.status == 0, "\(run.text)")
        #expect(try await service.post("/v1/models/pay/promote", #"{"version":"\#(version)"}"#).status == 200)
    }

    @Test(
        "the example of a serving instance follows the champion and keeps three versions warm", .timeLimit(.minutes(2)))
    func example() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Benchmarks/examples/serving_instance.py")
        guard
            let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first(where: {
                FileManager.default.isExecutableFile(atPath: $0)
            })
        else {
            return print("skipped: there is no python3 on this machine")
        }
        let workspace = try Workspace()
        let service = try await Service.start(try await Self.configuration(workspace))
        try await Self.promote(service, workspace, "1")
        let instance = Process()
        instance.executableURL = URL(filePath: python)
        instance.arguments = [script.path, "http://127.0.0.1:\(service.port)", "pay", "pod-1"]
        instance.standardOutput = FileHandle.nullDevice
        instance.standardError = FileHandle.nullDevice
        try instance.run()
        // A thread of the test's may have had SIGTERM blocked, and its child then has too.
        defer { kill(instance.processIdentifier, SIGKILL) }
        for version in ["1", "2", "3", "4"] {
            if version != "1" { try await Self.promote(service, workspace, version) }
            let fleet = try await eventually("the instance serves \(version)") { () -> JSON? in
                let fleet = try JSON(parsing: try await service.get("/v1/models/pay/fleet").body)
                // `nil` alone would be the JSON value of that name.
                return fleet["share_on_champion"]?.numberValue == 1
                    && fleet["members"]?.arrayValue?.first?["active"]?.stringValue == version ? fleet : JSON?.none
            }
            #expect(fleet["members"]?.arrayValue?.count == 1)
        }
        let warm = try await eventually("three versions are warm") { () -> [String]? in
            let fleet = try JSON(parsing: try await service.get("/v1/models/pay/fleet").body)
            let loaded = fleet["members"]?.arrayValue?.first?["loaded"]?.arrayValue?.compactMap(\.stringValue).sorted()
            return loaded?.count == 3 ? loaded : nil
        }
        #expect(warm == ["2", "3", "4"])
        #expect(try await service.post("/v1/models/pay/rollback", "{}").status == 200)
        _ = try await eventually("the instance is back") { () -> Bool? in
            let fleet = try JSON(parsing: try await service.get("/v1/models/pay/fleet").body)
            return fleet["members"]?.arrayValue?.first?["active"]?.stringValue == "3" ? true : nil
        }
        #expect(try await service.stop() == 0)
    }

    @Test("instances that stay behind raise an alarm", .timeLimit(.minutes(2)))
    func alarm() async throws {
        let workspace = try Workspace()
        let receiver = try WebhookReceiver()
        let service = try await Service.start(
            try await Self.configuration(
                workspace,
                """
                registry: {fleet: {share: 0.95, within: 1s}}
                receivers:
                  - {name: hook, webhook: {url: "\(receiver.url())", allow_http: true, allow_private: true}}
                """))
        try await Self.promote(service, workspace, "1")
        try await Self.promote(service, workspace, "2")
        for (instance, active) in [("pod-1", "2"), ("pod-2", "1")] {
            let answer = try await service.post(
                "/v1/models/pay/fleet", #"{"instance":"\#(instance)","active":"\#(active)","loaded":["1","2"]}"#)
            #expect(answer.status == 200)
        }
        func bodies() -> [String] { receiver.requests.map { String(decoding: $0.body, as: UTF8.self) } }
        func heard(_ status: String) async throws {
            _ = try await eventually("the alarm is \(status)") { () -> Bool? in
                bodies().contains { $0.contains("FleetNotOnChampion") && $0.contains(#""status":"\#(status)""#) }
                    ? true : nil
            }
        }
        try await heard("firing")
        #expect(bodies().contains { $0.contains("pod-2") })
        #expect(try await service.metric("holdfast_fleet_share", "pay") == 0.5)
        _ = try await service.post("/v1/models/pay/fleet", #"{"instance":"pod-2","active":"2","loaded":["2"]}"#)
        try await heard("resolved")
        #expect(try await service.stop() == 0)
    }
}
