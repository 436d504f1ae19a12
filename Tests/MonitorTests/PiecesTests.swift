import Events
import Foundation
import Ledger
import StrictYAML
import Synchronization
import TestSupport
import Testing
import Values

@testable import Monitor

/// A step that closes much is made in pieces, and a service that is asked to stop does so between two.
struct PiecesTests {
    private static func models(_ path: String) throws -> (Configuration, [MonitoredModel]) {
        do throws(Problems) {
            let configuration = try ConfigurationReader.read(path)
            return (configuration, try MonitoredModel.load(configuration))
        } catch {
            throw TestFailure("\(error)")
        }
    }

    private static func engine(
        _ configuration: Configuration, _ models: [MonitoredModel], _ ledger: Ledger, pieceRows: Int,
        stopsAfter: Int = .max
    ) throws -> Engine {
        let steps = Mutex(0)
        return try Engine(
            models: models, rules: RuleBook(configuration.rules), ledger: ledger,
            options: .init(
                performs: true, keepsSnapshots: true, receivers: [], externalURL: "", retention: .days(3_000),
                pieceRows: pieceRows),
            warn: { _ in }, isStopping: { steps.withLock { $0 } >= stopsAfter }
        ) { _ in steps.withLock { $0 += 1 } }
    }

    private static func lines(_ ledger: Ledger) async throws -> [String] {
        let stored = try await ledger.snapshots(
            model: StreamFixture.model, from: .distantPast, to: .distantFuture, limit: 1_000)
        return stored.map { String(decoding: $0.lines, as: UTF8.self) }
    }

    @Test func `what is not closed when the service stops is closed after the restart`() async throws {
        let stream = try await StreamFixture.make(try Workspace(), count: 3_000)
        let (configuration, models) = try Self.models(try stream.configuration("pieces"))
        let activity = [SourceActivity(active: ["s"])]
        func delta() -> IntakeDelta {
            var intake = Intake(models)
            let route = intake.route(source: "s", topic: "t", defaults: TopicDefaults())
            let text = Array(stream.events.joined(separator: "\n").utf8)
            text.withUnsafeBytes { intake.add($0, route: route, offset: 0, now: nil) { _ in } }
            return intake.take()
        }
        let whole = try Ledger(path: nil)
        try Self.engine(configuration, models, whole, pieceRows: 1_000_000)
            .submit(delta(), from: "s", activity: activity, now: nil)
        let expected = try await Self.lines(whole)
        #expect(expected.count > 10)

        let cut = try Ledger(path: nil)
        try Self.engine(configuration, models, cut, pieceRows: 1, stopsAfter: 4)
            .submit(delta(), from: "s", activity: activity, now: nil)
        let begun = try await Self.lines(cut)
        #expect(begun == Array(expected.prefix(4)))
        #expect(try cut.offsets() == ["s": 1], "what came is kept with the first piece")
        try Self.engine(configuration, models, cut, pieceRows: 1)
            .submit(IntakeDelta(), from: "s", activity: activity, now: nil)
        #expect(try await Self.lines(cut) == expected)
        #expect(try await cut.transitions() == whole.transitions())
    }
}
