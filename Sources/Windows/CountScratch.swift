/// The memory of a batch while it is being counted. One model is counted at a time, so all models of a worker share it.
package final class CountScratch {
    private(set) var codes: UnsafeMutablePointer<UInt16> = .allocate(capacity: 1)
    private(set) var multiples: UnsafeMutablePointer<Int64> = .allocate(capacity: 1)
    private(set) var values: UnsafeMutablePointer<Double> = .allocate(capacity: 1)
    private(set) var squares: UnsafeMutablePointer<Int128> = .allocate(capacity: 1)
    private var columns = 0
    private var numbers = 0

    package init() {}

    deinit {
        codes.deallocate()
        multiples.deallocate()
        values.deallocate()
        squares.deallocate()
    }

    /// Makes room for so many columns, of which so many numeric, of `RowEncoder.maximumRows` rows. What was there is gone.
    func reserve(columns: Int, numbers: Int) {
        if columns > self.columns {
            self.columns = columns
            codes.deallocate()
            codes = .allocate(capacity: columns * RowEncoder.maximumRows)
        }
        guard numbers > self.numbers else { return }
        self.numbers = numbers
        multiples.deallocate()
        values.deallocate()
        squares.deallocate()
        multiples = .allocate(capacity: numbers * RowEncoder.maximumRows)
        values = .allocate(capacity: numbers * RowEncoder.maximumRows)
        squares = .allocate(capacity: numbers * RowEncoder.maximumRows)
    }
}
