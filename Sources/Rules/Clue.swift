import Values

/// Something that was seen beside a shift, with its numbers. Evidence, never a "root cause": it says what was seen, and what that usually
/// means.
struct Clue: Sendable, Hashable {
    enum Kind: String, Sendable {
        case fieldAdded = "field_added"
        case fieldRemoved = "field_removed"
        case retyped
        case respelled
        case nullJump = "null_jump"
        case unitChange = "unit_change"
        case stuckValue = "stuck_value"
        case newCategories = "new_categories"
        case calendar
        case deploy
        case versions
        case mixChange = "mix_change"
        case volumeChange = "volume_change"
        case movedTogether = "moved_together"
        case performance
    }

    let kind: Kind
    /// What was seen, in words.
    let what: String
    /// What it is to be held against, for brackets after the place.
    var beside: String?
    /// What it usually means, for the end of a sentence; `nil` where it only goes along with other evidence.
    var reading: String?
    /// When it happened, for what has a time of its own.
    var at: Timestamp?
    var numbers: [JSON.Member] = []
    /// Of a release beside which both versions could be compared: whether they differ.
    var blamesRelease: Bool?

    /// Without a place in it.
    private var full: String { beside.map { "\(what) (\($0))" } ?? what }

    /// An entry of `correlated`.
    var json: JSON {
        .object(
            [JSON.Member("kind", .string(kind.rawValue)), JSON.Member("what", .string(full))]
                + (at.map { [JSON.Member("at", .time($0))] } ?? []) + numbers)
    }
}
