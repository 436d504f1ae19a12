import Values

/// The groups of one (pane, version).
final class CountBlock {
    let start: Timestamp
    let version: UInt16
    /// All traffic's group, then the segments' in order of appearance.
    private(set) var groups: [Int]
    /// The group of the rows that are in no group of the first segmentation; −1 while there are none.
    private(set) var remainder = -1
    /// For each segmentation, from the combination of values to the group.
    let places: UnsafeMutablePointer<PlaceTable>
    private let segmentations: Int

    /// - Parameter crosses: for each segmentation, whether it is of several dimensions.
    init(start: Timestamp, version: UInt16, crosses: [Bool], all: Int) {
        self.start = start
        self.version = version
        groups = [all]
        segmentations = crosses.count
        places = .allocate(capacity: max(1, crosses.count))
        for (i, isCross) in crosses.enumerated() { (places + i).initialize(to: PlaceTable(isCross: isCross)) }
    }

    deinit {
        for i in 0..<segmentations { places[i].deallocate() }
        places.deallocate()
    }

    func append(_ group: Int, segmentation: Int, key: UInt64) {
        groups.append(group)
        places[segmentation].set(key, group: group)
    }

    func appendRemainder(_ group: Int) {
        groups.append(group)
        remainder = group
    }
}
