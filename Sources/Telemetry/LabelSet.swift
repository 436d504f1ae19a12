/// The labels of a series, in the order and form they are rendered: sorted by name, names made valid, values escaped.
struct LabelSet: Hashable, Comparable, Sendable {
    struct Label: Hashable, Sendable {
        let name: String
        let value: String
    }

    let labels: [Label]
    /// `a="1",b="2"`, empty without labels.
    let text: String

    /// Of two dimensions with one name the later counts.
    init(_ dimensions: [(String, String)]) {
        var byName = [String: String]()
        for (name, value) in dimensions {
            var name = Self.validName(name, allowsColon: false)
            // `le` is the histogram's own: a second one would make the line invalid.
            if name == "le" { name = "exported_le" }
            byName[name] = value
        }
        labels = byName.sorted { $0.key < $1.key }.map { Label(name: $0.key, value: $0.value) }
        text = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
    }

    static func < (a: LabelSet, b: LabelSet) -> Bool { a.text < b.text }

    /// True if each of the given labels is among ours.
    func contains(_ wanted: LabelSet) -> Bool { wanted.labels.allSatisfy(labels.contains) }

    /// A name Prometheus accepts: other characters become `_`, and a digit is not first.
    static func validName(_ name: String, allowsColon: Bool) -> String {
        var out = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": out.unicodeScalars.append(scalar)
            case "0"..."9":
                if out.isEmpty { out = "_" }
                out.unicodeScalars.append(scalar)
            case ":" where allowsColon: out += ":"
            default: out += "_"
            }
        }
        return out.isEmpty ? "_" : out
    }

    /// Backslash, quote and line feed, as the text format asks for in label values.
    static func escaped(_ value: String) -> String {
        var out = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// The same for help texts, where quotes stay.
    static func escapedHelp(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
