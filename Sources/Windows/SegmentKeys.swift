import Events

/// For each row and segmentation, the combination of segment values as one number: 16 bits a dimension, `none` where the row lacks one.
/// Computed segmentation by segmentation, laid out row by row for counting.
final class SegmentKeys {
    /// No combination: its last 16 bits say that the last value is absent.
    static let none = UInt64.max

    let count: Int
    /// For each segmentation, the dimensions it crosses, as numbers of the schema's.
    private let segmentations: [[Int]]
    /// `RowEncoder.maximumRows` × `count`.
    let keys: UnsafeMutablePointer<UInt64>

    init(_ segmentations: [[Int]]) {
        self.segmentations = segmentations
        count = segmentations.count
        keys = .allocate(capacity: max(1, RowEncoder.maximumRows * segmentations.count))
    }

    deinit { keys.deallocate() }

    func compute(_ batch: EventBatch, from first: Int, count rows: Int) {
        let width = batch.segmentWidth
        let segments = batch.segments + first &* width
        for (s, dimensions) in segmentations.enumerated() {
            let out = keys + s
            for (place, dimension) in dimensions.enumerated() {
                let values = segments + dimension
                for row in 0..<rows {
                    let value = values[row &* width]
                    let before = place == 0 ? 0 : out[row &* count]
                    let isAbsent = value == EventBatch.noSegment || before == Self.none
                    out[row &* count] = isAbsent ? Self.none : before &<< 16 | UInt64(value)
                }
            }
        }
    }
}
