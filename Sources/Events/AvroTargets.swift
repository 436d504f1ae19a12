/// Where the values of one model's events go.
struct AvroTargets {
    enum Column: Hashable {
        /// An index into a row's numbers.
        case number(Int)
        /// An index into a row's codes, and the code of a text without one.
        case code(Int, unseen: Int)
    }

    struct Target {
        let column: Column?
        let dimension: Int?
    }

    /// By name; those that are known only to be passed over have neither column nor dimension.
    private(set) var features: [String: Target] = [:]
    private(set) var prediction: Column?
    private(set) var dimensions: [String: Int] = [:]
    private(set) var columnCount = 0
    let hasModel: Bool
    /// The model's performance is watched: identities, labels and predicted classes are kept.
    let joins: Bool

    /// For no model: nothing goes anywhere.
    init() {
        hasModel = false
        joins = false
    }

    init(_ model: ModelSchema) {
        hasModel = true
        joins = model.outcome != nil
        for (i, name) in model.dimensions.enumerated() { dimensions[name] = i }
        for name in model.ignored + model.dimensions {
            features[name] = Target(column: nil, dimension: dimensions[name])
        }
        columnCount = model.columns.count
        var numbers = 0
        var codes = 0
        for column in model.columns {
            let place: Column
            switch column.kind {
            case .numeric:
                place = .number(numbers)
                numbers += 1
            case .categorical(_, let unseen):
                place = .code(codes, unseen: unseen)
                codes += 1
            }
            if column.name == ModelSchema.predictionColumn {
                prediction = place
            } else {
                features[column.name] = Target(column: place, dimension: dimensions[column.name])
            }
        }
    }
}
