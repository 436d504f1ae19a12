import HTTPTypes
import Hummingbird
import Registry

/// Conditional requests (RFC 9110, 13): the tag of a state is the sequence of the event that moved it last.
extension Call {
    /// What `If-Match` and `If-None-Match` ask of the state that a change is about; `nil` where neither is there.
    func expecting() throws(Failure) -> SequenceCondition? {
        guard isConditional else { return nil }
        return SequenceCondition(match: try tags(.ifMatch), noneMatch: try tags(.ifNoneMatch))
    }

    var isConditional: Bool { request.headers[.ifMatch] != nil || request.headers[.ifNoneMatch] != nil }

    /// Whether the reader of a state has it already.
    func knows(_ tag: String) -> Bool {
        (request.headers[.ifNoneMatch] ?? "").split(separator: ",").contains { EntityTag.text($0) == tag[...] }
    }

    private func tags(_ name: HTTPField.Name) throws(Failure) -> SequenceCondition.Tags? {
        guard let value = request.headers[name] else { return nil }
        if EntityTag.trimmed(value[...]) == "*" { return .any }
        var sequences: [Int64] = []
        for tag in value.split(separator: ",") {
            guard let text = EntityTag.text(tag) else {
                throw .invalid(
                    "\(name) is '\(value)': give the ETag of the answer it was read with, such as \"12\", or *")
            }
            // The tag of something else is that of no state here.
            if let sequence = EntityTag.sequence(text) { sequences.append(sequence) }
        }
        return .sequences(sequences)
    }
}

/// One entity tag as it stands in a header.
enum EntityTag {
    /// What is between the quotes of `"12"` or `W/"12"`.
    static func text(_ tag: Substring) -> Substring? {
        var tag = trimmed(tag)
        if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
        guard tag.count > 2, tag.first == "\"", tag.last == "\"" else { return nil }
        return tag.dropFirst().dropLast()
    }

    /// The number it begins with; what follows a `-` tells apart the bytes that go with it.
    static func sequence(_ text: Substring) -> Int64? { Int64(text.prefix { $0 != "-" }) }

    static func trimmed(_ tag: Substring) -> Substring {
        var tag = tag.drop { $0 == " " || $0 == "\t" }
        while tag.last == " " || tag.last == "\t" { tag.removeLast() }
        return tag
    }
}
