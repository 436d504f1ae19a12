import Events
import Ledger
import Rules
import TestSupport
import Testing
import Values
import Windows

/// What can be asked of the ledger: snapshots, alerts, and what is still to be done.
struct LedgerQueryTests {
    private static let start = LedgerFixture.start

    private static func ledger(_ steps: LedgerCommit...) throws -> Ledger {
        let ledger = try Ledger(path: nil)
        for step in steps { try ledger.commit(step, layouts: LedgerFixture.layouts) }
        return ledger
    }

    private static func snapshots(_ hours: [Int], revision: Int = 1, model: String = "m") -> LedgerCommit {
        var step = LedgerCommit()
        step.snapshots = hours.map { hour in
            let window = TimeRange(start: start + .hours(Int64(hour)), end: start + .hours(Int64(hour) + 1))
            return .init(
                model: model, window: window, revision: revision, lines: Array("\(model) \(hour) r\(revision)".utf8))
        }
        return step
    }

    private static func texts(_ ledger: Ledger, from: Int, to: Int, limit: Int = 100) async throws -> [String] {
        try await ledger.snapshots(
            model: "m", from: start + .hours(Int64(from)), to: start + .hours(Int64(to)), limit: limit
        ).map { String(decoding: $0.lines, as: UTF8.self) }
    }

    @Test func `snapshots are found by the end of their windows, the newest within the limit`() async throws {
        let ledger = try Self.ledger(Self.snapshots([3, 1, 2, 0]), Self.snapshots([2], model: "other"))
        #expect(try await Self.texts(ledger, from: -9, to: 99) == ["m 0 r1", "m 1 r1", "m 2 r1", "m 3 r1"])
        #expect(try await Self.texts(ledger, from: 1, to: 3) == ["m 1 r1", "m 2 r1"], "(from, to]")
        #expect(try await Self.texts(ledger, from: -9, to: 99, limit: 2) == ["m 2 r1", "m 3 r1"])
        #expect(try await Self.texts(ledger, from: 4, to: 99).isEmpty)
    }

    @Test func `a revision stands beside the first evaluation, the same one again replaces it`() async throws {
        let ledger = try Self.ledger(Self.snapshots([0, 1]), Self.snapshots([0], revision: 2), Self.snapshots([1]))
        #expect(try await Self.texts(ledger, from: 0, to: 9) == ["m 0 r1", "m 0 r2", "m 1 r1"])
    }

    @Test func `windows of one length are counted as windows, whatever other sizes and revisions lie between`()
        async throws
    {
        var other = LedgerCommit()
        other.snapshots = (0..<9).map { i in
            let end = Self.start + .minutes(60 + 15 * Int64(i))
            return .init(
                model: "m", window: TimeRange(start: end - .minutes(15), end: end), revision: 1, lines: Array("x".utf8))
        }
        let ledger = try Self.ledger(
            Self.snapshots([0, 1, 2]), Self.snapshots([1], revision: 2), Self.snapshots([1], revision: 3), other)
        let found = try await ledger.windows(
            model: "m", length: .hours(1), from: .distantPast, to: Self.start + .hours(3), limit: 2)
        #expect(found.map(\.window.start) == [1, 2].map { Self.start + .hours($0) })
        #expect(found.map(\.revision) == [3, 1])
    }

    @Test func `a window has the columns of its first evaluation and the performance of its newest revision`()
        async throws
    {
        func step(_ hour: Int64, _ revision: Int, _ columns: [String], size: Int64 = 1) -> LedgerCommit {
            var step = LedgerCommit()
            let window = TimeRange(start: Self.start + .hours(hour), end: Self.start + .hours(hour + size))
            let lines = columns.map { #"{"segment":{},"column":"\#($0)","n":\#(revision)}"# + "\n" }.joined()
            step.snapshots = [.init(model: "m", window: window, revision: revision, lines: Array(lines.utf8))]
            return step
        }
        let ledger = try Self.ledger(
            step(0, 1, ["amount"]), step(1, 1, ["amount", "performance"]), step(-1, 1, ["day"], size: 3),
            step(1, 2, ["performance"]), step(1, 3, ["performance"]), step(2, 1, ["amount"]))
        func read(_ length: Span?, to: Int64 = 9, limit: Int) async throws -> [String] {
            try await ledger.windows(
                model: "m", length: length, from: .distantPast, to: Self.start + .hours(to), limit: limit
            ).map { stored in
                let lines = String(decoding: stored.lines, as: UTF8.self).split(separator: "\n").map {
                    $0.replacing(#"{"segment":{},"column":""#, with: "").replacing(#"","n":"#, with: " ")
                        .replacing("}", with: "")
                }
                return "r\(stored.revision): " + lines.joined(separator: ", ")
            }
        }
        let all = ["r1: amount 1", "r3: amount 1, performance 3", "r1: amount 1"]
        #expect(try await read(.hours(1), limit: 9) == all)
        #expect(try await read(.hours(1), limit: 2) == Array(all.dropFirst()), "revisions are no windows")
        #expect(try await read(nil, to: 2, limit: 2) == ["r1: day 1", all[1]])
    }

    @Test func `old snapshots are forgotten when told`() async throws {
        var forget = LedgerCommit()
        forget.forgetBefore = Self.start + .hours(2)
        let ledger = try Self.ledger(Self.snapshots([0, 1, 2]), forget)
        #expect(try await Self.texts(ledger, from: 0, to: 9) == ["m 1 r1", "m 2 r1"])
    }

    @Test func `an alert shows its latest state, open ones first`() async throws {
        var step = LedgerCommit()
        step.transitions = [
            LedgerFixture.alert(.pending, 1, fingerprint: "a"), LedgerFixture.alert(.firing, 2, fingerprint: "a"),
            LedgerFixture.alert(.firing, 3, fingerprint: "b"), LedgerFixture.alert(.resolved, 4, fingerprint: "b"),
            LedgerFixture.alert(.pending, 5, fingerprint: "c"), LedgerFixture.alert(.resolved, 6, fingerprint: "d"),
            LedgerFixture.alert(.firing, 7, fingerprint: "e", model: "other"),
        ]
        let ledger = try Self.ledger(step)
        func seen(_ model: String?, resolved: Int) async throws -> [String] {
            try await ledger.alerts(model: model, resolved: resolved).map { line in
                let json = try JSON(parsing: line.utf8)
                return (json["fingerprint"]?.stringValue ?? "") + " " + (json["status"]?.stringValue ?? "")
            }
        }
        #expect(try await seen("m", resolved: 9) == ["c pending", "a firing", "d resolved", "b resolved"])
        #expect(try await seen("m", resolved: 1) == ["c pending", "a firing", "d resolved"])
        #expect(try await seen(nil, resolved: 0) == ["e firing", "c pending", "a firing"])
        #expect(try await ledger.transitions().count == 7)
        #expect(try await ledger.transitions(after: 5).count == 2)
    }

    private static func outbox(_ entries: OutboxEntry...) throws -> Ledger {
        var step = LedgerCommit()
        step.outbox = entries
        return try ledger(step)
    }

    private static func due(_ ledger: Ledger, _ minute: Int64, limit: Int = 9) async throws -> [String] {
        try await ledger.due(.delivery, to: "oncall", at: start + .minutes(minute), limit: limit).map(\.entry.key)
    }

    @Test func `entries are due in order, by kind and by time`() async throws {
        let ledger = try Self.outbox(
            LedgerFixture.entry("late", at: Self.start + .minutes(9)), LedgerFixture.entry("b"),
            LedgerFixture.entry("a"),
            LedgerFixture.entry("act", .action))
        #expect(try await Self.due(ledger, 0) == ["b", "a"])
        #expect(try await Self.due(ledger, 0, limit: 1) == ["b"])
        #expect(try await Self.due(ledger, 9) == ["late", "b", "a"])
        #expect(try await Self.due(ledger, -1).isEmpty)
        let action = try #require(try await ledger.due(.action, to: "oncall", at: Self.start, limit: 9).first)
        #expect(
            action.entry == LedgerFixture.entry("act", .action) && action.progress.isEmpty && action.due == Self.start)
    }

    @Test func `a known key is not added again, even when it is done`() async throws {
        let ledger = try Self.outbox(LedgerFixture.entry("a"), LedgerFixture.entry("a"))
        let first = try #require(try await ledger.due(.delivery, to: "oncall", at: Self.start, limit: 9).first)
        try await ledger.finish(first.id)
        var again = LedgerCommit()
        again.outbox = [LedgerFixture.entry("a", at: Self.start + .hours(1))]
        try ledger.commit(again, layouts: [:])
        #expect(try await ledger.targets(.delivery).isEmpty)
    }

    @Test func `an entry is put off with its progress, then finished with what follows`() async throws {
        let ledger = try Self.outbox(LedgerFixture.entry("a"))
        let first = try #require(try await ledger.due(.delivery, to: "oncall", at: Self.start, limit: 9).first)
        try await ledger.reschedule(first.id, progress: [1, 2], due: Self.start + .minutes(5), note: "503")
        #expect(try await Self.due(ledger, 4).isEmpty)
        let second = try #require(
            try await ledger.due(.delivery, to: "oncall", at: Self.start + .minutes(5), limit: 9).first)
        #expect(second.progress == [1, 2] && second.id == first.id)
        try await ledger.finish(first.id, adding: [LedgerFixture.entry("next", .action), LedgerFixture.entry("a")])
        #expect(try await ledger.due(.action, to: "oncall", at: Self.start, limit: 9).map(\.entry.key) == ["next"])
        #expect(try await ledger.deadEntries().isEmpty)
    }

    @Test func `in one lane nothing overtakes, in others it may`() async throws {
        let ledger = try Self.outbox(
            LedgerFixture.entry("firing", lane: "alert"), LedgerFixture.entry("resolved", lane: "alert"),
            LedgerFixture.entry("other"))
        #expect(try await Self.due(ledger, 0) == ["firing", "other"])
        let first = try #require(try await ledger.due(.delivery, to: "oncall", at: Self.start, limit: 9).first)
        try await ledger.reschedule(first.id, progress: [], due: Self.start + .minutes(5), note: "503")
        #expect(try await Self.due(ledger, 1) == ["other"], "the resolved delivery waits for the firing one")
        try await ledger.finish(first.id)
        #expect(try await Self.due(ledger, 1) == ["resolved", "other"])
        #expect(try await ledger.due(.delivery, to: "nobody", at: Self.start, limit: 9).isEmpty)
    }

    @Test func `an alert that came to nothing is no longer open`() async throws {
        var step = LedgerCommit()
        step.transitions = [
            LedgerFixture.alert(.pending, 1, fingerprint: "blip"), LedgerFixture.alert(.firing, 2, fingerprint: "real"),
            LedgerFixture.alert(.resolved, 3, fingerprint: "over"),
        ]
        let ledger = try Self.ledger(step)
        var next = LedgerCommit()
        next.openAlerts = ["m": ["real"]]
        try ledger.commit(next, layouts: [:])
        let lines = try await ledger.alerts(model: nil, resolved: 9)
        #expect(lines.count == 2 && lines[0].contains("real") && lines[1].contains("over"))
        try await ledger.forgetAlerts(exceptOf: [])
        #expect(try await ledger.alerts(model: nil, resolved: 9).count == 1)
    }

    @Test func `a dead entry keeps its reason, and can be tried afresh`() async throws {
        let ledger = try Self.outbox(LedgerFixture.entry("a"), LedgerFixture.entry("b"))
        let first = try #require(try await ledger.due(.delivery, to: "oncall", at: Self.start, limit: 9).first)
        try await ledger.reschedule(first.id, progress: [9], due: Self.start, note: "500")
        try await ledger.finish(first.id, dead: "given up after 5 attempts")
        let dead = try await ledger.deadEntries()
        #expect(dead.map(\.entry.entry.key) == ["a"] && dead.map(\.note) == ["given up after 5 attempts"])
        #expect(try await Self.due(ledger, 0) == ["b"])
        #expect(try await ledger.retryDead(first.id, at: Self.start + .minutes(1)))
        #expect(try await !ledger.retryDead(first.id, at: Self.start), "it is no longer dead")
        #expect(try await Self.due(ledger, 1) == ["a", "b"])
        #expect(try await ledger.deadEntries().isEmpty)
        #expect(
            try await ledger.due(.delivery, to: "oncall", at: Self.start + .minutes(1), limit: 1).first?.progress == [])
    }
}
