import Sketches
import Testing
import Values
import Windows

@testable import Monitor

/// What holds the watermark back, with time as a parameter.
struct SourceTrackerTests {
    private static let start = Timestamp(microseconds: 0)

    private static func rows(_ source: String, at time: Int64) -> PaneDelta {
        var delta = PaneDelta()
        delta.clocks = [source: Timestamp(microseconds: time)]
        return delta
    }

    private static func tracker(_ names: String...) -> SourceTracker {
        var tracker = SourceTracker(idle: [.seconds(30)])
        tracker.isHeld = false
        for name in names { tracker.add(name, clocks: [nil], at: start) }
        return tracker
    }

    @Test("a source counts until it is read to its end and silent for a while")
    func silence() {
        var tracker = Self.tracker("p0", "p1")
        #expect(tracker.activity(at: Self.start)[0].active == ["p0", "p1"], "their backlog may hold anything")
        // Rows and then the end come within one step, as a poll brings them.
        tracker.reachedEnd("p0")
        tracker.take([Self.rows("p0", at: 5)], at: Self.start + .seconds(1))
        #expect(tracker.activity(at: Self.start + .seconds(30))[0].active == ["p0", "p1"])
        #expect(tracker.activity(at: Self.start + .seconds(31))[0].active == ["p1"], "p0 is idle, p1 was never read")
        tracker.reachedEnd("p1")
        tracker.take([PaneDelta()], at: Self.start + .seconds(31))
        let activity = tracker.activity(at: Self.start + .seconds(41))[0]
        #expect(activity.active.isEmpty && activity.idle == .seconds(40))
    }

    @Test("messages after the end in the same step are not yet read to the end")
    func messageAfterEnd() {
        var tracker = Self.tracker("p0")
        tracker.reachedEnd("p0")
        tracker.leftEnd("p0")
        tracker.take([Self.rows("p0", at: 5)], at: Self.start)
        #expect(tracker.activity(at: Self.start + .hours(1))[0].active == ["p0"])
        tracker.reachedEnd("p0")
        tracker.take([PaneDelta()], at: Self.start + .hours(1))
        #expect(tracker.activity(at: Self.start + .hours(1))[0].active.isEmpty)
    }

    @Test("before the first assignment, and with the brokers away, nothing closes")
    func held() {
        #expect(SourceTracker(idle: [.seconds(30)]).activity(at: Self.start)[0].isHeld)
        var tracker = Self.tracker("p0")
        tracker.isHeld = true
        #expect(tracker.activity(at: Self.start)[0].isHeld)
    }

    @Test("a source whose message waits is not idle, however long ago its end was reached")
    func waiting() {
        var tracker = Self.tracker("p0", "p1")
        for name in ["p0", "p1"] { tracker.reachedEnd(name) }
        tracker.take([Self.rows("p0", at: 5)], at: Self.start)
        let later = Self.start + .hours(1)
        #expect(tracker.activity(at: later)[0].active.isEmpty)
        tracker.wait("p0", true)
        tracker.wait("p1", true)
        #expect(tracker.activity(at: later)[0].active == ["p0", "p1"], "also where no row of the model has come yet")
        tracker.wait("p0", false)
        tracker.wait("p1", false)
        #expect(tracker.activity(at: later)[0].active.isEmpty)
    }
}

/// The bell between the engine and the loops that deliver.
struct DoorbellTests {
    @Test("waits that time out go on timing out, and a ring is heard whenever it comes", .timeLimit(.minutes(1)))
    func rings() async {
        let bell = Doorbell()
        let clock = ContinuousClock()
        for _ in 0..<3 {
            let start = clock.now
            await bell.wait(atMost: .milliseconds(30))
            #expect(clock.now - start >= .milliseconds(25), "a wait that nobody rang ended early")
        }
        bell.ring()
        bell.ring()
        await bell.wait(atMost: .seconds(60))
        let start = clock.now
        await bell.wait(atMost: .milliseconds(30))
        #expect(clock.now - start >= .milliseconds(25), "two rings before a wait are one")
        async let waiting: Void = bell.wait(atMost: .seconds(60))
        bell.ring()
        await waiting
    }
}
