package import Values

/// Messages to batches of rows, one per model: the native events of contracts.md section 2 as JSON, single, in an array or as JSON
/// lines, and as Avro records (`decodeAvro`).
///
/// An event in one of the usual forms is read in one pass (`LearnedReader`). All others are read twice in place: once to validate
/// the event and find its parts (keys may come in any order, the model's name last), once to read the parts with the model's
/// schema. Only this general way refuses events. One decoder belongs to one worker; copies share their batches and names.
package struct EventDecoder {
    /// Messages over this are refused unread.
    package static let maximumMessageBytes = 10 * 1024 * 1024
    /// Where a message is not one broker record but a request's body, which has a limit of its own, the limit holds for each event.
    package var limitsWholeMessages = true
    /// How far ahead of the clock events may be.
    package var tolerance = FutureTolerance.live

    /// By model, in the order of the schemas.
    package let batches: [EventBatch]
    /// Keys of `features` that no model column or option names, for a counter.
    package var unknownKeys: UInt64 { counters.unknownKeys.pointee }
    /// The caller's number of the source whose messages come next.
    package var source: UInt16 = 0
    /// Usable events that were read in one pass; the others took the general way.
    package var fastEvents: UInt64 { counters.fast.pointee }
    /// Usable events by `EventKind`.
    package var kinds: [UInt64] { EventKind.allCases.map { counters.kinds[$0.rawValue] } }

    var models: [ModelReader]
    private let modelNames: ByteStringTable
    let counters: EventCounters
    let strays: StrayFields
    var avro: AvroSchemas
    /// Lent without being counted: the decoder owns it, in `learnedOwner`, for as long as it can be used.
    private let learned: Unmanaged<LearnedReader>?
    private let learnedOwner: LearnedReader?

    /// - Parameters:
    ///   - places: which names the models' readers tell apart, by model; `nil` for a decoder that shares no decision.
    ///   - isFast: false to read every event the general way, which gives the same rows.
    package init(_ schemas: [ModelSchema], places: [NamePlaces]? = nil, isFast: Bool = true) {
        counters = EventCounters()
        strays = StrayFields(models: schemas.count, counters)
        models = zip(schemas, places ?? schemas.map(NamePlaces.init)).map { ModelReader($0, $1) }
        modelNames = ByteStringTable(schemas.map(\.model))
        batches = schemas.map(EventBatch.init)
        avro = AvroSchemas(schemas)
        learnedOwner =
            isFast ? LearnedReader(models.map(\.tables), batches: batches, modelNames: modelNames, strays: strays) : nil
        learned = learnedOwner.map { .passUnretained($0) }
    }

    /// The text of a version's number in the batches.
    package func versionName(model: Int, _ index: UInt16) -> String {
        models[model].tables.versions.name(Int(index)).nameForm
    }

    /// The text of a segment value's number in the batches.
    package func segmentValue(model: Int, dimension: Int, _ index: UInt16) -> String {
        models[model].tables.dimensions[dimension].values.name(Int(index)).nameForm
    }

    /// The generation of the model's `NamePlaces` in which its names are told apart.
    package func generation(model: Int) -> Int { models[model].tables.generation }

    /// Empties a model's batch.
    package func removeAll(model: Int) {
        batches[model].removeAll()
        strays.removeAll(model: model)
    }

    /// The fields of a model's batch that nobody lists, ascending by row.
    package func strayFields(model: Int) -> [StrayField] { strays.fields(model: model) }

    /// The name of such a field; `(other)` past the number that is told apart.
    package func strayName(model: Int, _ number: UInt16) -> String { strays.name(number, model: model) }

    /// Hands out what was counted since the last time.
    /// - Returns: `overflow` has, for each model and dimension, the rows whose value had to share the number of `(other)` because the
    ///   dimension has as many values as it may.
    package mutating func takeCounters() -> (unknownKeys: UInt64, kinds: [UInt64], overflow: [[UInt64]]) {
        strays.settle()
        defer { counters.reset() }
        return (unknownKeys, kinds, models.map { $0.tables.takeOverflow() })
    }

    /// Appends a message's usable events to the batches and reports the others. Never throws: a bad message is data.
    /// - Parameter now: the wall clock; `nil` where no event is in the future.
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
        let latest = now.map { $0 + tolerance.span }
        // Nearly every message is one event and no more.
        if let end = readFast(message, 0, depth: 0, defaults, latest), end == message.count {
            commitFast()
            return
        }
        decodeUnusual(message, defaults, latest, reject)
    }

    @inline(never)
    private mutating func decodeUnusual(
        _ message: UnsafeRawBufferPointer, _ defaults: TopicDefaults, _ latest: Timestamp?,
        _ reject: (Rejection) -> Void
    ) {
        var scanner = JSONScanner(message)
        scanner.skipWhitespace()
        if scanner.isAtEnd {
            reject(Rejection(reason: .empty, detail: "no JSON value", range: 0..<message.count, index: 0))
        } else if scanner.peek == 0x5b {
            decodeArray(message, &scanner, defaults, latest, reject)
        } else {
            decodeLines(message, &scanner, defaults, latest, reject)
        }
    }

    private mutating func decodeArray(
        _ message: UnsafeRawBufferPointer, _ scanner: inout JSONScanner, _ defaults: TopicDefaults,
        _ latest: Timestamp?,
        _ reject: (Rejection) -> Void
    ) {
        let start = scanner.position
        if let learnedOwner, learnedOwner.readArray(message, at: start, defaults, latest, source, counters) { return }
        // The whole array must be sound before any of it counts: the message is dead-lettered as one.
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
            if let end = readFast(message, scanner.position, depth: 1, defaults, latest) {
                commitFast()
                scanner.position = end
            } else {
                let range = (try? scanner.skipValue()) ?? scanner.position..<scanner.end
                decodeEvent(message, range, index, defaults, latest, reject)
            }
            index += 1
            scanner.skipWhitespace()
            if scanner.peek == 0x2c { scanner.position += 1 }
            scanner.skipWhitespace()
        }
        if index == 0 {
            reject(Rejection(reason: .empty, detail: "an array without events", range: 0..<message.count, index: 0))
        }
    }

    private mutating func decodeLines(
        _ message: UnsafeRawBufferPointer, _ scanner: inout JSONScanner, _ defaults: TopicDefaults,
        _ latest: Timestamp?,
        _ reject: (Rejection) -> Void
    ) {
        var index = 0
        var isRead = false
        // A broken value may run through many lines, each of which is then looked at by itself: not without end.
        var budget = Self.rereadBytes + Self.rereadTimes * message.count
        while !isRead {
            scanner.skipWhitespace()
            if scanner.isAtEnd { return }
            if let end = readFast(message, scanner.position, depth: 0, defaults, latest),
                let lineEnd = Self.lineEnd(message, end)
            {
                commitFast()
                scanner.position = lineEnd
            } else {
                isRead = !decodeLine(message, &scanner, index, &budget, defaults, latest, reject)
            }
            index += 1
        }
    }

    /// Bytes of a message's broken lines that may be read in vain: so many, and so many times the message.
    private static let rereadBytes = 1 << 20
    private static let rereadTimes = 4

    /// - Returns: whether the next line may be read. The rest of a message is refused as one where too much was read in vain.
    private mutating func decodeLine(
        _ message: UnsafeRawBufferPointer, _ scanner: inout JSONScanner, _ index: Int, _ budget: inout Int,
        _ defaults: TopicDefaults, _ latest: Timestamp?, _ reject: (Rejection) -> Void
    ) -> Bool {
        let start = scanner.position
        do throws(JSONError) {
            let range = try scanner.skipValue()
            guard let lineEnd = Self.lineEnd(message, scanner.position) else {
                scanner.position = Self.blankEnd(message, scanner.position)
                throw scanner.error("text after the event")
            }
            scanner.position = lineEnd
            decodeEvent(message, range, index, defaults, latest, reject)
            return true
        } catch {
            budget -= error.offset - start
            guard budget > 0 else {
                reject(
                    Rejection(
                        reason: .malformed,
                        detail:
                            "\(error.reason) at byte \(error.offset), after too many broken lines to look at the rest",
                        range: start..<scanner.end, index: index))
                return false
            }
            // A broken line ends at its newline; the next may be sound.
            var lineEnd = start
            while lineEnd < scanner.end, message[lineEnd] != 0x0a { lineEnd += 1 }
            reject(Self.malformed(error, start..<lineEnd, index))
            scanner.position = lineEnd
            return true
        }
    }

    /// Where the blanks behind an event end.
    private static func blankEnd(_ message: UnsafeRawBufferPointer, _ position: Int) -> Int {
        var end = position
        while end < message.count, message[end] == 0x20 || message[end] == 0x09 || message[end] == 0x0d { end += 1 }
        return end
    }

    /// The end of the line that an event ends on, `nil` where more than blanks follows it.
    private static func lineEnd(_ message: UnsafeRawBufferPointer, _ position: Int) -> Int? {
        let end = blankEnd(message, position)
        return end == message.count || message[end] == 0x0a ? end : nil
    }

    /// Reads a usable event without committing its row; `nil` where the general way must read the event.
    @inline(__always)
    private func readFast(
        _ message: UnsafeRawBufferPointer, _ position: Int, depth: Int, _ defaults: TopicDefaults, _ latest: Timestamp?
    ) -> Int? {
        guard let learned else { return nil }
        return learned._withUnsafeGuaranteedRef { reader in
            guard let end = reader.read(message, at: position, depth: depth, defaults: defaults),
                end - position <= Self.maximumMessageBytes, reader.finish(defaults, latest)
            else { return nil }
            return end
        }
    }

    private static func malformed(_ error: JSONError, _ range: Range<Int>, _ index: Int) -> Rejection {
        Rejection(
            reason: .malformed, detail: "\(error.reason) at byte \(error.offset)", range: range, index: index)
    }

    private mutating func decodeEvent(
        _ message: UnsafeRawBufferPointer, _ range: Range<Int>, _ index: Int, _ defaults: TopicDefaults,
        _ latest: Timestamp?, _ reject: (Rejection) -> Void
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
            return refuse(.badTimestamp, Self.problem(ofTime: message, ts))
        }
        if let latest, time > latest {
            return refuse(.future, "ts \(time.rfc3339) is over \(tolerance.words) ahead of the clock")
        }
        switch kind {
        case .label:
            if parts.label == nil { return refuse(.badLabel, Self.noLabel) }
            if parts.id == nil { return refuse(.noID, "a label event without id") }
        case .prediction:
            if parts.prediction == nil && parts.features == nil {
                return refuse(.noPrediction, parts.type == nil ? Self.nothing : Self.noPrediction)
            }
        case .features:
            if parts.features == nil { return refuse(.badField, "a features event without features") }
        }
        if kind == .label || (kind == .prediction && parts.prediction != nil),
            let fault = labelFault(message, parts, model: model)
        {
            return refuse(.badLabel, fault)
        }
        counters.kinds[kind.rawValue] += 1
        guard kind != .label else {
            takeLabel(message, parts, model: model, time: time)
            return
        }
        counters.unknownKeys.pointee += models[model].append(
            message, parts, time: time, source: source, kind: kind, defaultVersion: defaults.version,
            to: batches[model], strays: (strays, model))
        if kind == .prediction { takeOutcome(message, parts, model: model) }
    }

    static let noLabel = "a label event whose label is missing or null"
    static let noPrediction = "neither prediction nor features"
    static let nothing = "neither prediction nor features nor label: they are missing or null"

    @inline(__always)
    private func commitFast() { learned?._withUnsafeGuaranteedRef { $0.commit(source, counters) } }

    private func modelIndex(_ name: String) -> Int? {
        var copy = name
        return copy.withUTF8 { modelNames.find(UnsafeRawBufferPointer($0)) }
    }

    /// Why a time cannot be read: what lacks nothing but its zone is the commonest.
    static func problem(ofTime message: UnsafeRawBufferPointer, _ value: EventParts.Value) -> String {
        guard case .text(let text) = value,
            JSONText.withUnescaped(message, text, { Timestamp(rfc3339: String(decoding: $0, as: UTF8.self) + "Z") })
                != nil
        else { return badTime }
        let shown = JSONText.withUnescaped(message, text) { String(decoding: $0, as: UTF8.self) }
        return "ts \(shown) has no time zone: add Z or an offset such as +02:00"
    }

    static let badTime =
        "ts is neither RFC 3339 nor epoch seconds or milliseconds; a text needs its time zone: Z or an offset"

    /// RFC 3339, or a number: epoch seconds below 10^11, milliseconds from there on. `nil` for other texts and outside
    /// the years 0 to 9999.
    static func timestamp(_ message: UnsafeRawBufferPointer, _ value: EventParts.Value) -> Timestamp? {
        switch value {
        case .text(let text):
            return JSONText.withUnescaped(message, text) { Timestamp(rfc3339: $0) }
        case .number(let range):
            return timestamp(epoch: JSONText.double(message, range))
        case .object, .other: return nil
        }
    }
}
