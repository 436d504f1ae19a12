import CoreMetrics
import Synchronization

/// One number of a counter or a gauge. Updates are a single atomic operation, so that handles may sit on warm paths.
package final class ValueCell: Sendable {
    /// The bits of a `Double`: counts stay exact up to 2^53.
    private let bits = Atomic<UInt64>(0)

    package init() {}

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    package func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, seen) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = seen
        }
    }
}

extension ValueCell: CounterHandler, FloatingPointCounterHandler {
    package func increment(by amount: Int64) { increment(by: Double(amount)) }

    /// Counters only grow; a negative or undefined amount would read as a restart of the process.
    package func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        add(amount)
    }
    package func reset() { set(0) }
}

/// A gauge behind swift-metrics' two interfaces for one. Apart from the counter, because a gauge may also fall.
package final class GaugeCell: MeterHandler, RecorderHandler {
    package let cell = ValueCell()

    package init() {}

    package func set(_ value: Int64) { cell.set(Double(value)) }
    package func set(_ value: Double) { cell.set(value) }
    package func increment(by amount: Double) { cell.add(amount) }
    package func decrement(by amount: Double) { cell.add(-amount) }
    package func record(_ value: Int64) { cell.set(Double(value)) }
    package func record(_ value: Double) { cell.set(value) }
}

/// A distribution in fixed buckets.
package final class HistogramCell: Sendable {
    /// What has been observed: `counts` is per bucket, not cumulative, with the last for values above every bound.
    package struct Contents: Sendable, Hashable {
        package var counts: [UInt64]
        package var sum: Double
    }

    /// Finite and ascending.
    package let bounds: [Double]
    private let state: Mutex<Contents>

    package init(bounds: [Double]) {
        precondition(bounds.allSatisfy(\.isFinite) && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
        self.bounds = bounds
        state = Mutex(Contents(counts: [UInt64](repeating: 0, count: bounds.count + 1), sum: 0))
    }

    package var contents: Contents { state.withLock { $0 } }

    package func observe(_ value: Double) {
        // NaN belongs to no bucket and would spoil the sum for ever.
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }
}

extension HistogramCell: RecorderHandler, TimerHandler {
    package func record(_ value: Int64) { observe(Double(value)) }
    package func record(_ value: Double) { observe(value) }
    package func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }
}
