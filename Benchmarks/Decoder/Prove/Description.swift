import Events
import Values

extension Models {
    /// The categories in the order of their codes.
    static func names(_ codes: [String: Int]) -> [String] {
        codes.sorted { $0.value < $1.value }.map(\.key)
    }

    /// What the judge must know of the models, as the first frame of the stream.
    static var description: Bytes {
        let models = all.map { schema in
            JSON.object([
                .init("model", .string(schema.model)), .init("columns", .array(schema.columns.map(column))),
                .init("dimensions", texts(schema.dimensions)), .init("known", .array(schema.knownValues.map(texts))),
                .init("ignored", texts(schema.ignored)),
            ])
        }
        let standIns = defaults.map { topic in
            JSON.array([topic.model, topic.version].map { $0.map { .string($0) } ?? .null })
        }
        let reasons = RejectReason.allCases.map(\.rawValue)
        return JSON.object([
            .init("models", .array(models)), .init("defaults", .array(standIns)), .init("reasons", texts(reasons)),
        ]).bytes
    }

    private static func texts(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }

    private static func column(_ column: ModelSchema.Column) -> JSON {
        guard case .categorical(let codes, let unseen) = column.kind else {
            return .object([.init("name", .string(column.name))])
        }
        return .object([
            .init("name", .string(column.name)), .init("unseen", .integer(Int64(unseen))),
            .init("codes", .object(names(codes).map { JSON.Member($0, .integer(Int64(codes[$0] ?? 0))) })),
        ])
    }
}
