import Actions
import Events
import Foundation
import Kafka
package import Logging
import Registry
import Server
import ServiceLifecycle
import StrictYAML
import Synchronization
import Values

/// `holdfast demo`: the whole story on an embedded broker. A scoring fleet publishes, a bad version breaks one segment, the alert reaches a
/// webhook, the registry rolls back, the fleet follows, the alert resolves. Everything is the real thing but the broker.
package struct Demo: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let calm = Span.minutes(60)
    /// The story must have happened by then.
    private static let deadline = Duration.seconds(150)
    /// One minute of event time is published this often until the clock is reached.
    private static let pace = Duration.milliseconds(110)
    /// Slower while there is something to see on the page.
    private static let watchedPace = Duration.milliseconds(500)

    private let port: Int
    private let once: Bool
    private let log: Logger
    private let say: @Sendable (String) -> Void

    /// - Parameter say: prints a line of the story for the person who watches.
    package init(port: Int, once: Bool, log: Logger, say: @escaping @Sendable (String) -> Void) {
        self.port = port
        self.once = once
        self.log = log
        self.say = say
    }

    package func run() async throws {
        let clock = WallClock.system
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "holdfast-demo-\(ProcessInfo.processInfo.processIdentifier)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try DemoFiles(folder: folder)
        let broker = try TestBrokerProcess()
        try broker.send("topic \(DemoFiles.topic) 4")
        try broker.send("topic holdfast-dead-letters 1")
        say("broker    a Kafka broker on \(broker.bootstrap)")
        let minute = Span.minutes(1).microseconds
        let start = Timestamp(microseconds: (clock.now() - .hours(5)).microseconds / minute * minute)
        let story = DemoStory()
        let hook = Mutex<Int?>(nil)
        let inbox = makeDeliveryInbox(log: log, onRunning: { port in hook.withLock { $0 = port } }) { headers, body in
            receive(headers, body, story, clock)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await Self.run(inbox, log: log) }
            let webhook = try await Self.value("the webhook's port") { hook.withLock { $0 } }
            try files.write(bootstrap: broker.bootstrap, webhook: webhook, port: port, before: start)
            say("model     fraud: reference of 20,000 rows of version 13; rules in \(files.folder.path)")
            try await seedRegistry(files, clock)
            let configuration = try ConfigurationReader.read(files.configuration)
            let serve = try Serve(configuration, log: log)
            let bound = Mutex<Int?>(nil)
            group.addTask { try await serve.run { port in bound.withLock { $0 = port } } }
            let fleet = try DemoFleet(bootstrap: broker.bootstrap, start: start, clock: clock, log: log)
            defer { fleet.close() }
            let listening = try await Self.value("the server's port") { bound.withLock { $0 } }
            say("page      http://127.0.0.1:\(listening)/")
            let deployed = Flag()
            group.addTask {
                await fleet.follow(port: listening) { version in
                    say("fleet     now serves version \(version)")
                    story.fleetChanged(to: version, after: deployed.isSet)
                }
            }
            group.addTask {
                try await publish(fleet, story, start: start, port: listening, deployed: { deployed.set() })
            }
            group.addTask { try await watch(story) }
            // The first to end decides: the story's watcher with --once, or a signal that stopped the service.
            try await group.next()
            group.cancelAll()
        }
        if once, !story.facts.isComplete { throw Failure(description: "stopped before the story was over") }
    }

    private func receive(_ headers: [String: String], _ body: [UInt8], _ story: DemoStory, _ clock: WallClock) {
        guard let json = try? JSON(parsing: body), let key = try? SigningKey(parsing: DemoFiles.secret) else { return }
        let signed = Signature.verify(
            header: headers["webhook-signature"] ?? "", id: headers["webhook-id"] ?? "",
            timestampHeader: headers["webhook-timestamp"] ?? "", body: body, keys: [key], now: clock.now())
        for alert in json["alerts"]?.arrayValue ?? [] {
            let delivery = DemoStory.Delivery(
                status: alert["status"]?.stringValue ?? "", alert: alert["labels"]?["alertname"]?.stringValue ?? "",
                labels: alert["labels"] ?? .null,
                rollback: alert["context"]?["actions"]?.arrayValue?.first?["rollback"]?.stringValue, isSigned: signed)
            story.take(delivery)
            // The summary tells the value of the last window, which after all is well says little.
            let isOver = delivery.status == "resolved"
            let place = delivery.labels["country"]?.stringValue.map { "in country=\($0) it is over" } ?? "it is over"
            let summary = isOver ? place : alert["annotations"]?["summary"]?.stringValue ?? ""
            let action = delivery.rollback.map { ", rollback \($0)" } ?? ""
            say("webhook   \(delivery.status) \(delivery.alert): \(summary)\(action)\(signed ? "" : "  (NOT SIGNED)")")
        }
    }

    /// Versions 12 and 13 have been champion before; 14 waits to be promoted.
    private func seedRegistry(_ files: DemoFiles, _ clock: WallClock) async throws {
        let state = files.folder.appending(path: "state")
        try FileManager.default.createDirectory(at: state, withIntermediateDirectories: true)
        let registry = try await Registry(path: state.appending(path: "registry.sqlite").path)
        _ = try await registry.registerModel(DemoTraffic.model, actor: "demo", at: clock.now())
        for version in ["12", DemoTraffic.good, DemoTraffic.bad] {
            _ = try await registry.registerVersion(
                model: DemoTraffic.model, version: version, source: "s3://models/fraud/\(version)", actor: "demo",
                at: clock.now())
            if version != DemoTraffic.bad {
                _ = try await registry.promote(
                    model: DemoTraffic.model, version: version, actor: "demo", reason: "passed its bake",
                    at: clock.now())
            }
        }
    }

    private func publish(
        _ fleet: DemoFleet, _ story: DemoStory, start: Timestamp, port: Int, deployed: @escaping @Sendable () -> Void
    ) async throws {
        say("fleet     publishes 200 predictions a minute, an hour of event time in \(Self.seconds(Self.pace * 60)) s")
        var isDeployed = false
        while !Task.isCancelled {
            let behind = try fleet.publishMinute()
            if !isDeployed, fleet.eventTime - start >= Self.calm {
                isDeployed = true
                deployed()
                // The fleet follows within a moment, and its line comes after this one.
                say("deploy    version 14 becomes champion; it reads Brazilian amounts in cents")
                try await DemoClient(port: port).promote(DemoTraffic.model, DemoTraffic.bad)
            }
            let isWatched = !once && isDeployed && !story.facts.isComplete
            try await Task.sleep(for: !behind ? .seconds(1) : isWatched ? Self.watchedPace : Self.pace)
        }
    }

    private func watch(_ story: DemoStory) async throws {
        let end = ContinuousClock.now + Self.deadline
        while !story.facts.isComplete {
            guard ContinuousClock.now < end else {
                let facts = story.facts
                let text =
                    "the story did not happen in \(Self.deadline.components.seconds) s: alert delivered \(facts.alertDelivered), rollback told \(facts.rollbackDelivered), fleet back on 13 \(facts.fleetIsBack), resolved \(facts.resolvedDelivered)"
                throw Failure(description: text)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        say(
            "done      alert, delivery and rollback observed; the fleet is back on version 13 and the alert has resolved"
        )
        guard !once else { return }
        say("          the page stays up and the fleet goes on; Ctrl-C ends it")
        while !Task.isCancelled { try await Task.sleep(for: .seconds(3_600)) }
    }

    private static func run(_ service: some Service, log: Logger) async throws {
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [.init(service: service)], logger: log)
        ).runGracefully()
    }

    private static func value(_ name: String, _ read: () -> Int?) async throws -> Int {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if let value = read() { return value }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure(description: "\(name) is not there after 30 s; is port taken? Try --port")
    }

    private static func seconds(_ duration: Duration) -> String {
        String(format: "%.0f", Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
    }
}
