import StrictYAML

/// Reads a `Template`, refusing what could not work: unknown functions, variables and fields, a wrong number of
/// arguments, an action that is not closed.
struct TemplateParser {
    private static let maximumDepth = 32

    /// Variables and, where they are fixed, their fields.
    private static let variables: [String: [String]?] = [
        "labels": nil, "value": [], "threshold": [], "since": [], "stuck": [], "types": [], "figure": [], "parts": [],
        "reference": ["name", "value", "rows"],
        "window": ["start", "end", "rows", "reference_rows"],
    ]

    private enum Part {
        case text(String)
        case action([Word])
    }

    private struct Word {
        enum Kind: Equatable {
            case name(String)
            case variable(String, [String])
            case string(String)
            case number(Double)
            case symbol(Character)
        }
        var kind: Kind
        var offset: Int
    }

    private let scope: Template.Scope
    private var parts: [(part: Part, offset: Int)]
    private var index = 0

    static func parse(_ text: String, scope: Template.Scope) throws(TextError) -> Template {
        var parser = TemplateParser(scope: scope, parts: try split(text))
        let nodes = try parser.nodes(depth: 0)
        if parser.index < parser.parts.count {
            let offset = parser.parts[parser.index].offset
            throw TextError("`else` or `end` without an `if`", at: offset)
        }
        return Template(text: text, nodes: nodes)
    }

    private init(scope: Template.Scope, parts: [(Part, Int)]) {
        self.scope = scope
        self.parts = parts.map { (part: $0.0, offset: $0.1) }
    }

    /// Text and actions; `{{-` and `-}}` eat the white space beside them.
    private static func split(_ text: String) throws(TextError) -> [(Part, Int)] {
        let source = Array(text.unicodeScalars)
        var out: [(Part, Int)] = []
        var buffer = String.UnicodeScalarView()
        var i = 0
        var trimsNext = false
        func flush(trimEnd: Bool) {
            var view = buffer
            if trimEnd { while view.last?.properties.isWhitespace == true { view.removeLast() } }
            if trimsNext { while view.first?.properties.isWhitespace == true { view.removeFirst() } }
            if !view.isEmpty { out.append((.text(String(view)), i)) }
            buffer = String.UnicodeScalarView()
        }
        while i < source.count {
            guard source[i] == "{", i + 1 < source.count, source[i + 1] == "{" else {
                buffer.append(source[i])
                i += 1
                continue
            }
            let start = i
            let trimsBefore =
                i + 3 < source.count && source[i + 2] == "-" && source[i + 3].properties.isWhitespace
            flush(trimEnd: trimsBefore)
            i += trimsBefore ? 3 : 2
            var words: [Word] = []
            trimsNext = try scan(source, &i, from: start, into: &words)
            out.append((.action(words), start))
        }
        flush(trimEnd: false)
        return out
    }

    /// Reads words up to the closing braces; says whether they trim.
    private static func scan(
        _ source: [Unicode.Scalar], _ i: inout Int, from start: Int, into words: inout [Word]
    ) throws(TextError) -> Bool {
        func slice(_ a: Int, _ b: Int) -> String { String(String.UnicodeScalarView(source[a..<b])) }
        func isName(_ c: Unicode.Scalar) -> Bool { c == "_" || (c.isASCII && c.properties.isAlphabetic) }
        func isDigit(_ c: Unicode.Scalar) -> Bool { ("0"..."9").contains(c) }
        func takeName() -> String {
            let from = i
            while i < source.count, isName(source[i]) || isDigit(source[i]) { i += 1 }
            return slice(from, i)
        }
        while i < source.count {
            let c = source[i]
            let at = i
            if c.properties.isWhitespace {
                i += 1
            } else if c == "}", i + 1 < source.count, source[i + 1] == "}" {
                i += 2
                return false
            } else if c == "-", i + 2 < source.count, source[i + 1] == "}", source[i + 2] == "}" {
                i += 3
                return true
            } else if c == "$" {
                i += 1
                let name = takeName()
                var fields: [String] = []
                while i + 1 < source.count, source[i] == ".", isName(source[i + 1]) {
                    i += 1
                    fields.append(takeName())
                }
                words.append(Word(kind: .variable(name, fields), offset: at))
            } else if isName(c) {
                words.append(Word(kind: .name(takeName()), offset: at))
            } else if isDigit(c) || ((c == "-" || c == ".") && i + 1 < source.count && isDigit(source[i + 1])) {
                i += 1
                while i < source.count, isDigit(source[i]) || source[i] == "." || source[i] == "e" { i += 1 }
                guard let value = Double(slice(at, i)) else { throw TextError("not a number in a template", at: at) }
                words.append(Word(kind: .number(value), offset: at))
            } else if c == "\"" || c == "`" {
                words.append(Word(kind: .string(try quoted(source, &i)), offset: at))
            } else if c == "|" || c == "(" || c == ")" {
                i += 1
                words.append(Word(kind: .symbol(Character(c)), offset: at))
            } else {
                throw TextError("unexpected `\(c)` in a template", at: at)
            }
        }
        throw TextError("`{{` is never closed: expected `}}`", at: start)
    }

    private static func quoted(_ source: [Unicode.Scalar], _ i: inout Int) throws(TextError) -> String {
        let start = i
        let quote = source[i]
        i += 1
        var out = String.UnicodeScalarView()
        while i < source.count {
            let c = source[i]
            i += 1
            if c == quote { return String(out) }
            if c == "\\", quote == "\"", i < source.count {
                out.append(source[i] == "n" ? "\n" : source[i] == "t" ? "\t" : source[i])
                i += 1
            } else {
                out.append(c)
            }
        }
        throw TextError("a quoted text in a template is never closed", at: start)
    }

    /// Nodes up to an `else` or `end`, which stays.
    private mutating func nodes(depth: Int) throws(TextError) -> [Template.Node] {
        var out: [Template.Node] = []
        while index < parts.count {
            let (part, offset) = parts[index]
            switch part {
            case .text(let text):
                index += 1
                out.append(.text(text))
            case .action(let words):
                switch words.first?.kind {
                case .name("end"), .name("else"): return out
                case .name("if"):
                    guard depth < Self.maximumDepth else { throw TextError("nested too deeply", at: offset) }
                    out.append(try branch(depth: depth))
                case .name(let name) where ["range", "with", "define", "template", "block", "break"].contains(name):
                    throw TextError("`\(name)` is not available in a template here", at: offset)
                case .none: throw TextError("an empty `{{ }}`", at: offset)
                default:
                    index += 1
                    out.append(.output(try pipeline(words[...], offset)))
                }
            }
        }
        return out
    }

    private mutating func branch(depth: Int) throws(TextError) -> Template.Node {
        let start = parts[index].offset
        var cases: [(condition: Template.Pipeline, body: [Template.Node])] = []
        var otherwise: [Template.Node] = []
        guard case .action(var words) = parts[index].part else { throw TextError("expected `if`", at: start) }
        words.removeFirst()
        while true {
            let condition = try pipeline(words[...], parts[index].offset)
            index += 1
            cases.append((condition, try nodes(depth: depth + 1)))
            guard index < parts.count, case .action(let next) = parts[index].part else {
                throw TextError("`if` without `end`", at: start)
            }
            let offset = parts[index].offset
            if next.first?.kind == .name("end") { break }
            words = Array(next.dropFirst())
            if words.first?.kind == .name("if") {
                words.removeFirst()
                continue
            }
            index += 1
            otherwise = try nodes(depth: depth + 1)
            guard index < parts.count, case .action(let last) = parts[index].part,
                last.first?.kind == .name("end")
            else { throw TextError("expected `end` after `else`", at: offset) }
            break
        }
        index += 1
        return .branch(cases, otherwise: otherwise)
    }

    private func pipeline(_ words: ArraySlice<Word>, _ offset: Int) throws(TextError) -> Template.Pipeline {
        var rest = words
        let result = try pipeline(&rest, offset, depth: 0)
        if let extra = rest.first { throw TextError("unexpected word in a template", at: extra.offset) }
        return result
    }

    private func pipeline(
        _ rest: inout ArraySlice<Word>, _ offset: Int, depth: Int
    ) throws(TextError) -> Template.Pipeline {
        guard depth < Self.maximumDepth else { throw TextError("nested too deeply", at: offset) }
        var commands: [Template.Command] = []
        repeat {
            if !commands.isEmpty { rest.removeFirst() }
            commands.append(try command(&rest, offset, isPiped: !commands.isEmpty, depth: depth))
        } while rest.first?.kind == .symbol("|")
        return Template.Pipeline(commands: commands)
    }

    private func command(
        _ rest: inout ArraySlice<Word>, _ offset: Int, isPiped: Bool, depth: Int
    ) throws(TextError) -> Template.Command {
        guard let first = rest.first else { throw TextError("expected a variable or a function", at: offset) }
        if case .name(let name) = first.kind, name != "true", name != "false" {
            guard let function = TemplateFunction(rawValue: name) else {
                let hint = Nearest.hint(for: name, among: TemplateFunction.allCases.map(\.rawValue))
                throw TextError("unknown template function `\(name)`\(hint)", at: first.offset)
            }
            rest.removeFirst()
            var arguments: [Template.Operand] = []
            while let word = rest.first, word.kind != .symbol("|"), word.kind != .symbol(")") {
                arguments.append(try operand(&rest, offset, depth: depth))
            }
            try check(function, arguments, isPiped: isPiped, at: first.offset)
            return .call(function, arguments)
        }
        if isPiped { throw TextError("expected a function after `|`", at: first.offset) }
        let value = try operand(&rest, offset, depth: depth)
        if let extra = rest.first, extra.kind != .symbol("|"), extra.kind != .symbol(")") {
            throw TextError("expected `|` or `}}`", at: extra.offset)
        }
        return .operand(value)
    }

    private func check(
        _ function: TemplateFunction, _ arguments: [Template.Operand], isPiped: Bool, at offset: Int
    ) throws(TextError) {
        let count = arguments.count + (isPiped ? 1 : 0)
        guard function.arity.contains(count) else {
            throw TextError(
                "`\(function.rawValue)` takes \(function.arityInWords) argument(s), found \(count)", at: offset)
        }
        guard case .literal(.string(let text))? = arguments.first else { return }
        if function == .printf {
            do {
                let verbs = try Printf.pieces(text).count { if case .verb = $0 { true } else { false } }
                if verbs != count - 1 {
                    throw TextError("`printf` has \(verbs) verb(s) for \(count - 1) value(s)", at: offset)
                }
            } catch let error as TemplateFailure {
                throw TextError(error.message, at: offset)
            } catch let error as TextError {
                throw error
            } catch {
                throw TextError("`printf` cannot be read", at: offset)
            }
        }
        if function == .reReplaceAll, (try? LabelMatcher.compile(text)) == nil {
            throw TextError("not a regular expression: `\(text)`", at: offset)
        }
    }

    private func operand(
        _ rest: inout ArraySlice<Word>, _ offset: Int, depth: Int
    ) throws(TextError) -> Template.Operand {
        guard let word = rest.popFirst() else { throw TextError("expected a value", at: offset) }
        switch word.kind {
        case .string(let text): return .literal(.string(text))
        case .number(let value): return .literal(.number(value))
        case .name("true"): return .literal(.bool(true))
        case .name("false"): return .literal(.bool(false))
        case .name(let name): throw TextError("`\(name)` must stand in parentheses here", at: word.offset)
        case .variable(let name, let fields):
            try check(variable: name, fields, at: word.offset)
            return .variable(name, fields: fields)
        case .symbol("("):
            let inner = try pipeline(&rest, word.offset, depth: depth + 1)
            guard rest.popFirst()?.kind == .symbol(")") else { throw TextError("`(` is never closed", at: word.offset) }
            return .group(inner)
        case .symbol(let symbol): throw TextError("unexpected `\(symbol)` in a template", at: word.offset)
        }
    }

    private func check(variable name: String, _ fields: [String], at offset: Int) throws(TextError) {
        guard let known = Self.variables[name] else {
            let hint = Nearest.hint(for: "$\(name)", among: Self.variables.keys.sorted().map { "$\($0)" })
            throw TextError("unknown template variable `$\(name)`\(hint)", at: offset)
        }
        if scope == .label, name != "labels" {
            throw TextError("a label may not use `$\(name)`: it would change the alert's identity", at: offset)
        }
        if let known {
            if let field = fields.first, !known.contains(field) {
                throw TextError(
                    "`$\(name)` has no field `\(field)`\(Nearest.hint(for: field, among: known))", at: offset)
            }
            if fields.count > 1 { throw TextError("`$\(name).\(fields[0])` has no fields", at: offset) }
        } else if fields.count > 1 {
            throw TextError("a label has no fields: `$\(name).\(fields.joined(separator: "."))`", at: offset)
        }
    }
}
