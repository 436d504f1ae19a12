package import Values

/// Which versions of a model served in which role, by time: what `role` and `since` look at. A value, so that a replay
/// of the same events with the same history gives the same alerts.
package struct RoleHistory: Sendable, Hashable {
    /// What a version does beside the others.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        case champion, challenger, shadow
    }

    /// From `at` on the role is `version`'s, or nobody's.
    package struct Move: Sendable, Hashable {
        package var role: Role
        package var version: String?
        package var at: Timestamp

        package init(role: Role, version: String?, at: Timestamp) {
            self.role = role
            self.version = version
            self.at = at
        }
    }

    private let moves: [Move]

    /// - Parameter moves: in any order; of moves at one instant the later one in the list counts.
    package init(_ moves: [Move]) {
        self.moves = moves.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)
    }

    /// Nothing is known: no version has a role, and nothing was deployed.
    package static let none = RoleHistory([])

    /// The version of each role when a window ended: what its last rows were scored by.
    func versions(at time: Timestamp) -> [Role: String] {
        var out: [Role: String] = [:]
        for move in moves where move.at < time { out[move.role] = move.version }
        return out
    }

    /// Changes of the champion, oldest first.
    var champions: [ChampionMove] {
        var out: [ChampionMove] = []
        for move in moves where move.role == .champion {
            out.append(ChampionMove(from: out.last?.to, to: move.version, at: move.at))
        }
        return out
    }

    /// Versions that were the champion and have no role any more when a window ends.
    package func retired(at time: Timestamp) -> Set<String> {
        let past = moves.filter { $0.role == .champion && $0.at < time }.compactMap(\.version)
        return Set(past).subtracting(versions(at: time).values)
    }

    /// Whether part of a window lies within `span` after a change of the champion. The first champion is a deploy too.
    func isWithin(_ span: Span, ofDeployIn window: TimeRange) -> Bool {
        var champion: String?
        for move in moves where move.role == .champion && move.at < window.end {
            defer { champion = move.version }
            guard move.version != nil, move.version != champion else { continue }
            if window.start < move.at + span { return true }
        }
        return false
    }
}
