import Foundation
import Ledger
import Sketches
import TestSupport
import Testing
import Values
import Windows

/// What the ledger keeps: all of a step or nothing of it.
struct LedgerCommitTests {
    private static let start = LedgerFixture.start

    /// Writes steps and closes the ledger again when it returns.
    private static func write(_ steps: [LedgerCommit], _ path: String) throws {
        let ledger = try Ledger(path: path)
        for step in steps { try ledger.commit(step, layouts: LedgerFixture.layouts) }
    }

    private static func load(_ ledger: Ledger, _ name: String = "bins 1") throws -> StoredModel {
        try ledger.load(model: "m", plans: WindowFixture.plans, layoutName: name)
    }

    @Test func `a new ledger is empty`() async throws {
        try await LedgerFixture.withPath { path in
            for ledger in [try Ledger(path: path), try Ledger(path: nil)] {
                let stored = try Self.load(ledger)
                #expect(try ledger.offsets().isEmpty)
                #expect(
                    stored.panes.isEmpty && stored.alerts == nil && stored.windows == .init()
                        && !stored.incompatibleRows)
                #expect(try await ledger.targets(.delivery).isEmpty)
                #expect(try await ledger.alerts(model: nil, resolved: 10).isEmpty)
            }
        }
    }

    @Test func `a ledger opened again is exactly the last step`() async throws {
        try await LedgerFixture.withPath { path in
            for last in [1, 2, 5] {
                try Self.write((1...last).map(LedgerFixture.step), path)
                let ledger = try Ledger(path: path)
                #expect(try ledger.offsets() == ["t/0": Int64(last)])
                let stored = try Self.load(ledger)
                let state = try #require(LedgerFixture.step(last).states["m"])
                #expect(stored.windows == state.windows && stored.alerts == state.alerts)
                #expect(stored.panes == [Self.start: LedgerFixture.counts(last)], "totals replace totals")
            }
        }
    }

    /// A ledger of before names had one form: totals were written under the spelling that was at hand.
    @Test func `of a name spelled two ways the greater total is the newer`() async throws {
        try await LedgerFixture.withPath { path in
            let (composed, decomposed) = ("\u{fc}", "u\u{308}")
            for (first, second) in [(composed, decomposed), (decomposed, composed)] {
                var old = LedgerFixture.step(1)
                old.panes = ["m": [Self.start: LedgerFixture.counts(10, segment: Segment([.init("d", first)]))]]
                var new = LedgerFixture.step(2)
                new.panes = ["m": [Self.start: LedgerFixture.counts(17, segment: Segment([.init("d", second)]))]]
                try Self.write([old, new], path)
                let loaded = try #require(try Self.load(Ledger(path: path)).panes[Self.start])
                #expect(loaded.count == 1 && loaded.values.first?.rows == 17)
                let name = try #require(loaded.keys.first?.segment["d"])
                #expect(Array(name.utf8) == Array(composed.utf8))
                try FileManager.default.removeItem(atPath: path)
                for rest in ["-wal", "-shm", ".mark"] { try? FileManager.default.removeItem(atPath: path + rest) }
            }
        }
    }

    @Test func `panes of many keys survive, and dropped ones are gone`() async throws {
        try await LedgerFixture.withPath { path in
            let odd = Segment([.init("c", "São \"x\"\n=, "), .init("d", "")])
            var step = LedgerFixture.step(1)
            step.panes["m"]?[Self.start]?.merge(LedgerFixture.counts(3, segment: odd)) { $1 }
            step.panes["m"]?[Self.start + .minutes(5)] = LedgerFixture.counts(2)
            var drop = LedgerCommit()
            drop.droppedPanes = ["m": [Self.start + .minutes(5), Self.start + .hours(9)]]
            try Self.write([step, drop], path)
            let ledger = try Ledger(path: path)
            let stored = try Self.load(ledger)
            #expect(stored.panes.keys.sorted() == [Self.start])
            #expect(stored.panes[Self.start]?[GroupKey(version: "1", segment: odd)]?.rows == 3)
            #expect(stored.panes[Self.start]?[GroupKey(version: "1", segment: .all)]?.rows == 1)
            try ledger.dropPanes(model: "m")
            #expect(try Self.load(ledger).panes.isEmpty)
        }
    }

    @Test func `a state without alerts leaves the alerts as they were`() async throws {
        let ledger = try Ledger(path: nil)
        try ledger.commit(LedgerFixture.step(1), layouts: LedgerFixture.layouts)
        var quiet = LedgerCommit()
        quiet.states = ["m": .init(windows: .init(), alerts: nil)]
        try ledger.commit(quiet, layouts: LedgerFixture.layouts)
        let stored = try Self.load(ledger)
        #expect(stored.alerts == Array("alerts 1".utf8) && stored.windows == .init())
    }

    @Test func `rows counted with other bins are not loaded, and that is said`() async throws {
        let ledger = try Ledger(path: nil)
        try ledger.commit(LedgerFixture.step(2), layouts: LedgerFixture.layouts)
        let stored = try Self.load(ledger, "bins 2")
        #expect(stored.incompatibleRows && stored.panes.isEmpty)
        #expect(stored.windows.next.isEmpty && stored.windows.emptyRun.isEmpty)
        #expect(stored.windows.clocks == ["t/0": Self.start + .minutes(2)] && stored.alerts != nil)
        #expect(try !Self.load(ledger).incompatibleRows)
    }

    @Test(.enabled(if: Tools.hasPythonSQLite, "needs python3 with sqlite3 to interfere with the file"))
    func `a step that fails half-way leaves nothing behind`() async throws {
        try await LedgerFixture.withPath { path in
            try Self.write([LedgerFixture.step(1)], path)
            // Another program makes the last table of a step refuse: everything before it must be taken back.
            let script =
                "import sqlite3,sys; sqlite3.connect(sys.argv[1]).executescript('''CREATE TRIGGER no BEFORE INSERT "
                + "ON outbox BEGIN SELECT RAISE(ABORT, 'no room'); END''')"
            _ = try #require(Tools.run("/usr/bin/env", ["python3", "-c", script, path], input: Data()))
            do {
                let ledger = try Ledger(path: path)
                let error = #expect(throws: LedgerError.self) {
                    try ledger.commit(LedgerFixture.step(2), layouts: LedgerFixture.layouts)
                }
                #expect(error?.description.contains(path) == true && error?.description.contains("no room") == true)
            }
            let ledger = try Ledger(path: path)
            #expect(try ledger.offsets() == ["t/0": 1])
            #expect(try Self.load(ledger).panes == [Self.start: LedgerFixture.counts(1)])
            #expect(try await ledger.transitions().count == 1)
            let all = try await ledger.snapshots(model: "m", from: .distantPast, to: .distantFuture, limit: 9)
            #expect(all.count == 1)
        }
    }

    @Test func `a damaged file is refused by name, with the way out`() async throws {
        try await LedgerFixture.withPath { path in
            try Self.write((1...40).map(LedgerFixture.step), path)
            let sound = try Data(contentsOf: URL(filePath: path))
            for damage in [0..<16, 100..<4_000, sound.count / 2..<sound.count / 2 + 3_000] {
                var bytes = sound
                for i in damage { bytes[i] = 0x5a }
                try bytes.write(to: URL(filePath: path))
                for extra in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + extra) }
                let error = #expect(throws: LedgerError.self, "\(damage)") { try Ledger(path: path) }
                #expect(
                    error?.description.hasPrefix(path + ": the ledger is damaged") == true,
                    "\(error?.description ?? "")")
                #expect(error?.description.contains("Restore the file from a backup") == true)
            }
            try Data(
                "not a database, but a text of more than a hundred bytes. ".utf8 + [UInt8](repeating: 0x20, count: 100)
            )
            .write(to: URL(filePath: path))
            #expect(throws: LedgerError.self) { try Ledger(path: path) }
            try sound.prefix(sound.count / 2).write(to: URL(filePath: path))
            #expect(throws: LedgerError.self) { try Ledger(path: path) }
            #expect(throws: LedgerError.self) { try Ledger(path: "/nowhere/ledger.sqlite") }
        }
    }

    @Test func `readers see whole steps while another is written`() async throws {
        try await LedgerFixture.withPath { path in
            let ledger = try Ledger(path: path)
            try ledger.commit(LedgerFixture.step(1), layouts: LedgerFixture.layouts)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        var reads = 0
                        while try ledger.offsets() != ["t/0": 60] {
                            let stored = try Self.load(ledger)
                            let rows = stored.panes[Self.start]?[GroupKey(version: "1", segment: .all)]?.rows
                            #expect(rows == stored.windows.lateRows, "counts and state are of one step")
                            reads += 1
                            await Task.yield()
                        }
                        return reads
                    }
                }
                for offset in 2...60 {
                    try ledger.commit(LedgerFixture.step(offset), layouts: LedgerFixture.layouts)
                    await Task.yield()
                }
                try await group.waitForAll()
            }
            let transitions = try await ledger.transitions()
            #expect(transitions.count == 60)
        }
    }

    @Test func `a ledger that lost what it held is refused, not started empty`() async throws {
        try await LedgerFixture.withPath { path in
            func commit(_ offset: Int64) throws {
                var step = LedgerCommit()
                step.offsets = ["t/0": offset]
                try Ledger(path: path).commit(step, layouts: [:])
            }
            try commit(1)
            try commit(2)
            #expect(try Ledger(path: path).offsets() == ["t/0": 2])
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
            let error = #expect(throws: LedgerError.self) { try Ledger(path: path) }
            #expect(error?.description.contains("held 2 before") == true)
            #expect(error?.description.contains(".mark") == true)
            // Taking the mark away too says that it was meant.
            for suffix in ["", "-wal", "-shm", ".mark"] { try? FileManager.default.removeItem(atPath: path + suffix) }
            #expect(try Ledger(path: path).offsets().isEmpty)
        }
    }
}
