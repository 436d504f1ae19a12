import CCounting

/// The memory of up to four columns of a batch while they are being counted. Those of one model are counted at a time, so all models of a
/// worker share it.
package final class CountScratch {
    /// Codes or `CodeRanks.tag`s, `NumericBlock.width` for each row of the batch.
    let codes: UnsafeMutablePointer<UInt16>
    /// The values they are of, side by side too: segments pick their rows out of a batch, whose own rows are many times as long.
    let values: UnsafeMutablePointer<Double>
    let form: hf_form

    package init(_ form: CountForm = .best) {
        codes = Self.allocate()
        values = Self.allocate()
        self.form = form.form
    }

    /// Memory in which no row lies in two lines of the cache.
    private static func allocate<T>() -> UnsafeMutablePointer<T> {
        let count = NumericBlock.width * RowEncoder.maximumRows
        return UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<T>.stride, alignment: 64)
            .bindMemory(to: T.self, capacity: count)
    }

    deinit {
        codes.deallocate()
        values.deallocate()
    }
}
