package import Values

/// How often a column stands still by nature: an exchange rate has one value a day, a setting one value for weeks. Such a column is not
/// stuck when it does what it always did. Constant size; only segments that ever stood still take room.
package struct StandingHabits: Sendable, Hashable, Codable {
    private struct Habit: Sendable, Hashable, Codable {
        let segment: Segment
        var windows: Int
    }

    private var windows = 0
    /// Ordered by segment, so that equal habits are equal bytes.
    private var standing: [Habit] = []
    /// When something stood still for a while, told of or not: the last window of each, oldest first; absent in states of
    /// older programs.
    private var spells: [Timestamp]?

    /// Windows before which nothing is known.
    private static let least = 3
    /// Part of its windows that a segment must have moved in to be watched.
    private static let moving = 0.75
    /// Windows after which older ones count half.
    private static let memory = 64
    /// Spells of standing still after which the next is one of them: a tour group is many rows that are alike, and there will be others. A
    /// sensor that freezes three times in a season is worth telling of once or twice.
    private static let usualSpells = 2
    private static let spellMemory = Span.days(90)
    /// Spells this close are one.
    private static let pause = Span.days(2)

    package init() {}

    /// Whether a segment that stands still now is worth a look: it is known, and used to move.
    package func isUnusual(_ segment: Segment, at time: Timestamp) -> Bool {
        guard windows >= Self.least else { return false }
        let before = (spells ?? []).filter { time - $0 <= Self.spellMemory }
        // The spell that goes on now is not one before it.
        guard before.count(where: { time - $0 > Self.pause }) < Self.usualSpells else { return false }
        let stood = standing.first { $0.segment == segment }?.windows ?? 0
        return Double(stood) <= (1 - Self.moving) * Double(windows)
    }

    /// Takes a window in: the segments that stand still in it, but for those that are told of; and whether any does.
    package mutating func note(_ segments: [Segment], any: Bool, at time: Timestamp) {
        windows += 1
        if any { noteSpell(at: time) }
        for segment in segments {
            if let i = standing.firstIndex(where: { $0.segment == segment }) {
                standing[i].windows += 1
            } else {
                standing.append(Habit(segment: segment, windows: 1))
            }
        }
        if !segments.isEmpty { standing.sort { $0.segment < $1.segment } }
        guard windows > Self.memory else { return }
        windows /= 2
        for i in standing.indices { standing[i].windows /= 2 }
        standing.removeAll { $0.windows == 0 }
    }

    private mutating func noteSpell(at time: Timestamp) {
        var known = (spells ?? []).filter { time - $0 <= Self.spellMemory }
        if let last = known.last, time - last <= Self.pause {
            known[known.count - 1] = time
        } else {
            known.append(time)
        }
        spells = known.suffix(Self.usualSpells + 1)
    }
}
