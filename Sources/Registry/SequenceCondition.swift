/// What must be so of an alias, or of a model's champion, before it is moved: the comparison of a compare-and-set. Means what
/// `If-Match` and `If-None-Match` mean (RFC 9110, 13.1), over the sequence of the event that moved it last.
package struct SequenceCondition: Sendable, Hashable {
    package enum Tags: Sendable, Hashable {
        /// `*`: whatever it points at, as long as it points at something.
        case any
        case sequences([Int64])
    }

    /// What it must be; `nil` where anything will do.
    package let match: Tags?
    /// What it must not be.
    package let noneMatch: Tags?

    package init(match: Tags? = nil, noneMatch: Tags? = nil) {
        self.match = match
        self.noneMatch = noneMatch
    }

    /// It is as it was read with this sequence.
    package static func at(_ sequence: Int64) -> SequenceCondition { SequenceCondition(match: .sequences([sequence])) }

    /// Throws `conflict` where it does not hold.
    ///
    /// - Parameters:
    ///   - what: "alias 'x' of 'm'".
    ///   - sequence: of the present state; `nil` where it has none.
    ///   - version: what it points at; `nil` where it points nowhere.
    func check(_ what: String, sequence: Int64?, version: String?) throws(RegistryError) {
        func holds(_ tags: Tags) -> Bool {
            switch tags {
            case .any: version != nil
            case .sequences(let known): sequence.map { known.contains($0) } ?? false
            }
        }
        if let match, !holds(match) {
            throw RegistryError(
                .conflict,
                "\(what) \(Self.text(sequence, version)), \(Self.text(match)): read it again and decide anew")
        }
        if let noneMatch, holds(noneMatch) {
            throw RegistryError(
                .conflict,
                "\(what) \(Self.text(sequence, version)), which it must not: read it again and decide anew")
        }
    }

    private static func text(_ sequence: Int64?, _ version: String?) -> String {
        let place = sequence.map { ", at sequence \($0)" } ?? ""
        return (version.map { "points at version '\($0)'" } ?? "points nowhere") + place
    }

    private static func text(_ tags: Tags) -> String {
        switch tags {
        case .any: "and must point somewhere"
        case .sequences(let known):
            known.isEmpty
                ? "which is not what the condition names"
                : "not at \(known.map(String.init).joined(separator: " or "))"
        }
    }
}
