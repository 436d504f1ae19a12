/// What a decoder counts beside its rows.
final class EventCounters {
    /// By `EventKind`.
    let kinds: UnsafeMutablePointer<UInt64>
    let unknownKeys: UnsafeMutablePointer<UInt64>
    /// Events that were read in one pass.
    let fast: UnsafeMutablePointer<UInt64>

    init() {
        kinds = .allocate(capacity: EventKind.allCases.count)
        kinds.initialize(repeating: 0, count: EventKind.allCases.count)
        unknownKeys = .allocate(capacity: 1)
        unknownKeys.initialize(to: 0)
        fast = .allocate(capacity: 1)
        fast.initialize(to: 0)
    }

    deinit {
        kinds.deallocate()
        unknownKeys.deallocate()
        fast.deallocate()
    }

    func reset() {
        kinds.update(repeating: 0, count: EventKind.allCases.count)
        unknownKeys.pointee = 0
        fast.pointee = 0
    }
}
