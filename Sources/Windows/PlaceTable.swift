/// From a combination of segment values to the number of its group. A single dimension's values are small numbers and index a table; a
/// cross of several is hashed (open addressing, linear probing).
struct PlaceTable {
    private var groups: UnsafeMutablePointer<Int32>
    private var keys: UnsafeMutablePointer<UInt64>?
    private var capacity: Int
    private var used = 0

    private static let none: Int32 = -1

    init(isCross: Bool) {
        capacity = 64
        groups = .allocate(capacity: capacity)
        groups.update(repeating: Self.none, count: capacity)
        if isCross { keys = .allocate(capacity: capacity) }
    }

    func deallocate() {
        groups.deallocate()
        keys?.deallocate()
    }

    @inline(__always)
    func group(_ key: UInt64) -> Int? {
        if let keys {
            var slot = Self.slot(key, capacity)
            while groups[slot] != Self.none {
                if keys[slot] == key { return Int(groups[slot]) }
                slot = (slot &+ 1) & (capacity &- 1)
            }
            return nil
        }
        guard key < UInt64(capacity) else { return nil }
        let found = groups[Int(key)]
        return found == Self.none ? nil : Int(found)
    }

    mutating func set(_ key: UInt64, group: Int) {
        if keys != nil {
            if (used + 1) * 2 > capacity { rehash() }
            insert(key, Int32(group))
            used += 1
        } else {
            while key >= UInt64(capacity) { extend() }
            groups[Int(key)] = Int32(group)
        }
    }

    private func insert(_ key: UInt64, _ group: Int32) {
        guard let keys else { return }
        var slot = Self.slot(key, capacity)
        while groups[slot] != Self.none { slot = (slot + 1) & (capacity - 1) }
        keys[slot] = key
        groups[slot] = group
    }

    private mutating func extend() {
        let larger = UnsafeMutablePointer<Int32>.allocate(capacity: capacity * 2)
        larger.update(repeating: Self.none, count: capacity * 2)
        larger.update(from: groups, count: capacity)
        groups.deallocate()
        groups = larger
        capacity *= 2
    }

    private mutating func rehash() {
        let (oldGroups, oldKeys, oldCapacity) = (groups, keys, capacity)
        capacity *= 2
        groups = .allocate(capacity: capacity)
        groups.update(repeating: Self.none, count: capacity)
        keys = .allocate(capacity: capacity)
        for slot in 0..<oldCapacity where oldGroups[slot] != Self.none {
            if let oldKeys { insert(oldKeys[slot], oldGroups[slot]) }
        }
        oldGroups.deallocate()
        oldKeys?.deallocate()
    }

    /// Fibonacci hashing (Knuth, TAOCP 3, 6.4).
    @inline(__always)
    private static func slot(_ key: UInt64, _ capacity: Int) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 32) & (capacity &- 1)
    }
}
