import Events
import Sketches
package import Statistics
import Values

/// The member `performance` of a reference file: how the model did on the reference's labelled rows, for all traffic and each segment.
/// `sketch` is `PerformanceSketch.encode` in hexadecimal digits; `metrics` beside it are for people and read by nobody.
extension ReferenceFile {
    /// A file's bytes with the performance added at its end.
    package static func adding(_ performance: PerformanceReference, to file: [UInt8]) -> [UInt8] {
        guard let last = file.lastIndex(of: UInt8(ascii: "]")) else { return file }
        var out = Array(file[...last])
        out += ",\n  \"performance\": {\n    \"task\": \(JSON.string(performance.task.rawValue).text),\n".utf8
        if let basis = performance.basis { out += "    \"basis\": \(json(basis).text),\n".utf8 }
        if let errors = performance.errors {
            let bins = errors.bins.map { JSON.numbers([$0.upTo, $0.rows, $0.meanError, $0.variance]) }
            out += "    \"errors\": \(JSON.array(bins).text),\n".utf8
        }
        out += "    \"groups\": [\n".utf8
        for (i, group) in performance.groups.sorted(by: { $0.key < $1.key }).enumerated() {
            if i > 0 { out += ",\n".utf8 }
            let metrics = JSON.object(
                performance.metrics(of: group.key).present.map { .init($0.metric.name, .number($0.value)) })
            out += "      ".utf8
            JSON.members(
                ("segment", group.key.json), ("labelled", .integer(group.value.labelled)), ("metrics", metrics),
                ("wobble", wobble(performance.wobbles[group.key])), ("sketch", .string(hex(group.value.encode())))
            ).write(into: &out)
        }
        out += "\n    ]".utf8
        if !performance.seasons.isEmpty { add(performance.seasons, to: &out) }
        out += "\n  }\n}\n".utf8
        return out
    }

    /// `basis`: what rows were counted by, so that a configuration that says something else is noticed.
    private static func json(_ basis: PerformanceBasis) -> JSON {
        .members(
            ("positive", basis.positives.isEmpty ? nil : .array(basis.positives.map { .string($0) })),
            ("labels", basis.labels.isEmpty ? nil : .array(basis.labels.map { .string($0) })),
            ("threshold", basis.threshold.map { .number($0) }), ("guessed", basis.isGuessed ? .bool(true) : nil))
    }

    private static func basis(_ json: JSON) -> PerformanceBasis {
        func texts(_ name: String) -> [String] { (json[name]?.arrayValue ?? []).compactMap(\.stringValue) }
        return PerformanceBasis(
            positives: texts("positive"), labels: texts("labels"), threshold: json["threshold"]?.numberValue,
            isGuessed: json["guessed"] == .bool(true))
    }

    /// `seasons`: groups whose rows of weekdays and of weekends are compared apart.
    private static func add(_ seasons: [Segment: [WeekPart: PerformanceSketch]], to out: inout [UInt8]) {
        out += ",\n    \"seasons\": [\n".utf8
        var isFirst = true
        for (segment, parts) in seasons.sorted(by: { $0.key < $1.key }) {
            for part in WeekPart.allCases {
                guard let sketch = parts[part] else { continue }
                out += isFirst ? "      ".utf8 : ",\n      ".utf8
                isFirst = false
                JSON.members(
                    ("segment", segment.json), ("times", .string(part.rawValue)),
                    ("labelled", .integer(sketch.labelled)), ("sketch", .string(hex(sketch.encode())))
                ).write(into: &out)
            }
        }
        out += "\n    ]".utf8
    }

    /// The performance in a file, `nil` where it has none.
    package static func performance(_ bytes: [UInt8]) throws(Failure) -> PerformanceReference? {
        let document: JSON
        do throws(JSONError) {
            document = try JSON(parsing: bytes)
        } catch {
            throw Failure(description: "not JSON: \(error.reason) at byte \(error.offset)")
        }
        guard let performance = document["performance"] else { return nil }
        guard let task = performance["task"]?.stringValue.flatMap(PerformanceTask.init) else {
            throw Failure(description: "performance: no known task; build the reference again")
        }
        var groups: [Segment: PerformanceSketch] = [:]
        var wobbles: [Segment: PerformanceWobble] = [:]
        for item in performance["groups"]?.arrayValue ?? [] {
            let (segment, sketch) = try group(item, task)
            groups[segment] = sketch
            wobbles[segment] = try performanceWobble(item, of: segment)
        }
        var seasons: [Segment: [WeekPart: PerformanceSketch]] = [:]
        for item in performance["seasons"]?.arrayValue ?? [] {
            let (segment, sketch) = try group(item, task)
            guard let part = item["times"]?.stringValue.flatMap(WeekPart.init(rawValue:)) else {
                throw Failure(
                    description: "performance of \(segment): no known part of the week; build the reference again")
            }
            seasons[segment, default: [:]][part] = sketch
        }
        guard groups[.all] != nil else {
            throw Failure(description: "performance: all traffic (segment {}) is missing; build the reference again")
        }
        let bins = (performance["errors"]?.arrayValue ?? []).compactMap { item -> ErrorCurve.Bin? in
            let numbers = (item.arrayValue ?? []).compactMap(\.numberValue)
            guard numbers.count == 4, numbers.allSatisfy(\.isFinite), numbers[1] > 0, numbers[3] >= 0 else {
                return nil
            }
            return ErrorCurve.Bin(upTo: numbers[0], rows: numbers[1], meanError: numbers[2], variance: numbers[3])
        }
        return PerformanceReference(
            task: task, basis: performance["basis"].map(basis), groups: groups, seasons: seasons, wobbles: wobbles,
            errors: bins.isEmpty ? nil : ErrorCurve(bins: bins))
    }

    private static func group(_ item: JSON, _ task: PerformanceTask) throws(Failure) -> (Segment, PerformanceSketch) {
        let segment = Segment(
            (item["segment"]?.objectValue ?? []).map { Segment.Part($0.key, $0.value.stringValue ?? "") })
        guard let bytes = item["sketch"]?.stringValue.flatMap(bytes(hex:)) else {
            throw Failure(description: "performance of \(segment): no sketch; build the reference again")
        }
        let sketch: PerformanceSketch
        do throws(CodecError) {
            sketch = try PerformanceSketch(decoding: bytes)
        } catch {
            throw Failure(description: "performance of \(segment): \(error.reason); build the reference again")
        }
        guard sketch.task == task else {
            throw Failure(description: "performance of \(segment): of another task; build the reference again")
        }
        return (segment, sketch)
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func bytes(hex text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(digits.count / 2)
        for i in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[i]), let low = value(digits[i + 1]) else { return nil }
            out.append(high << 4 | low)
        }
        return out
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}
