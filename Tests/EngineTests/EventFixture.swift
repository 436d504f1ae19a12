import Events
import Values

/// One model `fraud` with a numeric and two categorical features, and a way to see what a message becomes.
struct EventFixture {
    var decoder: EventDecoder
    private(set) var rejections: [Rejection] = []

    static let schema = ModelSchema(
        model: "fraud",
        columns: [
            .init(name: "amount", kind: .numeric),
            .init(
                name: "country",
                kind: .categorical(codes: ["BR": 0, "US": 1, "1": 2, "true": 3, "São": 4, "": 5], unseen: 7)),
            .init(name: "device", kind: .categorical(codes: ["web": 0], unseen: 2)),
            .init(name: "prediction", kind: .numeric),
        ], dimensions: ["country", "region"], ignored: ["note"], outcome: .classes)

    static let classes = ModelSchema(
        model: "pets",
        columns: [.init(name: "prediction", kind: .categorical(codes: ["cat": 0, "dog": 1, "1": 2], unseen: 3))],
        dimensions: [], outcome: .numbers)

    init() { decoder = EventDecoder([Self.schema, Self.classes]) }

    mutating func decode(_ message: String, model: String? = nil, version: String? = nil, now: Timestamp? = nil) {
        decode(Array(message.utf8), model: model, version: version, now: now)
    }

    mutating func decode(_ message: [UInt8], model: String? = nil, version: String? = nil, now: Timestamp? = nil) {
        var found: [Rejection] = []
        message.withUnsafeBytes {
            decoder.decode($0, defaults: TopicDefaults(model: model, version: version), now: now) { found.append($0) }
        }
        rejections += found
    }

    mutating func add(_ found: [Rejection]) { rejections += found }

    var batch: EventBatch { decoder.batches[0] }
    var petBatch: EventBatch { decoder.batches[1] }
    var reasons: [RejectReason] { rejections.map(\.reason) }

    /// What the last row holds in a column: a number, a category's code, or why there is neither.
    func last(_ name: String) -> Value? {
        guard let column = Self.schema.columns.firstIndex(where: { $0.name == name }) else { return nil }
        return Self.last(batch, column)
    }

    static func last(_ batch: EventBatch, _ column: Int) -> Value? {
        batch.count == 0 ? nil : value(batch, column, row: batch.count - 1)
    }

    static func value(_ batch: EventBatch, _ column: Int, row: Int) -> Value {
        switch batch.places[column] {
        case .number(let i):
            let number = batch.numbers[row * batch.numberWidth + i]
            return number.isNaN ? .hole(Hole(nan: number)) : .number(number)
        case .code(let i):
            let code = batch.codes[row * batch.codeWidth + i]
            return Hole(code: code).map { .hole($0) } ?? .code(code)
        }
    }

    var times: [Timestamp] { (0..<batch.count).map { batch.timestamps[$0] } }

    /// The numbers of a dimension's values, row by row.
    func segmentNumbers(_ dimension: Int) -> [UInt16] {
        (0..<batch.count).map { batch.segments[$0 * batch.segmentWidth + dimension] }
    }

    /// The last row's value of a dimension.
    func segment(_ dimension: Int) -> String? {
        guard let number = segmentNumbers(dimension).last, number != EventBatch.noSegment else { return nil }
        return decoder.segmentValue(model: 0, dimension: dimension, number)
    }

    var version: String? {
        batch.count == 0 ? nil : decoder.versionName(model: 0, batch.versions[batch.count - 1])
    }

    /// What a model's batch has for the join: each prediction with its identity, the class it names and its own label, then each label.
    func outcomes(model: Int = 0) -> [String] {
        guard let found = decoder.batches[model].outcomes else { return [] }
        func label(_ value: Double) -> String {
            value.isNaN ? "-" : found.kind == .numbers ? "\(value)" : found.className(Int32(value))
        }
        let predictions = found.predictions.map { own in
            let scores = own.scores.map { found.classScores[Int($0)] }
            return
                "row \(own.row) \(own.id) \(own.predicted < 0 ? "-" : found.className(own.predicted)) \(label(own.label))"
                + scores.map { " \(found.className($0.number))=\($0.score)" }.joined()
        }
        return predictions + found.labels.map { "label \($0.id) \($0.time.rfc3339) \(label($0.value))" }
    }

    enum Value: Equatable {
        case number(Double)
        case code(UInt16)
        case hole(Hole)
    }

    /// An event of the model with the given members after `model` and `ts`.
    static func event(_ members: String) -> String {
        #"{"model":"fraud","ts":"2026-03-01T12:00:00Z",\#(members)}"#
    }
}
