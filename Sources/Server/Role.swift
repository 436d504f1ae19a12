/// What a token lets its holder do. Each role may do what the ones before it may.
package enum Role: String, Sendable, CaseIterable, Comparable {
    /// Look at everything.
    case viewer
    /// Send events, log runs, register versions, report as a serving instance.
    case editor
    /// Move champions, through their gates.
    case promoter
    /// Past a gate, and everything else.
    case admin

    package static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .editor: 1
        case .promoter: 2
        case .admin: 3
        }
    }
}
