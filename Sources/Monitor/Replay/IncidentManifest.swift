import Events
import Foundation
import Values

/// A list of known incidents in a stream: `{"period": [start, end], "faults": [{"id", "type", "difficulty", "features", "secondary",
/// "segment", "start", "end"}]}`, times in RFC 3339 (without an offset they are UTC).
struct IncidentManifest {
    let period: TimeRange
    let faults: [IncidentScore.Fault]

    init(path: String) throws(Replay.Failure) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Replay.Failure(description: "\(path): there is no such file")
        }
        let json: JSON
        do {
            json = try JSON(parsing: data)
        } catch {
            throw Replay.Failure(description: "\(path): is not JSON: \(error)")
        }
        guard let ends = json["period"]?.arrayValue, ends.count == 2 else {
            throw Replay.Failure(description: "\(path): expected `period`, a list of two times")
        }
        period = TimeRange(
            start: try Self.time(ends[0], "period", path), end: try Self.time(ends[1], "period", path))
        guard let list = json["faults"]?.arrayValue else {
            throw Replay.Failure(description: "\(path): expected `faults`, a list of incidents")
        }
        var faults: [IncidentScore.Fault] = []
        for (i, item) in list.enumerated() { faults.append(try Self.fault(item, "faults[\(i)]", path)) }
        self.faults = faults
    }

    private static func fault(
        _ item: JSON, _ place: String, _ path: String
    ) throws(Replay.Failure) -> IncidentScore.Fault {
        func text(_ key: String) throws(Replay.Failure) -> String {
            guard let text = item[key]?.stringValue else {
                throw Replay.Failure(description: "\(path): \(place): expected `\(key)`, a text")
            }
            return text
        }
        func texts(_ key: String) -> [String] { (item[key]?.arrayValue ?? []).compactMap(\.stringValue) }
        var segment: [String: String] = [:]
        for member in item["segment"]?.objectValue ?? [] { segment[member.key] = member.value.stringValue }
        let fault = IncidentScore.Fault(
            id: try text("id"), type: try text("type"), difficulty: item["difficulty"]?.stringValue ?? "",
            features: texts("features"), secondary: texts("secondary"), segment: segment,
            start: try time(item["start"], "\(place).start", path), end: try time(item["end"], "\(place).end", path))
        if fault.primary.isEmpty {
            throw Replay.Failure(
                description:
                    "\(path): \(place): expected `features`, or a type of concept_drift, bad_release or volume_drop, found `\(fault.type)`"
            )
        }
        return fault
    }

    private static func time(_ json: JSON?, _ place: String, _ path: String) throws(Replay.Failure) -> Timestamp {
        if let text = json?.stringValue {
            for candidate in [text, text + "Z", text + "T00:00:00Z"] {
                if let time = Timestamp(rfc3339: candidate) { return time }
            }
        }
        throw Replay.Failure(description: "\(path): \(place): expected a time such as `2026-01-01T00:00:00Z`")
    }
}
