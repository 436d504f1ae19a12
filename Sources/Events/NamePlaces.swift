import Synchronization
import Values

/// Which segment values and versions of one model have a place of their own, and which share `(other)`: one decision for all who read its
/// events, whatever thread reads them, and the same after a restart.
///
/// A name keeps its place until no open pane has rows of it and another wants the place. What was refused before a place became free went
/// to `(other)`, so a name's rows may be there in part; `View.isPartial` says for which windows that may be so. To know it, time
/// is counted in generations: a new one begins when places are given back. A name is whole where nothing was refused before the
/// generation that gave it its place.
///
/// Behind a lock, which is taken when a reader meets a name for the first time, never for an event whose names it knows.
package final class NamePlaces: Sendable {
    /// Past this many values of its own, beyond those the reference knows, a dimension's new values share one number: a hostile
    /// stream stays bounded.
    package static let maximumValues = 1_000
    /// The same of versions, beyond those the registry knows.
    package static let maximumVersions = 1_000
    /// Longer names share the number of `(other)`.
    package static let maximumNameBytes = 512
    package static let other = "(other)"

    /// What became of a name.
    enum Answer {
        case place
        /// There is none; the names that have one, which are all until the next generation.
        case none(have: [String])
    }

    private struct Axis {
        /// The generation that gave each name its place; of those that have one whatever comes, apart.
        var known: [String: Int]
        var places: [String: Int] = [:]
        /// Names that got a place since places were last given back: their rows may not have arrived yet.
        var fresh: Set<String> = []
        let limit: Int
        /// A name was refused since places were last given back, or ever.
        var isWanted = false
        var hasRefused = false

        func birth(_ name: String) -> Int? { known[name] ?? places[name] }
    }

    private struct State {
        /// By dimension, and the versions last.
        var axes: [Axis]
        var generation = 0
    }

    package let dimensions: [String]
    private let state: Mutex<State>

    package init(_ schema: ModelSchema) {
        dimensions = schema.dimensions
        var axes = schema.dimensions.indices.map { i in
            let known = schema.knownValues.indices.contains(i) ? schema.knownValues[i] : []
            return Axis(
                known: Dictionary(known.map { ($0.nameForm, 0) }) { first, _ in first }, limit: Self.maximumValues)
        }
        axes.append(Axis(known: ["": 0], limit: Self.maximumVersions))
        state = Mutex(State(axes: axes))
    }

    var versionAxis: Int { dimensions.count }

    /// Readers that were made in an earlier one should be made anew once nothing of theirs waits.
    package var generation: Int { state.withLock { $0.generation } }

    /// `*` means all versions or values together, so none may be called that; and what is as long as a text is no name, and would be
    /// kept as long as the process lives.
    static func isReserved(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count == 1 && bytes[0] == 0x2a || bytes.count > maximumNameBytes
    }

    /// Asks for a name's place.
    func ask(_ name: String, axis: Int) -> Answer {
        state.withLock { state in
            if state.axes[axis].birth(name) != nil { return .place }
            guard state.axes[axis].places.count < state.axes[axis].limit else {
                state.axes[axis].isWanted = true
                state.axes[axis].hasRefused = true
                return .none(have: Array(state.axes[axis].known.keys) + state.axes[axis].places.keys)
            }
            state.axes[axis].places[name] = state.generation
            state.axes[axis].fresh.insert(name)
            return .place
        }
    }

    /// Versions that have a place whatever else comes: the registry knows them, or the configuration.
    package func reserve(versions: some Sequence<String>) {
        state.withLock { state in
            let last = state.axes.count - 1
            for version in versions.lazy.map(\.nameForm) where state.axes[last].known[version] == nil {
                let before = state.axes[last].places.removeValue(forKey: version)
                if before == nil, state.axes[last].hasRefused { state.generation += 1 }
                state.axes[last].known[version] = before ?? (state.axes[last].hasRefused ? state.generation : 0)
            }
        }
    }

    /// Whether rows of names are expected that got a place lately.
    package var expectsNames: Bool { state.withLock { $0.axes.contains { !$0.fresh.isEmpty } } }

    /// Rows of these names are in open panes now, and keep their places there.
    package func arrived(_ names: [Set<String>]) {
        state.withLock { state in
            for i in state.axes.indices where !state.axes[i].fresh.isEmpty { state.axes[i].fresh.subtract(names[i]) }
        }
    }

    /// Whether a name was refused since places were last given back.
    package var isWanted: Bool { state.withLock { $0.axes.contains(where: \.isWanted) } }

    /// Gives back the places of names that no open pane has rows of.
    /// - Parameter used: by axis.
    package func giveBack(except used: [Set<String>]) {
        state.withLock { state in
            var hasFreed = false
            for i in state.axes.indices where state.axes[i].isWanted {
                let kept = state.axes[i].places.filter {
                    used[i].contains($0.key) || state.axes[i].fresh.contains($0.key)
                }
                hasFreed = hasFreed || kept.count < state.axes[i].places.count
                state.axes[i].places = kept
                state.axes[i].fresh = []
                state.axes[i].isWanted = false
            }
            if hasFreed { state.generation += 1 }
        }
    }

    /// Takes the places as the open panes show them, after a restart.
    /// - Parameters:
    ///   - used: by axis; `(other)` among them where some were refused.
    ///   - late: by axis, names that got their place after others were refused.
    package func restore(_ used: [Set<String>], late: [[String]]) {
        state.withLock { state in
            let hasOther = used.contains { $0.contains(Self.other) }
            for i in state.axes.indices {
                let known = state.axes[i].known
                let lateHere = late.indices.contains(i) ? Set(late[i]) : []
                state.axes[i].known = Dictionary(
                    uniqueKeysWithValues: known.keys.map { ($0, lateHere.contains($0) ? 1 : 0) })
                let own = used[i].filter { $0 != Self.other && known[$0] == nil }
                state.axes[i].places = Dictionary(
                    uniqueKeysWithValues: own.map { ($0, lateHere.contains($0) ? 1 : 0) })
                state.axes[i].fresh = []
                state.axes[i].isWanted = false
                state.axes[i].hasRefused = used[i].contains(Self.other)
            }
            // What had a place in memory when the process ended may get none now, and the reverse.
            state.generation =
                hasOther || late.contains { !$0.isEmpty } ? max(state.generation, 1) + 1 : state.generation
        }
    }

    /// By axis, the names that got their place after others were refused, to be stored; `nil` where there are none.
    package var late: [[String]]? {
        state.withLock { state in
            guard state.generation > 0 else { return nil }
            let late = state.axes.map { axis in
                (axis.known.filter { $0.value > 0 }.map(\.key) + axis.places.filter { $0.value > 0 }.map(\.key))
                    .sorted()
            }
            return late.allSatisfy(\.isEmpty) ? nil : late
        }
    }

    /// Where each name stands now; `nil` while every name that has a place always had it.
    package var view: View? {
        state.withLock { state in
            guard state.generation > 0 else { return nil }
            return View(births: state.axes.map { $0.known.merging($0.places) { first, _ in first } })
        }
    }

    /// Which names had their place since when.
    package struct View: Sendable {
        fileprivate let births: [[String: Int]]

        /// Whether some rows of a name may have gone to `(other)`.
        /// - Parameter refused: the earliest generation of which rows went there; `nil` where none did.
        package func isPartial(_ name: String, axis: Int, refused: Int?) -> Bool {
            guard let refused, name != NamePlaces.other else { return false }
            return births[axis][name].map { $0 > refused } ?? true
        }
    }
}
