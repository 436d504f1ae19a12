package import Events
package import Values

/// A model version with one value for each dimension of the schema: the finest slice a prediction belongs to.
package struct JoinCell: Hashable, Sendable, Codable {
    package let version: String
    /// By dimension; `nil` where the event names none.
    package let values: [String?]

    package init(version: String, values: [String?]) {
        self.version = version
        self.values = values
    }
}

/// Predictions and labels to be joined, as one worker read them.
package struct JoinDelta: Sendable {
    package struct Prediction: Sendable {
        package let id: UInt64
        package let time: Timestamp
        /// The score or value; NaN without one.
        package let score: Double
        /// Its own label, NaN without one.
        package let label: Double
        /// A place in `cells`.
        package let cell: Int32
        /// A place in `classes`; −1 where it names none.
        package let predicted: Int32
        /// Places in `classScores`.
        package let scores: Range<Int32>

        package init(
            id: UInt64, time: Timestamp, score: Double, label: Double, cell: Int32, predicted: Int32,
            scores: Range<Int32> = 0..<0
        ) {
            self.id = id
            self.time = time
            self.score = score
            self.label = label
            self.cell = cell
            self.predicted = predicted
            self.scores = scores
        }
    }

    package var predictions: [Prediction] = []
    /// In order of arrival. A class's label is a place in `classes`.
    package var labels: [OutcomeRows.Label] = []
    /// What predictions say of each class, by place in `classes`.
    package var classScores: [OutcomeRows.ClassScore] = []
    package var cells: [JoinCell] = []
    package var classes: [String] = []

    package init() {}
    package var isEmpty: Bool { predictions.isEmpty && labels.isEmpty }
    /// Memory, about.
    package var bytes: Int { predictions.count * 56 + labels.count * 24 + classScores.count * 16 }
}

/// Collects what the join needs of a model's batches. One per worker and model.
///
/// A sample is taken by the hash of the identity, the same for a prediction and its label and in every process, so it depends on nothing
/// that performance could depend on.
package struct JoinCollector {
    private let dimensions: Int
    /// Where the prediction's number stands in a row; `nil` where the output is no number.
    private let scoreColumn: Int?
    private let sampled: UInt64
    private var delta = JoinDelta()
    private var cells: [UInt64: Int32] = [:]
    private var lastKey: UInt64 = 0
    private var lastCell: Int32 = -1

    /// Past this many cells in one delta new ones are folded into one without segments: a hostile stream stays bounded.
    private static let maximumCells = 100_000

    /// - Parameter sample: the share of identities that are looked at, over 0 to 1.
    package init(schema: ModelSchema, sample: Double) {
        dimensions = schema.dimensions.count
        var number = 0
        var found: Int?
        for column in schema.columns {
            guard case .numeric = column.kind else { continue }
            if column.name == ModelSchema.predictionColumn { found = number }
            number += 1
        }
        scoreColumn = found
        sampled = sample >= 1 ? .max : UInt64(sample * 0x1p64)
    }

    package var pendingBytes: Int { delta.bytes }

    /// Takes what a batch brings, before it is emptied.
    package mutating func add(_ batch: EventBatch, names: EventDecoder, model: Int) {
        guard let outcomes = batch.outcomes else { return }
        for label in outcomes.labels where label.id <= sampled { delta.labels.append(label) }
        for found in outcomes.predictions {
            let row = Int(found.row)
            let time = batch.timestamps[row]
            // Without an identity nothing comes later; the sample is by its time.
            let id = found.id
            let drawn = id == 0 ? UInt64(bitPattern: time.microseconds) &* 0x9e37_79b9_7f4a_7c15 : id
            guard drawn <= sampled else { continue }
            let first = Int32(delta.classScores.count)
            if !found.scores.isEmpty {
                delta.classScores += outcomes.classScores[Int(found.scores.lowerBound)..<Int(found.scores.upperBound)]
            }
            let score = scoreColumn.map { batch.numbers[row &* batch.numberWidth &+ $0] } ?? .nan
            delta.predictions.append(
                JoinDelta.Prediction(
                    id: id, time: time, score: score, label: found.label, cell: cell(batch, row, names, model),
                    predicted: found.predicted, scores: first..<Int32(delta.classScores.count)))
        }
        if delta.classes.count != outcomes.classNames.count { delta.classes = outcomes.classNames }
    }

    private mutating func cell(_ batch: EventBatch, _ row: Int, _ names: EventDecoder, _ model: Int) -> Int32 {
        let segments = batch.segments + row &* batch.segmentWidth
        var key = UInt64(batch.versions[row]) &+ 1
        for i in 0..<dimensions {
            // Exact for up to three dimensions; beyond, a 64-bit hash of the numbers.
            key =
                dimensions <= 3
                ? key &<< 16 | UInt64(segments[i]) : (key ^ UInt64(segments[i])) &* 0x9e37_79b9_7f4a_7c15
        }
        if key == lastKey, lastCell >= 0 { return lastCell }
        lastKey = key
        if let known = cells[key] {
            lastCell = known
            return known
        }
        let isFull = delta.cells.count >= Self.maximumCells
        let values = (0..<dimensions).map { i -> String? in
            segments[i] == EventBatch.noSegment
                ? nil : isFull ? SegmentLimit.other : names.segmentValue(model: model, dimension: i, segments[i])
        }
        let made = JoinCell(version: names.versionName(model: model, batch.versions[row]), values: values)
        lastCell = Int32(delta.cells.count)
        delta.cells.append(made)
        if !isFull { cells[key] = lastCell }
        return lastCell
    }

    /// The batches to come are another decoder's, which numbers classes anew. Nothing may wait for `take`.
    package mutating func forgetClasses() { delta.classes = [] }

    /// Hands over what was collected since the last time.
    package mutating func take() -> JoinDelta {
        let taken = delta
        delta = JoinDelta()
        delta.classes = taken.classes
        cells.removeAll(keepingCapacity: true)
        lastCell = -1
        return taken
    }
}
