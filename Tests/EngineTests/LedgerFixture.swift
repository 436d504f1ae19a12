import Foundation
import Ledger
import Rules
import Sketches
import Values
import Windows

/// Steps of a small engine, written to a ledger in a folder of its own.
enum LedgerFixture {
    static let start = Fixture.time("2026-03-01T00:00:00Z")
    static let layouts = ["m": "bins 1"]

    static func withPath<T>(_ body: (String) async throws -> T) async throws -> T {
        try await Fixture.withFolder { folder in try await body(folder.appending(path: "ledger.sqlite").path) }
    }

    static func counts(_ rows: Int, segment: Segment = .all) -> PaneCounts {
        let row = WindowFixture.Row(time: start, source: 0, version: "1", amount: 7, country: nil, device: nil)
        return Dictionary(
            uniqueKeysWithValues: WindowFixture.recount(repeatElement(row, count: rows)).map { key, profile in
                (GroupKey(version: key.version, segment: segment), PackedProfile(profile))
            })
    }

    /// A step that covers `offset` messages: as many rows in a pane, a snapshot, a transition, a delivery.
    static func step(_ offset: Int) -> LedgerCommit {
        var step = LedgerCommit()
        step.offsets = ["t/0": Int64(offset)]
        step.panes = ["m": [start: counts(offset)]]
        var state = ModelWindows.State()
        state.clocks = ["t/0": start + .minutes(Int64(offset))]
        state.next = ["1h/1h": start]
        state.emptyRun = ["1h/1h": 3]
        state.lateRows = UInt64(offset)
        step.states = ["m": .init(windows: state, alerts: Array("alerts \(offset)".utf8))]
        let window = TimeRange(start: start + .hours(Int64(offset)), end: start + .hours(Int64(offset) + 1))
        step.snapshots = [.init(model: "m", window: window, revision: 1, lines: Array("line \(offset)\n".utf8))]
        step.transitions = [alert(.firing, offset, fingerprint: "f\(offset)")]
        step.outbox = [entry("k\(offset)", at: start + .minutes(Int64(offset)))]
        return step
    }

    static func alert(
        _ status: Alert.Status, _ minute: Int, fingerprint: String, model: String = "m"
    ) -> Alert {
        Alert(
            status: status, at: start + .minutes(Int64(minute)), labels: ["alertname": "Drift"], annotations: [:],
            startsAt: start, endsAt: nil, fingerprint: fingerprint, segment: .all, context: ["minute": .int(minute)],
            revision: 1, model: model, group: "g", rule: "Drift", notify: nil, actions: [])
    }

    static func entry(
        _ key: String, _ kind: OutboxEntry.Kind = .delivery, lane: String? = nil, at time: Timestamp = start
    ) -> OutboxEntry {
        OutboxEntry(
            kind: kind, key: key, target: "oncall", lane: lane ?? key, body: Array("body of \(key)".utf8), at: time)
    }
}
