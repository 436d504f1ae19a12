import Testing
import Values

@testable import Monitor

/// Who may add to a source, and who speaks for it, with time as a parameter.
struct SourceBookTests {
    private static let now = Timestamp(microseconds: 0)
    private static let clock = Timestamp(microseconds: 77)

    private static func book() -> SourceBook { SourceBook(offsets: ["t/0": 100], clocks: [["t/0": clock]]) }

    private static func delta(_ offsets: [String: Int64]) -> IntakeDelta {
        var delta = IntakeDelta()
        delta.offsets = offsets
        return delta
    }

    private static func report(
        _ reading: [String], leaving: [String] = [], began: [String: Int64?] = [:]
    ) -> IntakeReport {
        IntakeReport(activity: [SourceActivity()], reading: reading, leaving: leaving, began: began)
    }

    @Test func `a delta is refused unless it begins where the ledger stands`() {
        var book = Self.book()
        func refusal(_ next: [String: Int64], _ began: [String: Int64?]) -> StaleDelta? {
            book.refusal(of: Self.delta(next), Self.report([], began: began))
        }
        #expect(refusal(["t/0": 150], ["t/0": 100]) == nil)
        #expect(refusal(["t/0": 7], ["t/0": 100]) == nil, "a topic that began anew goes back")
        #expect(refusal(["t/0": 150], ["t/0": 90])?.stands == 100, "counted by another already")
        #expect(refusal(["t/0": 150], ["t/0": 110])?.began == 110, "some are missing")
        #expect(refusal(["t/0": 150], ["t/0": nil]) != nil, "the ledger knows the source by now")
        #expect(refusal(["t/1": 9], ["t/1": nil]) == nil)
        #expect(refusal(["t/1": 9], ["t/1": 3]) != nil)
        #expect(refusal(["t/1": 9, "t/0": 150], ["t/1": nil, "t/0": 99])?.source == "t/0", "one is enough")
        #expect(refusal([:], ["t/0": 5]) == nil, "nothing came of it")
        book.stored(Self.delta(["t/0": 150]), clocks: [["t/0": Self.clock]])
        #expect(book.refusal(of: Self.delta(["t/0": 160]), Self.report([], began: ["t/0": 100])) != nil)
    }

    @Test func `a reader begins where the ledger stands, with the clock it has`() {
        var book = Self.book()
        let starts = book.take(["t/0", "t/1"], by: "a", at: Self.now)
        #expect(starts["t/0"] == .init(offset: 100, clocks: [Self.clock]))
        #expect(starts["t/1"] == .init(offset: nil, clocks: [nil]))
    }

    @Test func `a source that changes hands is spoken for until its new reader reports it`() {
        var book = Self.book()
        _ = book.take(["t/0"], by: "a", at: Self.now)
        #expect(book.unspoken == ["t/0"])
        book.note(Self.report([]), from: "a", at: Self.now)
        #expect(book.unspoken == ["t/0"], "a report made before the assignment does not name it")
        book.note(Self.report(["t/0"]), from: "a", at: Self.now)
        #expect(book.unspoken.isEmpty)
        book.note(Self.report([], leaving: ["t/0"]), from: "a", at: Self.now)
        #expect(book.unspoken == ["t/0"])
        _ = book.take(["t/0"], by: "b", at: Self.now)
        // One that lost it without noticing goes on naming it, and then gives it up.
        book.note(Self.report(["t/0"]), from: "a", at: Self.now)
        book.note(Self.report([], leaving: ["t/0"]), from: "a", at: Self.now)
        book.note(Self.report([]), from: "c", at: Self.now + .days(1))
        #expect(book.unspoken == ["t/0"], "it is b's, whenever b reports")
        book.note(Self.report(["t/0"]), from: "b", at: Self.now)
        #expect(book.unspoken.isEmpty)
    }

    @Test func `a source that nobody takes over is forgotten after a while`() {
        var book = Self.book()
        _ = book.take(["t/0"], by: "a", at: Self.now)
        book.note(Self.report([], leaving: ["t/0"]), from: "a", at: Self.now)
        book.note(Self.report([]), from: "b", at: Self.now + .minutes(5))
        #expect(book.unspoken == ["t/0"])
        book.note(Self.report([]), from: "b", at: Self.now + SourceBook.unclaimedLimit)
        #expect(book.unspoken.isEmpty)
    }
}
