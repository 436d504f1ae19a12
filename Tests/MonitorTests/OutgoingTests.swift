import Events
import Ledger
import Rules
import Testing
import Values

@testable import Monitor

/// What an alert sets in motion, and when two of them are one.
struct OutgoingTests {
    private static func alert(_ country: String, version: String, _ action: ActionRequest) -> Alert {
        let labels = ["column": "amount", "country": country, "version": version]
        return Alert(
            status: .firing, at: Timestamp(microseconds: 0), labels: labels, annotations: [:],
            startsAt: Timestamp(microseconds: 0), endsAt: nil, fingerprint: Fingerprint.hex(of: labels),
            segment: Segment([Segment.Part("country", country)]),
            context: .members(("change_start", "2025-03-01T00:00:00Z")), revision: 1, model: "pay", group: "g",
            rule: "Drift", notify: nil, actions: [action])
    }

    private static func keys(_ action: ActionRequest) -> [String] {
        [("BR", "14"), ("US", "14"), ("BR", "15"), ("BR", "14")].flatMap {
            Outgoing.actions(alert($0.0, version: $0.1, action)).map(\.key)
        }
    }

    @Test("each alert has a rollback of its own, once: one that comes to nothing does not speak for another segment")
    func rollback() {
        let keys = Self.keys(
            .rollback(
                .init(
                    to: "champion-1", mode: .guarded, unless: [], maximum: 1, maximumPer: .days(1), cooldown: .hours(1),
                    windows: 2)))
        #expect(Set(keys).count == 3 && keys[0] == keys[3])
    }

    @Test("alerts of several rules that have one cause go in one delivery, to each receiver those that name it")
    func oneCause() {
        func alert(_ rule: String, _ notify: [String]?) -> Alert {
            let labels = ["alertname": rule, "column": "plan", "model": "pay"]
            return Alert(
                status: .firing, at: Timestamp(microseconds: 0), labels: labels, annotations: [:],
                startsAt: Timestamp(microseconds: 0), endsAt: nil, fingerprint: Fingerprint.hex(of: labels),
                segment: .all, context: .members(("cause", "c1")), revision: 1, model: "pay", group: "g", rule: rule,
                notify: notify, actions: [])
        }
        let entries = Outgoing.deliveries(
            [alert("FeatureDrift", nil), alert("NewCategories", ["chat"]), alert("NullRateJump", ["oncall", "chat"])],
            siblings: { _ in [alert("StuckValue", ["oncall"])] }, receivers: ["oncall", "log"], externalURL: "")
        let told = entries.map { entry -> String in
            let body = try? JSON(parsing: entry.body)
            let names = body?["alerts"]?.arrayValue?.compactMap { $0["labels"]?["alertname"]?.stringValue } ?? []
            return "\(entry.target): \(names.sorted().joined(separator: " ")), \(body?["groupKey"]?.stringValue ?? "")"
        }
        let key = #"{}/{cause="c1"}:{model="pay"}"#
        #expect(
            told == [
                "oncall: FeatureDrift NullRateJump StuckValue, \(key)", "log: FeatureDrift, \(key)",
                "chat: NewCategories NullRateJump, \(key)",
            ])
        #expect(Set(entries.map(\.lane)).count == 1, "nothing about one alert overtakes another")
    }

    @Test("a training is started once for a version, whatever the number of segments")
    func retrain() {
        let keys = Self.keys(.retrain(.init(pipeline: "train", receiver: "ci")))
        #expect(Set(keys).count == 2 && keys[0] == keys[1] && keys[0] == keys[3])
    }
}
