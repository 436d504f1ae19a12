import Events
import Server
import Statistics
import Synchronization
import Values

/// A monitor that says what it was given, for tests of routes and pages.
final class FixtureService: MonitorService {
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    struct Asked: Hashable {
        var model: String
        var column: String?
        var segment: Segment?
        var from: Timestamp?
        var to: Timestamp?
        var limit: Int
    }

    struct State {
        var reasons: [String] = []
        var models: [ModelOverview] = []
        var alerts: [String] = []
        var snapshots = ""
        var history: AlertHistory?
        var ingest: Result<IngestResult, Broken> = .success(IngestResult(accepted: 1, rejected: []))
        /// What reading alerts and snapshots throws.
        var broken: Broken?
        var received: [[UInt8]] = []
        var asked: [Asked] = []
        var askedAlerts: [String] = []
        var silences: [JSON] = []
    }

    private let state: Mutex<State>

    init(_ state: sending State = State()) { self.state = Mutex(state) }

    var received: [[UInt8]] { state.withLock { $0.received } }
    var asked: [Asked] { state.withLock { $0.asked } }
    var askedAlerts: [String] { state.withLock { $0.askedAlerts } }

    func notReady() async -> [String] { state.withLock { $0.reasons } }
    func metrics() async -> String { "# TYPE holdfast_events_total counter\nholdfast_events_total 7\n" }
    func models() async -> [ModelOverview] { state.withLock { $0.models } }
    func now() -> Timestamp { Fixture.now }

    func ingest(_ body: [UInt8]) async throws -> IngestResult {
        try state.withLock {
            $0.received.append(body)
            return try $0.ingest.get()
        }
    }

    func snapshots(
        model: String, column: String?, segment: Segment?, from: Timestamp?, to: Timestamp?, limit: Int
    ) async throws -> [UInt8] {
        try state.withLock {
            if let broken = $0.broken { throw broken }
            $0.asked.append(
                Asked(model: model, column: column, segment: segment, from: from, to: to, limit: limit))
            return Array($0.snapshots.utf8)
        }
    }

    func alert(model: String, fingerprint: String) async throws -> AlertHistory? {
        try state.withLock {
            if let broken = $0.broken { throw broken }
            return fingerprint == "9f3c2a7711e0b4d2" ? $0.history : nil
        }
    }

    func alerts(model: String?, resolved: Int) async throws -> [String] {
        try state.withLock {
            if let broken = $0.broken { throw broken }
            $0.askedAlerts.append("\(model ?? "*") \(resolved)")
            return $0.alerts
        }
    }

    func silences() async throws -> [JSON] { state.withLock { $0.silences } }

    func silence(_ body: JSON, by actor: String) async throws -> String {
        try state.withLock {
            guard body["matchers"] != nil else { throw SilenceRefused(.invalid, "`matchers` is missing") }
            $0.silences.append(body)
            return "s\($0.silences.count) by \(actor)"
        }
    }

    func endSilence(_ id: String) async throws {
        if id != "s1" { throw SilenceRefused(.notFound, "there is no silence `\(id)`") }
    }
}
