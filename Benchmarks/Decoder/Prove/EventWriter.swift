import Events

/// Writes the events of a shape. White space, escapes and numbers are the shape's; its rates say how often something is amiss.
struct EventWriter {
    var out = Bytes()
    var dice: Dice
    private var depth = 0

    init(dice: Dice) { self.dice = dice }

    mutating func event(_ shape: Shape) {
        let parts = members(shape.parts, shape)
        open(shape, 0x7b)
        for (i, part) in parts.enumerated() {
            if i > 0 { comma(shape) }
            key(part.key, shape)
            value(part, shape)
        }
        close(shape, 0x7d)
    }

    /// The members an event has: some left out, some given twice, sometimes in another order.
    private mutating func members<T>(_ all: [T], _ shape: Shape) -> [T] {
        guard shape.missing + shape.twice + shape.shuffled > 0 else { return all }
        var found: [T] = []
        for member in all where !dice.chance(shape.missing) {
            found.append(member)
            if dice.chance(shape.twice) { found.insert(member, at: dice.below(found.count + 1)) }
        }
        if dice.chance(shape.shuffled) { found.shuffle(using: &dice) }
        return found
    }

    private mutating func value(_ part: Shape.Part, _ shape: Shape) {
        // The parts of an event are fewer than its features and an odd one spoils it whole.
        if dice.chance(shape.null / 4) { return out.add("null") }
        if dice.chance(shape.odd / 8) { return out.add(Texts.odd(&dice)) }
        if dice.chance(shape.broken / 2) { return out.append(contentsOf: Texts.broken(&dice)) }
        switch part {
        case .type: text(dice.chance(shape.odd / 4) ? "vote" : shape.kind.name, shape)
        case .model: text(dice.chance(shape.odd / 4) ? Texts.any(&dice) : shape.schema.model, shape)
        case .version: version(shape)
        case .id:
            if dice.chance(200) { out.addNumber(.whole, &dice) } else { text("id-\(dice.below(1_000_000))", shape) }
        case .ts: out.addTime(dice.chance(shape.odd / 2) ? .odd : shape.time, &dice)
        case .features: features(shape)
        case .prediction: prediction(shape)
        case .segments: segments(shape)
        case .label:
            if dice.chance(500) { text("1", shape) } else { out.addNumber(.whole, &dice) }
        case .extra:
            if dice.chance(100) { out += Texts.deep(&dice) } else { nested(shape, levels: 4) }
        }
    }

    private mutating func version(_ shape: Shape) {
        let number = dice.below(shape.versions)
        switch dice.chance(900) ? 0 : dice.below(5) {
        case 0: text(String(number), shape)
        case 1: out.add(number)
        case 2: out.add("\(number).0")
        case 3: out.addNumber(.mixed, &dice)
        default: text(dice.pick(["*", "", "(other)", "v\u{e9}"]), shape)
        }
    }

    private mutating func features(_ shape: Shape) {
        object(members(shape.features, shape), shape, \.name) { $0.cell($1.content, $1.style, shape) }
    }

    private mutating func segments(_ shape: Shape) {
        object(members(shape.dimensions, shape), shape, \.name) { $0.cell($1.content, $1.style, shape) }
    }

    private mutating func prediction(_ shape: Shape) {
        let names: [String]
        switch shape.prediction {
        case .bare: return cell(.numbers, .decimals, shape)
        case .text: return cell(shape.output, .decimals, shape)
        case .score: names = ["score"]
        case .value: names = ["value"]
        case .scoreAndLabel: names = ["score", "label"]
        case .label: names = ["label"]
        case .scores: names = ["scores"]
        case .empty: names = []
        case .odd: names = ["score", "value", "label", "scores", "sc", "extra"].shuffled(using: &dice)
        }
        object(members(names, shape), shape, { $0 }) { $0.predicted($1, shape) }
    }

    private mutating func predicted(_ name: String, _ shape: Shape) {
        switch name {
        case "score", "value": cell(.numbers, .decimals, shape)
        case "label": cell(shape.output, .decimals, shape)
        case "scores":
            if dice.chance(shape.odd) { return out.add(Texts.odd(&dice)) }
            let classes = members(["cat", "dog", "кот", "1", "true", "cow", "nan"], shape)
            object(classes.prefix(dice.below(8)), shape, { $0 }) { writer, _ in
                writer.cell(.numbers, writer.dice.chance(900) ? .decimals : .mixed, shape)
            }
        default: nested(shape, levels: 2)
        }
    }

    /// A feature, segment or output.
    private mutating func cell(_ content: Shape.Content, _ style: NumberStyle, _ shape: Shape) {
        if dice.chance(shape.null) { return out.add("null") }
        if dice.chance(shape.odd) { return out.add(Texts.odd(&dice)) }
        if dice.chance(shape.broken) { return out.append(contentsOf: Texts.broken(&dice)) }
        switch content {
        case .numbers: out.addNumber(style, &dice)
        case .categories(let names): text(dice.chance(shape.unseen) ? Texts.any(&dice) : dice.pick(names), shape)
        case .values: text(dice.pick(["north", "süd", "east", "x", "*", "tabby", "7", "(other)"]), shape)
        case .sessions: text("s\(dice.below(dice.chance(500) ? 20 : 4_000))", shape)
        case .anything: nested(shape, levels: 3)
        }
    }

    /// A value that nobody knows, to any depth.
    private mutating func nested(_ shape: Shape, levels: Int) {
        switch levels == 0 ? dice.below(4) : dice.below(7) {
        case 0: out.addNumber(.mixed, &dice)
        case 1, 2: text(Texts.any(&dice), shape)
        case 3: out.add(dice.pick(["true", "false", "null"]))
        case 4:
            open(shape, 0x5b)
            for i in 0..<dice.between(0, 3) {
                if i > 0 { comma(shape) }
                nested(shape, levels: levels - 1)
            }
            close(shape, 0x5d)
        default:
            let names = ["a", "features", "score", "", "ü", "a"]
            object(names.prefix(dice.below(7)), shape, { $0 }) { writer, _ in writer.nested(shape, levels: levels - 1) }
        }
    }
}

extension EventWriter {
    private mutating func object<S: Sequence>(
        _ members: S, _ shape: Shape, _ name: (S.Element) -> String, _ body: (inout EventWriter, S.Element) -> Void
    ) {
        open(shape, 0x7b)
        var isFirst = true
        for member in members {
            if !isFirst { comma(shape) }
            isFirst = false
            key(name(member), shape)
            body(&self, member)
        }
        close(shape, 0x7d)
    }

    private mutating func text(_ text: String, _ shape: Shape) { out.addString(text, shape.textEscapes, &dice) }

    private mutating func key(_ name: String, _ shape: Shape) {
        out.addString(name, shape.keyEscapes, &dice)
        wild(shape)
        out.append(0x3a)
        if shape.spacing == .python || shape.spacing == .pretty { out.append(0x20) }
        wild(shape)
    }

    private mutating func open(_ shape: Shape, _ bracket: UInt8) {
        out.append(bracket)
        depth += 1
        newLine(shape)
        wild(shape)
    }

    private mutating func close(_ shape: Shape, _ bracket: UInt8) {
        depth -= 1
        newLine(shape)
        wild(shape)
        out.append(bracket)
    }

    private mutating func comma(_ shape: Shape) {
        wild(shape)
        out.append(0x2c)
        if shape.spacing == .python { out.append(0x20) }
        newLine(shape)
        wild(shape)
    }

    private mutating func newLine(_ shape: Shape) {
        guard shape.spacing == .pretty else { return }
        out.append(0x0a)
        for _ in 0..<depth { out.add("  ") }
    }

    private mutating func wild(_ shape: Shape) {
        guard shape.spacing == .wild, dice.chance(300) else { return }
        for _ in 0..<dice.between(1, 3) { out.append(dice.pick([0x20, 0x20, 0x09, 0x0a, 0x0d])) }
    }
}
