/// The versions a fleet keeps loaded: the champion first, then the ones before it, each once, at most three.
///
/// Pure: the whole algebra of promotion and rollback, over version row ids, without a database. The slots are filled
/// from the front, so that `champion-2` is never set while `champion-1` is empty.
struct WarmSet: Hashable, Sendable {
    /// The aliases of the slots, in order.
    static let slots = ["champion", "champion-1", "champion-2"]

    let versions: [Int64]

    init(_ versions: [Int64]) {
        precondition(versions.count <= Self.slots.count && Set(versions).count == versions.count)
        self.versions = versions
    }

    var champion: Int64? { versions.first }

    /// The version in a slot by its index in `slots`, `nil` where it is empty.
    subscript(slot: Int) -> Int64? { slot < versions.count ? versions[slot] : nil }

    /// The version moves to the front; a place it held before closes up.
    func promoting(_ version: Int64) -> WarmSet {
        WarmSet(Array(([version] + versions.filter { $0 != version }).prefix(Self.slots.count)))
    }

    /// The target moves to the front and the others are chosen anew from `served`: the versions that have been
    /// champion, the latest first. `barred` ones (quarantined, deleted, the failed champion) stay out.
    func rollingBack(to target: Int64, served: [Int64], barred: Set<Int64>) -> WarmSet {
        var chosen = [target]
        for version in served where chosen.count < Self.slots.count {
            if !barred.contains(version), !chosen.contains(version) { chosen.append(version) }
        }
        return WarmSet(chosen)
    }
}
