import Events
import Values

/// What the fuzzer does with an input and the tests do with the ones it found: decodes its messages with a decoder that knows nothing
/// and with one that has seen others, and compares. The fuzzer compiles this file beside its own (Benchmarks/Decoder/Fuzz).
struct FuzzReplay {
    /// Between the messages of one input. JSON allows this byte nowhere.
    static let separator: UInt8 = 0x1e
    /// A decoder is used for so many bytes of input and then replaced: no dimension of ours meets its thousandth value in them, after
    /// which a decoder with a past and one without would rightly differ.
    private static let bytesPerDecoder = 8_000

    private static let schemas = [
        ModelSchema(
            model: "fraud",
            columns: [
                .init(name: "amount", kind: .numeric), .init(name: "größe", kind: .numeric),
                .init(name: "n", kind: .numeric),
                .init(
                    name: "country",
                    kind: .categorical(codes: ["BR": 0, "US": 1, "1": 2, "true": 3, "São": 4], unseen: 7)),
                .init(name: "währung", kind: .categorical(codes: ["EUR": 0, "nan": 1], unseen: 2)),
                .init(name: "prediction", kind: .numeric),
            ], dimensions: ["country", "region"], knownValues: [["BR"], []], ignored: ["note"],
            outcome: .numbers),
        ModelSchema(
            model: "pets",
            columns: [.init(name: "prediction", kind: .categorical(codes: ["cat": 0, "dog": 1, "1": 2], unseen: 3))],
            dimensions: [], outcome: .classes),
    ]
    private static let highestCode: UInt16 = 7
    private static let clock = Timestamp(microseconds: 1_772_366_400_000_000)

    /// What a fleet sends: the shapes that a decoder has learned before the input comes.
    private static let typical = [
        #"{"type":"prediction","model":"fraud","version":"14","id":"a","ts":"2026-03-01T12:00:00.250Z","features":{"amount":12.5,"#
            + #""größe":1,"n":-3e2,"country":"BR","währung":"EUR"},"prediction":{"score":0.5,"label":"1"},"segments":{"country":"BR","#
            + #""region":"x"}}"#,
        #"{"model": "fraud", "ts": 1772366400.25, "version": 14, "features": {"country": "US", "amount": 0.001, "n": null}, "#
            + #""prediction": 0.25}"#,
        #"{"ts":1772366400250,"model":"pets","prediction":{"scores":{"cat":0.25,"dog":0.75}}}"#,
        "{\n  \"model\": \"fraud\",\n  \"ts\": \"2026-03-01T12:00:00Z\",\n  \"features\": {\n    \"amount\": 1\n  }\n}",
    ]

    private struct Row: Equatable {
        let model: Int
        let time: Timestamp
        let numbers: [UInt64]
        let codes: [UInt16]
        let version: [UInt8]
        let segments: [[UInt8]?]
    }

    private struct Refusal: Equatable {
        let reason: RejectReason
        let detail: String
        let range: Range<Int>
        let index: Int
    }

    private struct Outcome: Equatable {
        var rows: [Row] = []
        var refusals: [Refusal] = []
        var unknownKeys: UInt64 = 0
        var kinds: [UInt64] = []
    }

    private var experienced = Self.experiencedDecoder()
    private var bytesLeft = Self.bytesPerDecoder
    private(set) var rows = 0
    private(set) var refusals = 0

    private static func experiencedDecoder() -> EventDecoder {
        var decoder = EventDecoder(schemas)
        for _ in 0..<3 {
            for message in typical { _ = outcome(of: Array(message.utf8)[...], &decoder) }
        }
        return decoder
    }

    /// What is wrong with the decoding of an input, `nil` where nothing is.
    mutating func fault(in input: UnsafeRawBufferPointer) -> String? {
        if input.count > bytesLeft {
            experienced = Self.experiencedDecoder()
            bytesLeft = Self.bytesPerDecoder
        }
        bytesLeft -= input.count
        for message in Array(input).split(separator: Self.separator, omittingEmptySubsequences: false) {
            if let fault = fault(of: message) { return fault }
        }
        return nil
    }

    private mutating func fault(of message: ArraySlice<UInt8>) -> String? {
        var newborn = EventDecoder(Self.schemas)
        let first = Self.outcome(of: message, &newborn)
        rows += first.rows.count
        refusals += first.refusals.count
        if let fault = Self.fault(of: first, message.count) { return fault }
        // The second time the message's own shape is known.
        for (who, again) in [
            ("a decoder that has seen others", Self.outcome(of: message, &experienced)),
            ("the same, again", Self.outcome(of: message, &experienced)),
            ("the new decoder, again", Self.outcome(of: message, &newborn)),
        ] where again != first {
            return "\(who) decodes\n\(again)\nwhere a new one decodes\n\(first)"
        }
        return nil
    }

    /// What must hold of every decoding.
    private static func fault(of outcome: Outcome, _ size: Int) -> String? {
        let holes = Hole.allCases.map(\.asDouble.bitPattern)
        for row in outcome.rows {
            for bits in row.numbers {
                let isNumber = Double(bitPattern: bits).isFinite && bits != (-0.0).bitPattern
                guard isNumber || holes.contains(bits) else { return "a cell of bits \(String(bits, radix: 16))" }
            }
            for code in row.codes {
                guard code <= highestCode || Hole(code: code) != nil else { return "a cell of code \(code)" }
            }
            guard Timestamp.writable.contains(row.time), row.time <= clock + .minutes(10) else {
                return "a time of \(row.time.microseconds) µs"
            }
        }
        for refusal in outcome.refusals {
            guard refusal.range.upperBound <= size else { return "a rejection beyond the message: \(refusal)" }
        }
        let counted = outcome.kinds.reduce(0, +)
        guard counted - outcome.kinds[EventKind.label.rawValue] == UInt64(outcome.rows.count) else {
            return "\(outcome.rows.count) rows, counted \(outcome.kinds)"
        }
        guard counted > 0 || !outcome.refusals.isEmpty else { return "a message without a trace" }
        return nil
    }

    private static func outcome(of message: ArraySlice<UInt8>, _ decoder: inout EventDecoder) -> Outcome {
        // A block of exactly the message's size, so that the address sanitizer sees every read beyond.
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: message.count, alignment: 1)
        defer { block.deallocate() }
        block.copyBytes(from: message)
        var outcome = Outcome()
        // Half of the messages need not name their model.
        let defaults = message.count % 2 == 0 ? TopicDefaults() : TopicDefaults(model: "fraud", version: "1")
        decoder.decode(UnsafeRawBufferPointer(block), defaults: defaults, now: clock) {
            outcome.refusals.append(Refusal(reason: $0.reason, detail: $0.detail, range: $0.range, index: $0.index))
        }
        let counters = decoder.takeCounters()
        outcome.unknownKeys = counters.unknownKeys
        outcome.kinds = counters.kinds
        for (model, batch) in decoder.batches.enumerated() {
            for i in 0..<batch.count { outcome.rows.append(row(i, of: batch, model, decoder)) }
            decoder.removeAll(model: model)
        }
        return outcome
    }

    private static func row(_ i: Int, of batch: EventBatch, _ model: Int, _ decoder: EventDecoder) -> Row {
        Row(
            model: model, time: batch.timestamps[i],
            numbers: (0..<batch.numberWidth).map { batch.numbers[i * batch.numberWidth + $0].bitPattern },
            codes: (0..<batch.codeWidth).map { batch.codes[i * batch.codeWidth + $0] },
            version: Array(decoder.versionName(model: model, batch.versions[i]).utf8),
            segments: (0..<batch.segmentWidth).map { dimension in
                let number = batch.segments[i * batch.segmentWidth + dimension]
                guard number != EventBatch.noSegment else { return nil }
                return Array(decoder.segmentValue(model: model, dimension: dimension, number).utf8)
            })
    }
}
