import Actions
import Foundation
import TestSupport
import Testing
import Values

@Suite struct DeliveryStateMachineTests {
    private func wait(_ action: DeliveryAction, after: Timestamp = noon) -> Span? {
        guard case .deliverAgain(let at) = action else { return nil }
        return at - after
    }

    private func once(_ result: DeliveryResult, random: Double = 0.5) -> DeliveryAction {
        var machine = DeliveryStateMachine()
        return machine.on(result, at: noon, random: random)
    }

    @Test(arguments: [200, 201, 202, 204, 299])
    func `any 2xx is success`(_ status: Int) {
        #expect(once(.response(status: status, retryAfter: nil)) == .delivered)
    }

    @Test(arguments: [100, 199, 300, 301, 302, 307, 400, 408, 429, 500, 502, 503])
    func `anything else is tried again`(_ status: Int) {
        #expect(wait(once(.response(status: status, retryAfter: nil))) == .milliseconds(500))
    }

    @Test func `410 disables the receiver`() {
        guard case .disableReceiver(let reason) = once(.response(status: 410, retryAfter: nil)) else {
            Issue.record("not disabled")
            return
        }
        #expect(reason.contains("410"))
    }

    @Test func `full jitter doubles to the cap`() {
        var machine = DeliveryStateMachine()
        let justBelowOne = 1 - 0x1p-40
        let ceilings = (0..<12).map { _ in
            wait(machine.on(.connectionError("down"), at: noon, random: justBelowOne))?.seconds ?? -1
        }
        let expected: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
        for (ceiling, limit) in zip(ceilings, expected) { #expect(abs(ceiling - limit) < 1e-3) }
        #expect(wait(machine.on(.connectionError("down"), at: noon, random: 0)) == .zero)
    }

    @Test func `thousands of attempts stay within the cap`() {
        var machine = DeliveryStateMachine(attempts: 100_000, firstAttempt: noon)
        #expect(wait(machine.on(.connectionError("down"), at: noon, random: 0.5)) == .seconds(150))
    }

    @Test(arguments: [(30, 30), (3_600, 3_600), (90_000, 3_600), (0, 0)])
    func `Retry-After is a lower bound, capped at an hour`(asked: Int64, waited: Int64) {
        let result = DeliveryResult.response(status: 429, retryAfter: .seconds(asked))
        #expect(wait(once(result, random: 0)) == .seconds(waited))
    }

    @Test(arguments: [401, 403, 404])
    func `a wrong address or key is retried slowly and raised`(_ status: Int) {
        var machine = DeliveryStateMachine()
        let action = machine.on(.response(status: status, retryAfter: nil), at: noon, random: 0)
        #expect(wait(action) == .minutes(5))
        #expect(machine.isMisconfigured && machine.wantsFallback(at: noon))
        #expect(
            wait(once(.response(status: status, retryAfter: nil), random: 0.999)).map { $0 <= .minutes(15) } == true)
    }

    @Test func `fallback after five minutes of failure`() {
        var machine = DeliveryStateMachine()
        _ = machine.on(.connectionError("down"), at: noon, random: 0)
        #expect(!machine.wantsFallback(at: noon + .seconds(299)))
        #expect(machine.wantsFallback(at: noon + .minutes(5)))
    }

    @Test func `dead after 72 hours, with one last attempt at the end`() {
        var machine = DeliveryStateMachine()
        _ = machine.on(.connectionError("down"), at: noon, random: 0)
        let end = noon + .hours(72)
        #expect(machine.on(.refused("no"), at: end - .minutes(1), random: 0.9) == .deliverAgain(at: end))
        guard case .dead(let reason) = machine.on(.response(status: 302, retryAfter: nil), at: end, random: 0) else {
            Issue.record("not dead")
            return
        }
        #expect(reason.contains("3 attempts") && reason.contains("302") && reason.contains("redirects"))
        var other = DeliveryStateMachine(attempts: 9, firstAttempt: noon)
        #expect(other.on(.response(status: 200, retryAfter: nil), at: end + .days(1), random: 0) == .delivered)
    }

    @Test func `waits lie in their range whatever the chance`() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<2_000 {
            let attempts = Int.random(in: 0..<40, using: &generator)
            var machine = DeliveryStateMachine(attempts: attempts, firstAttempt: noon)
            let action = machine.on(
                .connectionError("x"), at: noon, random: Double.random(in: 0..<1, using: &generator))
            let limit = min(300, pow(2, Double(attempts)))
            #expect(wait(action).map { (0...limit).contains($0.seconds) } == true, "seed \(generator.seed)")
        }
    }

    @Test func `survives a restart as JSON`() throws {
        var machine = DeliveryStateMachine()
        _ = machine.on(.response(status: 404, retryAfter: nil), at: noon, random: 0)
        let restored = try JSONDecoder().decode(DeliveryStateMachine.self, from: JSONEncoder().encode(machine))
        #expect(restored == machine)
    }

    @Test(arguments: [
        ("120", 120), (" 7 ", 7), ("99999999999999999999", 31_536_000), ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
    ])
    func `Retry-After is read`(text: String, seconds: Int64) {
        #expect(RetryAfter.parse(text, at: noon) == .seconds(seconds))
    }

    @Test(arguments: ["", "-5", "1.5", "soon", "Sun, 01 Foo 2026 12:00:30 GMT", "Sun, 01 Mar 2026 25:00:30 GMT"])
    func `other texts are not`(_ text: String) { #expect(RetryAfter.parse(text, at: noon) == nil) }
}
