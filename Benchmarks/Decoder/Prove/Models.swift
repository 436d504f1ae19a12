import Events

/// The models that the messages are about: names beyond ASCII, names that need escapes, names that begin alike, one that is empty,
/// dimensions that are columns and dimensions that are not.
enum Models {
    static let fraud = ModelSchema(
        model: "fraud",
        columns: [
            .init(name: "amount", kind: .numeric), .init(name: "amount_24h", kind: .numeric),
            .init(name: "amount_7d", kind: .numeric), .init(name: "age", kind: .numeric),
            .init(name: "hour", kind: .numeric), .init(name: "größe", kind: .numeric),
            .init(name: "distance_from_home_in_kilometres_rounded", kind: .numeric),
            .init(name: "a\"b\\c/d", kind: .numeric), .init(name: "n", kind: .numeric),
            .init(name: "", kind: .numeric),
            .init(name: "country", kind: codes(["BR", "US", "DE", "1", "true", "São Paulo", "", "日本", "0.5"])),
            .init(name: "device", kind: codes(["web", "ios", "android", "tv😀"])),
            .init(name: "währung", kind: codes(["EUR", "USD", "¥", "1000000000000000", "NaN"])),
            .init(name: "tier", kind: codes(["gold", "silver", "bronze", "false", "-1", "1e+22"])),
            .init(name: "channel", kind: codes(["a", "b", "c", "d", "e\"f", "g\\h", "\u{1}", "Ame\u{301}lie"])),
            .init(name: "prediction", kind: .numeric),
        ],
        dimensions: ["country", "device", "region", "hour"], knownValues: [["BR", "US"], [], ["north", "süd"], []],
        ignored: ["note", "request_id"])

    static let pets = ModelSchema(
        model: "pets",
        columns: [
            .init(name: "weight", kind: .numeric),
            .init(name: "prediction", kind: codes(["cat", "dog", "1", "true", "кот", "0.25"])),
            .init(name: "colour", kind: codes(["black", "white", "grau"])),
        ],
        dimensions: ["breed"])

    /// A model without a prediction column, with a dimension of more values than a dimension keeps.
    static let cost = ModelSchema(
        model: "kosten é",
        columns: [.init(name: "x", kind: .numeric), .init(name: "y", kind: .numeric)],
        dimensions: ["session", "größe"])

    /// A model without columns and dimensions.
    static let bare = ModelSchema(model: "b", columns: [], dimensions: [])

    static let all = [fraud, pets, cost, bare]

    private static func codes(_ names: [String]) -> ModelSchema.Kind {
        // Codes that are not the positions, so that one cannot be taken for the other.
        let pairs = names.enumerated().map { ($1, $0 * 3 + 1) }
        return .categorical(codes: Dictionary(uniqueKeysWithValues: pairs), unseen: names.count * 3 + 2)
    }

    /// What stands in for the model and version of events that name none.
    static let defaults = [
        TopicDefaults(), TopicDefaults(model: "fraud"), TopicDefaults(model: "pets", version: "cfg-1"),
        TopicDefaults(model: "nobody", version: "ü"),
    ]
}
