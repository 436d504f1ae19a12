import Yams

extension YAMLValue {
    /// What a file may be at most. Aliases count as often as they are used, so a small file cannot unfold into a large
    /// one.
    package struct Limits: Sendable {
        package var bytes: Int
        package var nodes: Int
        package var depth: Int

        package init(bytes: Int = 4 << 20, nodes: Int = 200_000, depth: Int = 64) {
            self.bytes = bytes
            self.nodes = nodes
            self.depth = depth
        }
    }

    /// Reads one YAML document. `nil` where it cannot be read, with the reason collected; an empty file is a null.
    ///
    /// `expanding` gives the values of `${NAME}` and `${file:/path}`; without it such text stays as it is.
    package static func parse(
        text: String, file: String, expanding resolver: Expansion.Resolver? = nil, limits: Limits = Limits(),
        collector: inout ProblemCollector
    ) -> YAMLValue? {
        let start = Place(file: file, line: 1, column: 1)
        guard text.utf8.count <= limits.bytes else {
            collector.add("the file is larger than \(limits.bytes) bytes: split it", at: start)
            return nil
        }
        do {
            let hidden = Expansion.hide(text)
            var reader = TreeReader(file: file, source: SourceText(text), resolver: resolver, limits: limits)
            guard let node = try Parser(yaml: hidden, encoding: .utf8).singleRoot() else {
                let scalar = Scalar(text: "", isPlain: true, isSecret: false, style: .plain)
                return YAMLValue(content: .scalar(scalar), place: start, source: reader.source)
            }
            return reader.read(node, depth: 0, &collector)
        } catch let error as YamlError {
            let (message, mark) = describe(error)
            let line = mark.map { text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst($0.line - 1) }
            let isTab = line?.first?.prefix { $0 == " " || $0 == "\t" }.contains("\t") ?? false
            collector.add(
                isTab ? "a tab cannot indent YAML: write spaces" : message,
                at: Place(file: file, line: mark?.line ?? 1, column: max(1, mark?.column ?? 1)))
        } catch {
            collector.add("cannot be read as YAML", at: start)
        }
        return nil
    }

    /// The parser's reason without the excerpt of the file it likes to add: that may hold a secret.
    private static func describe(_ error: YamlError) -> (String, Mark?) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let during = context.map { " (\($0.text) from line \($0.mark.line))" } ?? ""
            return ("not valid YAML: \(problem)\(during)", mark)
        case .reader(let problem, _, _, _): return ("not valid YAML: \(problem)", nil)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.map { "`\(Expansion.unhide($0))`" }.joined(separator: ", ")
            return ("given more than once in the same mapping: \(names)", context.mark)
        default: return ("cannot be read as YAML", nil)
        }
    }
}

/// Turns the parser's nodes into ours, within the limits.
private struct TreeReader {
    let file: String
    let source: SourceText
    let resolver: Expansion.Resolver?
    let limits: YAMLValue.Limits
    private var nodes = 0

    init(file: String, source: SourceText, resolver: Expansion.Resolver?, limits: YAMLValue.Limits) {
        self.file = file
        self.source = source
        self.resolver = resolver
        self.limits = limits
    }

    mutating func read(_ node: Node, depth: Int, _ collector: inout ProblemCollector) -> YAMLValue? {
        let place = Place(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
        guard depth < limits.depth else {
            collector.add("nested more than \(limits.depth) levels deep", at: place)
            return nil
        }
        nodes += 1
        guard nodes <= limits.nodes else {
            // Said once: whatever remains is over the limit too.
            if nodes == limits.nodes + 1 {
                collector.add("more than \(limits.nodes) values, counting each use of an alias", at: place)
            }
            return nil
        }
        switch node {
        case .scalar(let scalar):
            return YAMLValue(content: .scalar(read(scalar, place, &collector)), place: place, source: source)
        case .sequence(let sequence):
            var items: [YAMLValue] = []
            for child in sequence {
                guard let item = read(child, depth: depth + 1, &collector) else { return nil }
                items.append(item)
            }
            return YAMLValue(content: .list(items), place: place, source: source)
        case .mapping(let mapping):
            var entries: [YAMLValue.Entry] = []
            for (key, child) in mapping {
                guard case .scalar(let name) = key else {
                    collector.add("a key must be a word, not a list or a mapping", at: place)
                    return nil
                }
                guard let value = read(child, depth: depth + 1, &collector) else { return nil }
                let keyPlace = Place(file: file, line: key.mark?.line ?? 1, column: key.mark?.column ?? 1)
                entries.append(
                    YAMLValue.Entry(key: Expansion.unhide(name.string), keyPlace: keyPlace, value: value))
            }
            return YAMLValue(content: .mapping(entries), place: place, source: source)
        case .alias:
            // The parser resolves aliases itself; one that is left has no anchor.
            collector.add("an alias without an anchor", at: place)
            return nil
        }
    }

    private func read(
        _ scalar: Node.Scalar, _ place: Place, _ collector: inout ProblemCollector
    ) -> YAMLValue.Scalar {
        let style: YAMLValue.Style =
            switch scalar.style {
            case .singleQuoted: .singleQuoted
            case .doubleQuoted: .doubleQuoted
            case .literal, .folded: .block
            case .plain, .any: .plain
            }
        var text = Expansion.unhide(scalar.string)
        var isSecret = false
        if let resolver {
            let result = Expansion.expand(text, resolver)
            for variable in result.unknown { collector.add("\(variable)", at: place) }
            text = result.text
            isSecret = result.changed
        }
        return YAMLValue.Scalar(text: text, isPlain: style == .plain, isSecret: isSecret, style: style)
    }
}
