package import Values

/// What became of an Avro message.
package enum AvroOutcome: Sendable, Equatable {
    /// The event was counted or refused.
    case done
    /// The message is written with a schema that `EventDecoder.setSchema` has not been given yet.
    case needsSchema(UInt32)
}

/// Avro messages in Confluent's framing: a zero byte, the schema's number in the registry as four bytes, most significant first,
/// and one record in Avro's binary encoding (Avro 1.11, "Binary Encoding"). Newer clients can put the schema's identity into a
/// record header instead; such messages are not read.
///
/// The record is an event in one of the two forms of `AvroEventShape`, and means what the JSON event with the same fields and values
/// means. Null is JSON's null. Timestamps of a logical type are exact, local ones are UTC; a date is its first instant. As features,
/// dates and times are their plain numbers, decimals the nearest double, floats the double of the same value, enums and UUIDs
/// their text; bytes, fixed, arrays, maps and records are of the wrong type. Schemas that name types of another schema (the
/// registry's references) must be given with those types written in.
extension EventDecoder {
    private static let headerBytes = 5

    /// Makes the schema registered under an id known. One that cannot carry events is remembered with its reason: messages
    /// written with it are then rejected (`badSchema`, the detail says which field and why), never dropped silently.
    /// - Parameter json: the schema itself, not the registry's answer around it.
    package mutating func setSchema(_ id: UInt32, _ json: UnsafeRawBufferPointer) { avro.set(id, json) }

    /// Whether messages with this schema can be decoded or rejected without asking the registry.
    package func knowsSchema(_ id: UInt32) -> Bool { avro.isKnown(id) }

    /// Appends a message's event or reports why not. On `needsSchema` nothing was counted, rejected or changed; the caller
    /// fetches the schema and brings the same message again.
    /// - Parameter now: the wall clock; `nil` where no event is in the future.
    package mutating func decodeAvro(
        _ message: UnsafeRawBufferPointer, defaults: TopicDefaults, now: Timestamp?, reject: (Rejection) -> Void
    ) -> AvroOutcome {
        func refuse(_ reason: RejectReason, _ detail: String) -> AvroOutcome {
            reject(Rejection(reason: reason, detail: detail, range: 0..<message.count, index: 0))
            return .done
        }
        guard message.count <= Self.maximumMessageBytes else {
            return refuse(.tooLarge, "\(message.count) bytes, limit \(Self.maximumMessageBytes)")
        }
        guard message.count >= Self.headerBytes, let start = message.baseAddress, message[0] == 0 else {
            return refuse(.notFramed, Self.notFramed(message))
        }
        let id = UInt32(bigEndian: start.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        let defaultModel = avro.defaultModel(defaults)
        if let choice = avro.guess(id, defaultModel: defaultModel, batches) {
            let stop = run(choice, message, isDefault: choice.model == defaultModel)
            if stop == .done { return finish(choice, defaults, now, refuse) }
        } else {
            guard avro.isKnown(id) else { return .needsSchema(id) }
            if let fault = avro.fault(id) { return refuse(.badSchema, "schema \(id): \(fault.detail)") }
        }
        return decodeUnguessed(id, message, start, defaults, defaultModel, now, refuse)
    }

    /// The program tried first does not fit, or there is none: looks at the whole message for its model and for what is wrong.
    private mutating func decodeUnguessed(
        _ id: UInt32, _ message: UnsafeRawBufferPointer, _ start: UnsafeRawPointer, _ defaults: TopicDefaults,
        _ defaultModel: Int?, _ now: Timestamp?, _ refuse: (RejectReason, String) -> AvroOutcome
    ) -> AvroOutcome {
        guard let bare = avro.bare(id) else { return .needsSchema(id) }
        func malformed(_ kind: AvroFailure.Kind, _ model: Int?) -> AvroOutcome {
            let offset = avro.scratch.registers.pointee.place - start
            return refuse(
                .malformedAvro, AvroFailure(kind: kind, path: avro.path(id, model: model), offset: offset).detail)
        }
        if case .failed(let kind) = runBare(bare, message) { return malformed(kind, nil) }
        let named = avro.scratch.registers.pointee.model
        if let named, !named.isSound {
            avro.scratch.registers.pointee.place = named.start
            return refuse(
                .malformedAvro,
                AvroFailure(kind: .badUTF8, path: "model", offset: named.start - start).detail)
        }
        let name = named.map { String(decoding: $0.bytes, as: UTF8.self) } ?? defaults.model
        guard let model = name.flatMap({ avro.index(of: $0) }), let choice = avro.choose(id, model, batches) else {
            if let refusal = refusal(beforeModel: avro.scratch.registers) {
                return refuse(refusal.0, refusal.1)
            }
            guard let name else {
                return refuse(.noModel, "neither the event nor the topic's configuration names a model")
            }
            return refuse(.unknownModel, "model '\(name.prefix(100))' is not configured")
        }
        switch run(choice, message, isDefault: model == defaultModel) {
        case .done: return finish(choice, defaults, now, refuse)
        case .failed(let kind): return malformed(kind, model)
        // Not reached: the model was just read from the same bytes, and `run` looks texts up.
        case .otherModel, .unknownText:
            return refuse(.unknownModel, "model '\((name ?? "").prefix(100))' is not configured")
        }
    }

    private static func notFramed(_ message: UnsafeRawBufferPointer) -> String {
        let found =
            switch message.first {
            case nil: "is empty"
            case 0x7b?: "starts with '{' as JSON does"
            case 0?: "has \(message.count) bytes"
            case let byte?: "starts with byte \(byte)"
            }
        return "the topic is configured as Avro with Confluent framing (byte 0, then the schema's number in 4 bytes), "
            + "but the message \(found)"
    }

    @inline(__always)
    private func begin(_ program: UnsafePointer<AvroProgram.View>, _ message: UnsafeRawBufferPointer, isDefault: Bool) {
        guard let start = message.baseAddress else { return }
        avro.scratch.registers.pointee.begin(
            start + Self.headerBytes, start + message.count, program, isDefaultModel: isDefault)
    }

    @inline(__always)
    private mutating func run(_ choice: AvroSchemas.Choice, _ message: UnsafeRawBufferPointer, isDefault: Bool)
        -> AvroStop
    {
        let row = choice.batch._withUnsafeGuaranteedRef {
            $0.makeRoom()
            if !choice.program.pointee.fillsCells { $0.blankCells(choice.program.pointee.blank) }
            if !choice.program.pointee.fillsSegments { $0.blankSegments() }
            return AvroRow($0)
        }
        begin(choice.program, message, isDefault: isDefault)
        while true {
            let stop = AvroLoop.run(choice.program, avro.scratch, row)
            guard stop == .unknownText else { return stop }
            if let failure = look(choice, row) { return .failed(failure) }
        }
    }

    /// Apart, so that the models are only made ready to change where a text is new.
    @inline(never)
    private mutating func look(_ choice: AvroSchemas.Choice, _ row: AvroRow) -> AvroFailure.Kind? {
        models[choice.model].look(choice.program, avro.scratch, row)
    }

    private func runBare(_ program: AvroProgram, _ message: UnsafeRawBufferPointer) -> AvroStop {
        begin(UnsafePointer(program.view), message, isDefault: false)
        while true {
            let stop = AvroLoop.run(UnsafePointer(program.view), avro.scratch, AvroRow(avro.bareBatch))
            guard stop == .unknownText else { return stop }
            // A version's; whatever it is, only its soundness matters.
            let registers = avro.scratch.registers
            guard registers.pointee.text.isSound else {
                registers.pointee.place = registers.pointee.text.start
                return .failed(.badUTF8)
            }
            registers.pointee.code += 1
        }
    }

    /// What JSON events are refused for before their model is looked at, in the same order.
    @inline(__always)
    private func refusal(beforeModel found: UnsafeMutablePointer<AvroRegisters>) -> (RejectReason, String)? {
        if found.pointee.bad >= 0 {
            let part = AvroEventShape.Part.allCases[Int(found.pointee.bad)]
            return (.badField, "\(part.rawValue) has a type an event cannot have")
        }
        if found.pointee.kind == AvroRegisters.unknownKind {
            return (.unknownType, "type is none of prediction, label, features")
        }
        return nil
    }

    @inline(__always)
    private func refusal(
        _ registers: UnsafeMutablePointer<AvroRegisters>, _ kind: EventKind, _ now: Timestamp?
    ) -> (RejectReason, String)? {
        if let early = refusal(beforeModel: registers) { return early }
        let found = registers.pointee.found
        if found & AvroRegisters.badTime != 0 {
            return (.badTimestamp, Self.badTime)
        }
        guard found & AvroRegisters.time != 0 else { return (.noTimestamp, "ts is missing") }
        if let now, registers.pointee.time > now.microseconds + tolerance.span.microseconds {
            let time = Timestamp(microseconds: registers.pointee.time)
            return (.future, "ts \(time.rfc3339) is over \(tolerance.words) ahead of the clock")
        }
        switch kind {
        case .label:
            if found & AvroRegisters.label == 0 { return (.badLabel, Self.noLabel) }
            if found & AvroRegisters.identity == 0 { return (.noID, "a label event without id") }
        case .prediction:
            if found & (AvroRegisters.prediction | AvroRegisters.features) == 0 {
                let isNamed = EventKind(rawValue: Int(registers.pointee.kind)) != nil
                return (.noPrediction, isNamed ? Self.noPrediction : Self.nothing)
            }
        case .features:
            if found & AvroRegisters.features == 0 { return (.badField, "a features event without features") }
        }
        return nil
    }

    /// A sound message: judges the event, and counts its row.
    @inline(__always)
    private mutating func finish(
        _ choice: AvroSchemas.Choice, _ defaults: TopicDefaults, _ now: Timestamp?,
        _ refuse: (RejectReason, String) -> AvroOutcome
    ) -> AvroOutcome {
        let registers = avro.scratch.registers
        let found = registers.pointee.found
        let isLabel = found & (AvroRegisters.label | AvroRegisters.prediction) == AvroRegisters.label
        let kind = EventKind(rawValue: Int(registers.pointee.kind)) ?? (isLabel ? .label : .prediction)
        if let refusal = refusal(registers, kind, now) { return refuse(refusal.0, refusal.1) }
        var label = Double.nan
        if choice.joins, found & AvroRegisters.label != 0, kind != .features {
            let read = avroLabel(choice.model)
            if let fault = read.fault, kind == .label || found & AvroRegisters.prediction != 0 {
                return refuse(.badLabel, fault)
            }
            label = read.value
        }
        counters.kinds[kind.rawValue] &+= 1
        if kind == .label {
            if choice.joins { takeAvroOutcome(choice.model, kind, label: label) }
            return .done
        }
        if registers.pointee.unknown > 0 {
            strays.settle()
            counters.unknownKeys.pointee &+= registers.pointee.unknown
        }
        if kind == .features || found & AvroRegisters.features == 0 {
            makeAbsent(choice, features: found & AvroRegisters.features == 0, output: kind == .features)
        }
        if registers.pointee.hasPending { numberSegments(choice.model) }
        let time = Timestamp(microseconds: registers.pointee.time)
        let version = versionNumber(choice.model, defaults)
        let tables = models[choice.model].tables
        choice.batch._withUnsafeGuaranteedRef {
            tables.countOverflow($0.segments + $0.count &* $0.segmentWidth)
            $0.commitRow(time, source: source, version: version)
        }
        if choice.joins, kind == .prediction { takeAvroOutcome(choice.model, kind, label: label) }
        return .done
    }

    /// The row was begun as if all the schema's parts were there.
    private func makeAbsent(_ choice: AvroSchemas.Choice, features: Bool, output: Bool) {
        let batch = batches[choice.model]
        let row = AvroRow(batch)
        for i in 0..<batch.numberWidth where (choice.program.pointee.output == .number(i) ? output : features) {
            row.numbers[i] = Hole.absent.asDouble
        }
        for i in 0..<batch.codeWidth {
            var isOutput = false
            if case .code(i, _) = choice.program.pointee.output { isOutput = true }
            if isOutput ? output : features { row.codes[i] = Hole.absent.asCode }
        }
    }

    /// Gives the segment values that were met for the first time their numbers.
    private mutating func numberSegments(_ model: Int) {
        let batch = batches[model]
        let row = AvroRow(batch)
        for i in 0..<batch.segmentWidth where row.segments[i] == AvroRegisters.pendingSegment {
            row.segments[i] = models[model].segmentNumber(avro.scratch.pending[i].bytes, dimension: i)
        }
    }

    @inline(__always)
    private mutating func versionNumber(_ model: Int, _ defaults: TopicDefaults) -> UInt16 {
        let found = avro.scratch.registers.pointee.version
        if found < AvroRegisters.pendingVersion { return found }
        if found == AvroRegisters.pendingVersion {
            return models[model].versionNumber(avro.scratch.pending[avro.scratch.versionSlot].bytes)
        }
        if let known = avro.defaultVersion, known.model == model { return known.number }
        return defaultVersion(model, defaults)
    }

    private mutating func defaultVersion(_ model: Int, _ defaults: TopicDefaults) -> UInt16 {
        let number = models[model].tables.defaultVersionNumber(defaults.version)
        avro.defaultVersion = (model, number)
        return number
    }

    /// A number of seconds since 1970 below 10^11, of milliseconds from there on; `nil` outside the years 0 to 9999.
    static func timestamp(epoch number: Double) -> Timestamp? {
        let micros = (abs(number) < 1e11 ? number * 1e6 : number * 1e3).rounded()
        guard let whole = Int64(exactly: micros) else { return nil }
        let time = Timestamp(microseconds: whole)
        return Timestamp.writable.contains(time) ? time : nil
    }
}
