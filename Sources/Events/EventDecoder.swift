package import Values

/// JSON messages to columnar batches, one per model: the native events of contracts.md section 2, single, in an array, or as
/// JSON lines.
///
/// An event is read twice in place: once to validate it and find its parts (keys may come in any order, the model's name last),
/// once to read the parts with the model's schema. One decoder belongs to one worker.
package struct EventDecoder {
    /// Messages over this are refused unread.
    package static let maximumMessageBytes = 10 * 1024 * 1024
    /// Where a message is not one broker record but a request's body, which has a limit of its own, the limit holds for each event.
    package var limitsWholeMessages = true
    /// Event time may run this far ahead of the clock; later events are quarantined, so that one bad clock cannot close windows.
    package static let futureTolerance = Span.minutes(10)

    package let batches: [EventBatch]
    /// Keys of `features` that no model column or option names, for a counter.
    package internal(set) var unknownKeys: UInt64 = 0
    /// The caller's number of the source whose messages come next.
    package var source: UInt16 = 0
    package internal(set) var kinds: [UInt64] = Array(repeating: 0, count: EventKind.allCases.count)

    var models: [ModelReader]
    private let modelTable: ByteStringTable
    var avro: AvroSchemas

    package init(_ schemas: [ModelSchema]) {
        models = schemas.map(ModelReader.init)
        modelTable = ByteStringTable(schemas.map(\.model))
        batches = schemas.map(EventBatch.init)
        avro = AvroSchemas(schemas)
    }

    package func versionName(model: Int, _ index: UInt16) -> String { models[model].versions.name(Int(index)) }

    package func segmentValue(model: Int, dimension: Int, _ index: UInt16) -> String {
        models[model].dimensionValues[dimension].name(Int(index))
    }

    package func removeAll(model: Int) { batches[model].removeAll() }

    package mutating func takeCounters() -> (unknownKeys: UInt64, kinds: [UInt64]) {
        defer {
            unknownKeys = 0
            for i in kinds.indices { kinds[i] = 0 }
        }
        return (unknownKeys, kinds)
    }

    /// Appends a message's usable events to the batches and reports the others. Never throws: a bad message is data.
    /// - Parameter now: the wall clock in `serve`; `nil` in a replay, where no event is in the future.
    package mutating func decode(
        _ message: UnsafeRawBufferPointer, defaults: TopicDefaults, now: Timestamp?, reject: (Rejection) -> Void
    ) {
        guard message.count <= Self.maximumMessageBytes || !limitsWholeMessages else {
            reject(
                Rejection(
                    reason: .tooLarge, detail: "\(message.count) bytes, limit \(Self.maximumMessageBytes)",
                    range: 0..<message.count, index: 0))
            return
        }
        var scanner = JSONScanner(message)
        scanner.skipWhitespace()
        if scanner.isAtEnd {
            reject(Rejection(reason: .empty, detail: "no JSON value", range: 0..<message.count, index: 0))
        } else if scanner.peek == 0x5b {
            decodeArray(message, &scanner, defaults, now, reject)
        } else {
            decodeLines(message, &scanner, defaults, now, reject)
        }
    }

    private mutating func decodeArray(
        _ message: UnsafeRawBufferPointer, _ scanner: inout JSONScanner, _ defaults: TopicDefaults, _ now: Timestamp?,
        _ reject: (Rejection) -> Void
    ) {
        // The whole array must be sound before any of it counts: the message is dead-lettered as one.
        let start = scanner.position
        do throws(JSONError) {
            try scanner.skipValue()
            scanner.skipWhitespace()
            guard scanner.isAtEnd else { throw scanner.error("text after the array") }
        } catch {
            reject(Self.malformed(error, 0..<message.count, 0))
            return
        }
        scanner.position = start + 1
        scanner.skipWhitespace()
        var index = 0
        while scanner.peek != 0x5d {
            let range = (try? scanner.skipValue()) ?? scanner.position..<scanner.end
            decodeEvent(message, range, index, defaults, now, reject)
            index += 1
            scanner.skipWhitespace()
            if scanner.peek == 0x2c { scanner.position += 1 }
        }
        if index == 0 {
            reject(Rejection(reason: .empty, detail: "an array without events", range: 0..<message.count, index: 0))
        }
    }

    private mutating func decodeLines(
        _ message: UnsafeRawBufferPointer, _ scanner: inout JSONScanner, _ defaults: TopicDefaults, _ now: Timestamp?,
        _ reject: (Rejection) -> Void
    ) {
        var index = 0
        while true {
            scanner.skipWhitespace()
            if scanner.isAtEnd { return }
            let start = scanner.position
            do throws(JSONError) {
                let range = try scanner.skipValue()
                var lineEnd = scanner.position
                while lineEnd < scanner.end, message[lineEnd] != 0x0a {
                    guard [0x20, 0x09, 0x0d].contains(message[lineEnd]) else {
                        scanner.position = lineEnd
                        throw scanner.error("text after the event")
                    }
                    lineEnd += 1
                }
                scanner.position = lineEnd
                decodeEvent(message, range, index, defaults, now, reject)
            } catch {
                // A broken line ends at its newline; the next may be sound.
                var lineEnd = start
                while lineEnd < scanner.end, message[lineEnd] != 0x0a { lineEnd += 1 }
                reject(Self.malformed(error, start..<lineEnd, index))
                scanner.position = lineEnd
            }
            index += 1
        }
    }

    private static func malformed(_ error: JSONError, _ range: Range<Int>, _ index: Int) -> Rejection {
        Rejection(
            reason: .malformed, detail: "\(error.reason) at byte \(error.offset)", range: range, index: index)
    }

    private mutating func decodeEvent(
        _ message: UnsafeRawBufferPointer, _ range: Range<Int>, _ index: Int, _ defaults: TopicDefaults,
        _ now: Timestamp?, _ reject: (Rejection) -> Void
    ) {
        func refuse(_ reason: RejectReason, _ detail: String) {
            reject(Rejection(reason: reason, detail: detail, range: range, index: index))
        }
        guard range.count <= Self.maximumMessageBytes else {
            return refuse(.tooLarge, "\(range.count) bytes, limit \(Self.maximumMessageBytes)")
        }
        guard message[range.lowerBound] == 0x7b else {
            return refuse(.notAnObject, "an event is a JSON object")
        }
        let parts = EventParts(message, range)
        if let bad = parts.badField { return refuse(.badField, "\(bad) has a type an event cannot have") }
        guard let kind = parts.kind(message) else {
            return refuse(.unknownType, "type is none of prediction, label, features")
        }
        guard let name = parts.model.map({ JSONText.string(message, $0) }) ?? defaults.model else {
            return refuse(.noModel, "neither the event nor the topic's configuration names a model")
        }
        guard let model = modelIndex(name) else {
            return refuse(.unknownModel, "model '\(name.prefix(100))' is not configured")
        }
        guard let ts = parts.timestamp else { return refuse(.noTimestamp, "ts is missing") }
        guard let time = Self.timestamp(message, ts) else {
            return refuse(.badTimestamp, "ts is neither RFC 3339 nor epoch seconds or milliseconds")
        }
        if let now, time > now + Self.futureTolerance {
            return refuse(.future, "ts \(time.rfc3339) is over 10 minutes ahead of the clock")
        }
        switch kind {
        case .label:
            if parts.label == nil { return refuse(.badField, "a label event without label") }
            if parts.id == nil { return refuse(.noID, "a label event without id") }
        case .prediction:
            if parts.prediction == nil && parts.features == nil {
                return refuse(.noPrediction, "neither prediction nor features")
            }
        case .features:
            if parts.features == nil { return refuse(.badField, "a features event without features") }
        }
        kinds[kind.rawValue] += 1
        // Labels are counted here; joining them to predictions is the business of performance monitoring.
        guard kind != .label else { return }
        unknownKeys += models[model].append(
            message, parts, time: time, source: source, kind: kind, defaultVersion: defaults.version,
            to: batches[model])
    }

    private func modelIndex(_ name: String) -> Int? {
        var copy = name
        return copy.withUTF8 { modelTable.find(UnsafeRawBufferPointer($0)) }
    }

    /// RFC 3339, or a number: epoch seconds below 10^11, milliseconds from there on. `nil` for other texts and outside
    /// the years 0 to 9999.
    static func timestamp(_ message: UnsafeRawBufferPointer, _ value: EventParts.Value) -> Timestamp? {
        switch value {
        case .text(let text):
            return JSONText.withUnescaped(message, text) { Timestamp(rfc3339: $0) }
        case .number(let range):
            let number = JSONText.double(message, range)
            let micros = (abs(number) < 1e11 ? number * 1e6 : number * 1e3).rounded()
            guard let whole = Int64(exactly: micros) else { return nil }
            let time = Timestamp(microseconds: whole)
            return Timestamp.writable.contains(time) ? time : nil
        case .object, .other: return nil
        }
    }
}
