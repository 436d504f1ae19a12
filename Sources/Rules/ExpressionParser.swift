import Statistics
import StrictYAML
import Values

/// Recursive descent over PromQL's grammar, as far as rules.md takes it. Precedence, loosest first: `or`; `and`,
/// `unless`; comparisons; `+ -`; `* / %`; unary; `^` (right associative).
struct ExpressionParser {
    /// Deeper nesting than this is no rule a person wrote.
    static let maximumDepth = 64
    static let maximumTokens = 1_000

    let tokens: [Token]
    var index = 0
    private var depth = 0
    var isInReference = false
    var isInHistory = false

    private init(_ tokens: [Token]) { self.tokens = tokens }

    static func parse(_ text: String) throws(TextError) -> Expression {
        let tokens = try ExpressionLexer.tokens(of: text)
        if let extra = tokens.dropFirst(maximumTokens).first {
            throw TextError("the expression is too long", at: extra.offset)
        }
        var parser = ExpressionParser(tokens)
        let expression = try parser.or()
        if parser.current.kind != .end {
            throw parser.unexpected("an operator or the end of the expression", hint: parser.meant)
        }
        if expression.isScalar {
            throw TextError("expected an expression over a metric, found a number: nothing could be watched", at: 0)
        }
        return expression
    }

    var current: Token { tokens[index] }

    func unexpected(_ expected: String, hint: String = "") -> TextError {
        TextError("expected \(expected), found \(current.inWords)\(hint)", at: current.offset)
    }

    /// What a word where an operator is due is written like here.
    private var meant: String {
        guard case .name(let word) = current.kind else { return "" }
        let operators = ["and", "or", "unless", "by"]
        if operators.contains(word.lowercased()) { return ": did you mean `\(word.lowercased())`?" }
        return word == "offset" ? ": what was before is asked with `delta(x, 24h)`" : ""
    }

    mutating func take(_ symbol: String) -> Bool {
        guard current.kind == .symbol(symbol) else { return false }
        index += 1
        return true
    }

    mutating func takeName(_ name: String) -> Bool {
        guard current.kind == .name(name) else { return false }
        index += 1
        return true
    }

    mutating func expect(_ symbol: String, _ why: String) throws(TextError) {
        if !take(symbol) { throw unexpected("`\(symbol)` \(why)") }
    }

    private mutating func nested<T>(
        _ body: (inout ExpressionParser) throws(TextError) -> T
    ) throws(TextError) -> T {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw TextError("nested too deeply", at: current.offset) }
        return try body(&self)
    }

    // Each level loops over its operators, so that long chains cost no stack.

    mutating func or() throws(TextError) -> Expression {
        try nested { (parser) throws(TextError) in
            var left = try parser.and()
            while parser.current.kind == .name("or") {
                left = try parser.set(.or, left) { (p) throws(TextError) in try p.and() }
            }
            return left
        }
    }

    private mutating func and() throws(TextError) -> Expression {
        var left = try comparison()
        while true {
            if current.kind == .name("and") {
                left = try set(.and, left) { (p) throws(TextError) in try p.comparison() }
            } else if current.kind == .name("unless") {
                left = try set(.unless, left) { (p) throws(TextError) in try p.comparison() }
            } else {
                return left
            }
        }
    }

    private mutating func set(
        _ op: Expression.SetOperator, _ left: Expression,
        _ operand: (inout ExpressionParser) throws(TextError) -> Expression
    ) throws(TextError) -> Expression {
        let at = current.offset
        index += 1
        let matching = try matching()
        let right = try operand(&self)
        if left.isScalar || right.isScalar {
            throw TextError("`\(op.rawValue)` needs metrics on both sides, one is a number", at: at)
        }
        return .set(op, left, right, matching)
    }

    private mutating func comparison() throws(TextError) -> Expression {
        var left = try sum()
        while case .symbol(let symbol) = current.kind, let op = Expression.Comparator(rawValue: symbol) {
            let at = current.offset
            index += 1
            if case .name("bool") = current.kind {
                throw TextError("`bool` is not available: comparisons filter", at: current.offset)
            }
            let matching = try matching()
            let right = try sum()
            if left.isScalar && right.isScalar {
                throw TextError("this compares two numbers: expected a metric on one side of `\(symbol)`", at: at)
            }
            left = .comparison(op, left, right, matching)
        }
        if current.kind == .symbol("=") {
            throw TextError("expected a comparison, found `=`: did you mean `==`?", at: current.offset)
        }
        return left
    }

    private mutating func sum() throws(TextError) -> Expression {
        var left = try product()
        while case .symbol(let symbol) = current.kind, symbol == "+" || symbol == "-" {
            left = try arithmetic(symbol, left) { (p) throws(TextError) in try p.product() }
        }
        return left
    }

    private mutating func product() throws(TextError) -> Expression {
        var left = try unary()
        while case .symbol(let symbol) = current.kind, symbol == "*" || symbol == "/" || symbol == "%" {
            left = try arithmetic(symbol, left) { (p) throws(TextError) in try p.unary() }
        }
        return left
    }

    private mutating func arithmetic(
        _ symbol: String, _ left: Expression,
        _ operand: (inout ExpressionParser) throws(TextError) -> Expression
    ) throws(TextError) -> Expression {
        guard let op = Expression.Arithmetic(rawValue: symbol) else { throw unexpected("an operator") }
        index += 1
        let matching = try matching()
        return .arithmetic(op, left, try operand(&self), matching)
    }

    private mutating func unary() throws(TextError) -> Expression {
        try nested { (parser) throws(TextError) in
            if parser.take("-") { return .negated(try parser.unary()) }
            if parser.take("+") { return try parser.unary() }
            let base = try parser.primary()
            guard parser.current.kind == .symbol("^") else { return base }
            return try parser.arithmetic("^", base) { (p) throws(TextError) in try p.unary() }
        }
    }

    private mutating func matching() throws(TextError) -> Expression.Matching {
        if takeName("on") { return .on(try names("after `on`").map(\.text)) }
        if takeName("ignoring") { return .ignoring(try names("after `ignoring`").map(\.text)) }
        if case .name(let name) = current.kind, name == "group_left" || name == "group_right" {
            throw TextError(
                "`\(name)` is not needed: the side with more instances keeps its labels", at: current.offset)
        }
        return .all
    }

    /// The label at the current token, which is not taken yet. A name that is no ASCII identifier stands in quotes, as in
    /// Prometheus since its third version.
    func label(_ expected: String) throws(TextError) -> String {
        switch current.kind {
        case .name(let name): return name
        case .string(let name) where !name.isEmpty: return name
        default: throw unexpected(expected)
        }
    }

    mutating func names(_ why: String) throws(TextError) -> [Expression.Name] {
        try expect("(", why)
        var out: [Expression.Name] = []
        if take(")") { return out }
        repeat {
            let name = try label("a label")
            if out.contains(where: { $0.text == name }) {
                throw TextError("`\(name)` is named twice", at: current.offset)
            }
            out.append(Expression.Name(text: name, offset: current.offset))
            index += 1
        } while take(",")
        try expect(")", "or `,`")
        return out
    }

    private mutating func primary() throws(TextError) -> Expression {
        let token = current
        switch token.kind {
        case .number(let value):
            index += 1
            return .number(value)
        case .symbol("("):
            index += 1
            let inner = try or()
            try expect(")", "to close the parenthesis")
            return inner
        case .name(let name):
            index += 1
            return try named(name, at: token.offset)
        case .duration(let text):
            throw TextError("expected a metric, a number or `(`, found the duration `\(text)`", at: token.offset)
        default:
            throw unexpected("a metric, a number, a function or `(`")
        }
    }

    /// A name is a function or an aggregation where `(` follows, perhaps after `by (…)`, and a metric otherwise: `max`,
    /// `min` and `count` are both.
    private mutating func named(_ name: String, at offset: Int) throws(TextError) -> Expression {
        if let aggregate = Expression.Aggregate(rawValue: name), let expression = try aggregation(aggregate) {
            return expression
        }
        guard current.kind == .symbol("(") else { return .selector(try selector(name, at: offset)) }
        switch name {
        case "abs":
            return .absolute(try argument(of: name))
        case "reference":
            if isInReference { throw TextError("`reference` inside `reference`", at: offset) }
            isInReference = true
            defer { isInReference = false }
            return .reference(try argument(of: name))
        default:
            if let function = Expression.History.Function(rawValue: name) { return try history(function, at: offset) }
            let known =
                ["abs", "reference"] + Expression.Aggregate.allCases.map(\.rawValue)
                + Expression.History.Function.allCases.map(\.rawValue)
            if Metric(name: name) != nil {
                throw TextError("`\(name)` is a metric, not a function: write `\(name){column=\"…\"}`", at: offset)
            }
            throw TextError("unknown function `\(name)`\(Nearest.hint(for: name, among: known))", at: offset)
        }
    }

    mutating func argument(of name: String) throws(TextError) -> Expression {
        let at = current.offset
        try expect("(", "after `\(name)`")
        let inner = try or()
        try expect(")", "to close `\(name)`")
        if inner.isScalar { throw TextError("`\(name)` needs a metric, found a number", at: at + 1) }
        return inner
    }

    /// `max by (country) (x)` or `max(x) by (country)`; `nil`, with nothing taken, where it is the metric.
    private mutating func aggregation(_ aggregate: Expression.Aggregate) throws(TextError) -> Expression? {
        let start = index
        if takeName("by") {
            guard let by = try? names("after `by`"), current.kind == .symbol("(") else {
                index = start
                return nil
            }
            return .aggregate(aggregate, by: by, try argument(of: aggregate.rawValue))
        }
        guard current.kind == .symbol("(") else { return nil }
        let inner = try argument(of: aggregate.rawValue)
        let by = takeName("by") ? try names("after `by`") : []
        return .aggregate(aggregate, by: by, inner)
    }
}
