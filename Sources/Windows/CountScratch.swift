import Sketches

/// The memory of one column of a batch while it is being counted, by row of the batch. One column of one model is counted at a time, so
/// all models of a worker share it.
package final class CountScratch {
    /// Shared codes.
    let codes: UnsafeMutablePointer<UInt32> = .allocate(capacity: RowEncoder.maximumRows)
    /// The shared code; where groups keep some bins only, its `CodeRanks.tag`.
    let tags: UnsafeMutablePointer<UInt64> = .allocate(capacity: RowEncoder.maximumRows)
    /// Of numeric columns, with their tag: what a group's counters and sums take of a row lies side by side, for a group's rows lie far
    /// apart.
    let samples: UnsafeMutablePointer<MomentSample> = .allocate(capacity: RowEncoder.maximumRows)

    package init() {}

    deinit {
        codes.deallocate()
        tags.deallocate()
        samples.deallocate()
    }
}
