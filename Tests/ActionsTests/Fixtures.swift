import Actions
import Rules
import Values

/// A fixed instant: 2026-03-01T12:00:00Z.
let noon = Timestamp(microseconds: 1_772_366_400_000_000)

extension Alert {
    static func sample(
        _ status: Status = .firing, labels: [String: String] = [:], annotations: [String: String] = ["summary": "s"],
        fingerprint: String = "e3a848877f9757eb", context: JSON = ["value": 0.31], revision: Int = 3
    ) -> Alert {
        Alert(
            status: status, at: noon + .minutes(5),
            labels: ["alertname": "FeatureDrift", "model": "credit-risk"].merging(labels) { $1 },
            annotations: annotations, startsAt: noon, endsAt: status == .resolved ? noon + .minutes(4) : nil,
            fingerprint: fingerprint, segment: .all, context: context, revision: revision, model: "credit-risk",
            group: "credit", rule: "FeatureDrift", notify: nil, actions: [])
    }
}

extension HostLookup {
    /// Knows the given hosts only.
    static func fixed(_ hosts: [String: [String]]) -> HostLookup {
        HostLookup { (host, _) async throws(HostLookup.Failure) in
            guard let texts = hosts[host] else { throw .unknownHost("not in the test's table") }
            return texts.compactMap { IPAddress(parsing: $0) }
        }
    }
}
