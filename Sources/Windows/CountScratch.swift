import CCounting

/// The memory of up to four columns of a batch while they are being counted. Those of one model are counted at a time, so all models of a
/// worker share it.
package final class CountScratch {
    /// Codes or `CodeRanks.tag`s, by row of the batch; one column after the other.
    let codes: UnsafeMutablePointer<UInt16>
    /// Values of a last block that is not full, as rows of four.
    let values: UnsafeMutablePointer<Double>
    let form: hf_form

    package init(_ form: CountForm = .best) {
        codes = .allocate(capacity: NumericBlock.width * RowEncoder.maximumRows)
        values = .allocate(capacity: NumericBlock.width * RowEncoder.maximumRows)
        values.initialize(repeating: 0, count: NumericBlock.width * RowEncoder.maximumRows)
        self.form = form.form
    }

    deinit {
        codes.deallocate()
        values.deallocate()
    }
}
