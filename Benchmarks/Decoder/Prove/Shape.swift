import Events

/// Everything that the messages of one producer have in common. A fleet's messages repeat one shape for a long time, which is what a
/// decoder that learns relies on, and then change.
struct Shape {
    enum Part: CaseIterable {
        case type, model, version, id, ts, features, prediction, segments, label, extra

        var key: String {
            switch self {
            case .type: "type"
            case .model: "model"
            case .version: "version"
            case .id: "id"
            case .ts: "ts"
            case .features: "features"
            case .prediction: "prediction"
            case .segments: "segments"
            case .label: "label"
            case .extra: "trace"
            }
        }
    }

    enum Spacing: Int, CaseIterable { case compact, python, pretty, wild }

    enum PredictionForm: Int, CaseIterable { case bare, score, value, scoreAndLabel, label, scores, text, empty, odd }

    /// What a member of `features` or `segments` mostly holds.
    enum Content {
        case numbers
        /// Categories, in the order of their codes.
        case categories([String])
        /// Values of a dimension that is no column.
        case values
        case sessions
        case anything

        init(_ kind: ModelSchema.Kind) {
            switch kind {
            case .numeric: self = .numbers
            case .categorical(let codes, _): self = .categories(Models.names(codes))
            }
        }
    }

    struct Feature {
        let name: String
        let content: Content
        let style: NumberStyle
    }

    let schema: ModelSchema
    let kind: EventKind
    var parts: [Part]
    var features: [Feature]
    var dimensions: [Feature]
    /// What the model predicts.
    let output: Content
    let spacing: Spacing
    let keyEscapes: Escapes
    let textEscapes: Escapes
    let time: TimeStyle
    let prediction: PredictionForm
    let versions: Int
    let defaults: Int
    /// Whether the messages are decoded against a clock, of which some are behind.
    let hasClock: Bool
    /// How often, in a thousand, a value is null, is of another type, is no JSON at all, a member is left out or given twice, members
    /// change places.
    let null: Int
    let odd: Int
    let broken: Int
    let missing: Int
    let twice: Int
    let shuffled: Int
    /// Texts that are in no table.
    let unseen: Int

    init(_ dice: inout Dice) {
        schema = dice.chance(650) ? Models.fraud : dice.pick(Models.all)
        kind = dice.chance(850) ? .prediction : dice.pick([.label, .features])
        spacing = dice.chance(400) ? .compact : dice.pick([.compact, .python, .pretty, .wild])
        keyEscapes = dice.chance(850) ? .needed : dice.pick(Escapes.allCases)
        textEscapes = dice.chance(600) ? .needed : dice.pick(Escapes.allCases)
        time = dice.chance(600) ? dice.pick([.millisecondsZ, .secondsZ]) : dice.pick(TimeStyle.allCases)
        prediction =
            dice.chance(500)
            ? (schema.model == "pets" ? dice.pick([.label, .scores, .text]) : dice.pick([.score, .bare, .value]))
            : dice.pick(PredictionForm.allCases)
        versions = dice.pick([1, 2, 5, 5, 50, 3_000])
        hasClock = dice.chance(100)
        let isClean = dice.chance(600)
        func rate(_ dice: inout Dice, _ rates: [Int]) -> Int { isClean ? 0 : dice.pick(rates) }
        null = rate(&dice, [0, 0, 20, 200])
        odd = rate(&dice, [0, 0, 10, 50, 200])
        // A broken event of many lines is refused line by line: few of these say enough.
        let isLong = spacing == .pretty || spacing == .wild
        broken = rate(&dice, isLong ? [0, 0, 0, 1] : [0, 0, 0, 3, 15])
        missing = rate(&dice, [0, 20, 200])
        twice = rate(&dice, [0, 0, 10, 50])
        shuffled = rate(&dice, [0, 0, 20, 1_000])
        unseen = dice.pick([0, 20, 300])

        let named = schema.model == "fraud" ? 1 : schema.model == "pets" ? 2 : 0
        let omitsModel = named > 0 && dice.chance(100)
        defaults = omitsModel ? named : dice.chance(900) ? 0 : dice.below(4)
        parts = [.ts]
        if kind != .prediction || dice.chance(300) { parts.append(.type) }
        if !omitsModel { parts.append(.model) }
        if dice.chance(900) { parts.append(.version) }
        if kind == .label || dice.chance(700) { parts.append(.id) }
        if kind == .label || dice.chance(50) { parts.append(.label) }
        if kind != .label || dice.chance(100) { parts.append(.features) }
        if kind == .prediction && dice.chance(900) || dice.chance(50) { parts.append(.prediction) }
        if dice.chance(700) { parts.append(.segments) }
        if dice.chance(100) { parts.append(.extra) }
        if dice.chance(600) { parts.shuffle(using: &dice) }

        let style: NumberStyle? = dice.chance(600) ? nil : dice.pick(NumberStyle.allCases)
        func styled(_ name: String, _ content: Content, _ dice: inout Dice) -> Feature {
            Feature(name: name, content: content, style: style ?? dice.pick([.decimals, .decimals, .whole, .shortest]))
        }
        let columns = schema.columns
        let output = columns.first { $0.name == ModelSchema.predictionColumn }
        self.output = output.map { Content($0.kind) } ?? .numbers
        features = []
        for column in schema.columns where column.name != ModelSchema.predictionColumn || dice.chance(30) {
            features.append(styled(column.name, Content(column.kind), &dice))
        }
        if dice.chance(200) { features += schema.ignored.map { styled($0, .anything, &dice) } }
        dimensions = schema.dimensions.map { name in
            let column = columns.first { $0.name == name }
            let free: Content = name == "session" ? .sessions : .values
            return Feature(name: name, content: column.map { Content($0.kind) } ?? free, style: .whole)
        }
        // The thousand values of a dimension count those of `features` that `segments` replaces, and the judge leaves open which come
        // first: few events have both.
        if dice.chance(100) { features += dimensions.filter { $0.name != "session" || dice.chance(20) } }
        for _ in 0..<(dice.chance(700) ? 0 : dice.between(1, 4)) {
            let near = ["amounts", "amoun", "amount_24", "Amount", "contry", "größ", "prediction"]
            features.append(styled(dice.chance(500) ? dice.pick(near) : Texts.any(&dice), .anything, &dice))
        }
        if dice.chance(500) { features.shuffle(using: &dice) }
        if dice.chance(200) { features.removeLast(dice.below(features.count + 1)) }
        if dice.chance(200) { dimensions.append(styled(dice.pick(["planet", "countr", ""]), .values, &dice)) }
        if dice.chance(300) { dimensions.shuffle(using: &dice) }
        if dice.chance(200) { dimensions.removeLast(dice.below(dimensions.count + 1)) }
    }
}
