/// One clause of a filter: what is looked at, how, and with what it is compared.
struct Clause: Hashable, Sendable {
    enum Entity: String, Sendable, CaseIterable {
        case attribute, metric, parameter, tag, dataset
    }

    enum Comparator: String, Sendable, CaseIterable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case like = "LIKE"
        case ilike = "ILIKE"
        case isIn = "IN"
        case notIn = "NOT IN"
        case isNull = "IS NULL"
        case isNotNull = "IS NOT NULL"

        static let numeric: Set<Comparator> = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
        static let text: Set<Comparator> = [.equal, .notEqual, .like, .ilike]
    }

    enum Value: Hashable, Sendable {
        case text(String)
        case number(Double)
        case list([String])
        case nothing
    }

    let entity: Entity
    let key: String
    let comparator: Comparator
    let value: Value
    /// In characters from the beginning of the filter, counted from 1.
    let place: Int
}

/// One item of an order.
struct OrderItem: Hashable, Sendable {
    let entity: Clause.Entity
    let key: String
    let isAscending: Bool
}

/// MLflow's filter grammar: `clause (AND clause)*`. One parser for everything that can be searched; what the thing
/// searched has is checked when the clause becomes SQL.
enum Filter {
    static func parse(_ text: String) throws(MLflowError) -> [Clause] {
        let tokens = try Lexer.tokens(text)
        var clauses: [Clause] = []
        var i = 0
        while i < tokens.count {
            if !clauses.isEmpty {
                guard isWord(tokens[i], "AND") else {
                    throw .invalid(
                        "Invalid clause(s) in filter string: expected AND at character \(tokens[i].place); "
                            + "clauses can only be joined by AND")
                }
                i += 1
            }
            clauses.append(try clause(tokens, &i, end: text.count + 1))
            guard clauses.count <= Limit.clauses else {
                throw .invalid("The filter has more than \(Limit.clauses) clauses: use fewer")
            }
        }
        return clauses
    }

    static func order(_ text: String) throws(MLflowError) -> OrderItem {
        let tokens = try Lexer.tokens(text)
        let failure = MLflowError.invalid(
            "Invalid order_by clause '\(text)'. Could not be parsed: write entity.key, then ASC or DESC.")
        guard let first = tokens.first, let (entity, key) = try identifier(first), tokens.count <= 2 else {
            throw failure
        }
        guard tokens.count == 2 else { return OrderItem(entity: entity, key: key, isAscending: true) }
        if isWord(tokens[1], "ASC") { return OrderItem(entity: entity, key: key, isAscending: true) }
        if isWord(tokens[1], "DESC") { return OrderItem(entity: entity, key: key, isAscending: false) }
        throw MLflowError.invalid("Invalid ordering key in order_by clause '\(text)'.")
    }

    private static func clause(_ tokens: [Token], _ i: inout Int, end: Int) throws(MLflowError) -> Clause {
        let start = tokens.indices.contains(i) ? tokens[i].place : end
        func failure(_ wanted: String) -> MLflowError {
            let place = tokens.indices.contains(i) ? tokens[i].place : end
            return .invalid("Invalid clause(s) in filter string: expected \(wanted) at character \(place)")
        }
        guard i < tokens.count, let (entity, key) = try identifier(tokens[i]) else { throw failure("'entity.key'") }
        i += 1
        guard let comparator = comparator(tokens, &i) else {
            throw failure("a comparison (=, !=, <, <=, >, >=, LIKE, ILIKE, IN, NOT IN, IS NULL, IS NOT NULL)")
        }
        let value: Clause.Value
        switch comparator {
        case .isNull, .isNotNull: value = .nothing
        case .isIn, .notIn:
            guard let items = list(tokens, &i) else { throw failure("a list such as ('a', 'b')") }
            value = .list(items)
        default:
            guard i < tokens.count else { throw failure("a value") }
            switch tokens[i].kind {
            case .text(let text): value = .text(text)
            case .number(let number, _): value = .number(number)
            case .name(let entity, let key):
                let word = entity.map { "\($0).\(key)" } ?? key
                throw MLflowError.invalid(
                    "Invalid clause(s) in filter string: Parameter value is either not quoted or unidentified quote types "
                        + "used for string value \(word) at character \(tokens[i].place). Use either single or double quotes."
                )
            default: throw failure("a quoted string or a number")
            }
            i += 1
        }
        return Clause(entity: entity, key: key, comparator: comparator, value: value, place: start)
    }

    private static func comparator(_ tokens: [Token], _ i: inout Int) -> Clause.Comparator? {
        guard i < tokens.count else { return nil }
        if case .comparator(let text) = tokens[i].kind {
            i += 1
            return Clause.Comparator(rawValue: text)
        }
        for (words, comparator) in Self.worded where i + words.count <= tokens.count {
            if zip(words, tokens[i...]).allSatisfy({ isWord($1, $0) }) {
                i += words.count
                return comparator
            }
        }
        return nil
    }

    /// Longer ones first.
    private static let worded: [([String], Clause.Comparator)] = [
        (["IS", "NOT", "NULL"], .isNotNull), (["IS", "NULL"], .isNull), (["NOT", "IN"], .notIn), (["IN"], .isIn),
        (["LIKE"], .like), (["ILIKE"], .ilike),
    ]

    private static func list(_ tokens: [Token], _ i: inout Int) -> [String]? {
        guard i < tokens.count, tokens[i].kind == .open else { return nil }
        i += 1
        var items: [String] = []
        while i < tokens.count {
            switch tokens[i].kind {
            case .text(let text): items.append(text)
            case .number(_, let text): items.append(text)
            default: return nil
            }
            i += 1
            guard i < tokens.count else { return nil }
            if tokens[i].kind == .close {
                i += 1
                return items
            }
            guard tokens[i].kind == .comma else { return nil }
            i += 1
        }
        return nil
    }

    private static func isWord(_ token: Token, _ word: String) -> Bool {
        if case .name(nil, let key) = token.kind { key.uppercased() == word } else { false }
    }

    /// `nil` where the token is no identifier; an unknown entity is an error of its own.
    private static func identifier(_ token: Token) throws(MLflowError) -> (Clause.Entity, String)? {
        switch token.kind {
        case .name(nil, let key): return (.attribute, key)
        case .name(.some(let entity), let key):
            guard let known = entities[entity.lowercased()] else {
                throw .invalid(
                    "Invalid entity type '\(entity)' at character \(token.place). Valid values are "
                        + "['metric', 'parameter', 'tag', 'attribute', 'dataset']")
            }
            return (known, key)
        // A quoted word in the place of a key.
        case .text(let text): return (.attribute, text)
        default: return nil
        }
    }

    private static let entities: [String: Clause.Entity] = [
        "metric": .metric, "metrics": .metric, "param": .parameter, "params": .parameter, "parameter": .parameter,
        "parameters": .parameter, "tag": .tag, "tags": .tag, "attribute": .attribute, "attributes": .attribute,
        "attr": .attribute, "run": .attribute, "dataset": .dataset, "datasets": .dataset,
    ]
}
