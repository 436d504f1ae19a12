package import Foundation
import Statistics
package import Values

/// All that rules remember of one model: enough that a restart changes nothing. Written in the same transaction as the
/// windows it has seen.
package struct ModelAlertState: Codable, Sendable, Hashable {
    package let model: String
    /// By fingerprint.
    package var instances: [String: AlertInstance] = [:]
    /// Why a rule could not be evaluated last time, by `group/alert`.
    package var errors: [String: String] = [:]
    /// End of the last window evaluated, by window size in microseconds.
    var evaluated: [String: Timestamp] = [:]
    /// What the evidence of past windows is, by `group/alert`.
    var detectors: [String: RuleDetectorState] = [:]
    /// The last revision of alerts that are over, so that their next episode goes on counting: receivers drop what is
    /// not newer.
    var retired: [String: Retired] = [:]
    /// What earlier windows held, by window size in microseconds; absent in states of older programs.
    private(set) var memory: [String: WindowMemory]?

    /// What rules look back on, by `RuleHistory.key`. Absent in states written before there was any.
    var histories: [String: RuleHistory]?

    /// Ends of the last windows in which instances that would have begun were explained by others, by fingerprint.
    var inhibited: [String: Timestamp]?

    /// Who brought rows, by window size in microseconds.
    var presence: [String: Presence]?

    struct Retired: Codable, Sendable, Hashable {
        var revision: Int
        var at: Timestamp
    }

    /// Ended alerts whose revision is remembered; the oldest are forgotten first.
    static let maximumRetired = 10_000

    package init(model: String) { self.model = model }

    /// Notes a window, and gives what is known of those before it.
    mutating func remember(_ snapshot: Snapshot, rows: UInt64, clock: String) -> WindowMemory {
        var all = memory ?? [:]
        all[clock, default: WindowMemory()].note(snapshot.window, rows: rows, versions: snapshot.versions)
        memory = all
        return all[clock] ?? WindowMemory()
    }

    /// Forgets what volumes were usual: against another reference they mean something else.
    package mutating func forgetVolumes() {
        for name in detectors.keys { detectors[name]?.targets.removeAll { $0.levels != nil } }
    }

    /// Columns with a firing alert, and the earliest start of their changes.
    package var firingColumns: [String: Timestamp] {
        firing.reduce(into: [:]) { all, instance in
            guard let column = instance.labels["column"] else { return }
            all[column] = min(all[column] ?? instance.changeStart, instance.changeStart)
        }
    }
    package var firing: [AlertInstance] { sorted(.firing) }
    /// Rules of firing alerts, by fingerprint.
    package var firingRules: [String: String] { instances.filter { $0.value.phase == .firing }.mapValues(\.rule) }
    /// Fingerprints of alerts that are pending or fire.
    package var open: Set<String> { Set(instances.filter { $0.value.phase != .inactive }.keys) }
    package var pending: [AlertInstance] { sorted(.pending) }
    /// Fingerprints of the firing alerts of a cause, in order.
    package func firing(ofCause id: String) -> [String] {
        instances.filter { $0.value.phase == .firing && $0.value.cause?.id == id }.keys.sorted()
    }

    private func sorted(_ phase: AlertInstance.Phase) -> [AlertInstance] {
        instances.filter { $0.value.phase == phase }.sorted { $0.key < $1.key }.map(\.value)
    }

    /// First of the bytes of a packed state; JSON, which older programs wrote, never begins like this.
    private static let packedFormat: UInt8 = 1

    /// The same state is always the same bytes: a byte of format, then a packed value (`PackedValue`).
    package func encoded() throws -> Data {
        Data([Self.packedFormat] + (try PackedEncoder.encode(self)).bytes())
    }

    /// What versions before the detector wrote has no `detectors`.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        model = try values.decode(String.self, forKey: .model)
        instances = try values.decode([String: AlertInstance].self, forKey: .instances)
        errors = try values.decode([String: String].self, forKey: .errors)
        evaluated = try values.decode([String: Timestamp].self, forKey: .evaluated)
        retired = try values.decode([String: Retired].self, forKey: .retired)
        detectors = try values.decodeIfPresent([String: RuleDetectorState].self, forKey: .detectors) ?? [:]
        memory = try values.decodeIfPresent([String: WindowMemory].self, forKey: .memory)
        histories = try values.decodeIfPresent([String: RuleHistory].self, forKey: .histories)
        presence = try values.decodeIfPresent([String: Presence].self, forKey: .presence)
        inhibited = try values.decodeIfPresent([String: Timestamp].self, forKey: .inhibited)
    }

    package init(decoding data: Data) throws {
        if data.first == Self.packedFormat {
            self = try PackedDecoder.decode(Self.self, from: try PackedValue([UInt8](data.dropFirst())[...]))
        } else {
            self = try JSONDecoder().decode(Self.self, from: data)
        }
    }

    mutating func retire(_ fingerprint: String, _ instance: AlertInstance, at: Timestamp) {
        instances[fingerprint] = nil
        // Nobody was told of it, so nobody counts its revisions.
        guard instance.revision > 0 else { return }
        retired[fingerprint] = Retired(revision: instance.revision, at: at)
        guard retired.count > Self.maximumRetired else { return }
        // A tenth at a time, so that the sort is rare.
        let oldest = retired.sorted { ($0.value.at, $0.key) < ($1.value.at, $1.key) }
        for (key, _) in oldest.prefix(Self.maximumRetired / 10) { retired[key] = nil }
    }
}
