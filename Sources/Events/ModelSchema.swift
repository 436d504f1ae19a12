/// What a decoder must know of a model to turn its events into columns.
package struct ModelSchema: Sendable {
    package enum Kind: Sendable {
        case numeric
        /// From a category's text to its code, and the code of a text that is not in the table.
        case categorical(codes: [String: Int], unseen: Int)
    }

    package struct Column: Sendable {
        package let name: String
        package let kind: Kind
        package init(name: String, kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    /// The column that holds the model's output.
    package static let predictionColumn = "prediction"

    package let model: String
    /// In the order of the layout; the one named `prediction` is filled from the event's `prediction`, all others from `features`.
    package let columns: [Column]
    /// Segment dimensions, each once.
    package let dimensions: [String]
    /// For each dimension, the values that always keep a segment of their own, however many others come.
    package let knownValues: [[String]]
    /// Feature names to pass over without counting them as unknown.
    package let ignored: [String]
    /// How labels are read; `nil` where nobody asks for the model's performance.
    package let outcome: OutcomeKind?

    package init(
        model: String, columns: [Column], dimensions: [String], knownValues: [[String]] = [], ignored: [String] = [],
        outcome: OutcomeKind? = nil
    ) {
        self.outcome = outcome
        self.knownValues = knownValues
        self.model = model
        self.columns = columns
        self.dimensions = dimensions
        self.ignored = ignored
    }
}
