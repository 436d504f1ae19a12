import Events
import Sketches

/// A batch's values as codes and whole multiples of each column's quantum, computed column by column, laid out row by row for counting.
///
/// Buffers are owned and grow only with the largest batch.
final class RowEncoder {
    private struct Column {
        let place: EventBatch.Place
        /// The column's first shared code.
        let offset: UInt32
        /// Bins; special codes follow, then the one for rows without the column.
        let binCount: UInt32
        let index: BinIndex?
        let scale: Double
        let numberIndex: Int
    }

    /// A number as the moments take it; quantum 0 and NaN where there is none.
    struct Quantum {
        var multiple: Int64
        var value: Double
    }

    let width: Int
    let numbers: Int
    private let layout: Layout
    private var columns: [Column] = []
    private var capacity = 0
    /// rows × `width` shared codes.
    private(set) var codes: UnsafeMutablePointer<UInt32> = .allocate(capacity: 1)
    /// rows × `numbers`.
    private(set) var quanta: UnsafeMutablePointer<Quantum> = .allocate(capacity: 1)

    init(_ layout: Layout) {
        self.layout = layout
        width = layout.columns.count
        numbers = layout.momentsCount
    }

    deinit {
        codes.deallocate()
        quanta.deallocate()
    }

    private func prepare(_ batch: EventBatch) {
        precondition(batch.places.count == width, "batch and layout have different columns")
        columns = layout.columns.enumerated().map { c, column in
            var index: BinIndex?
            var scale = 1.0
            switch (column.bins, batch.places[c]) {
            case (.numeric(let bins, let exponent), .number):
                index = BinIndex(bins)
                scale = Moments.scale(exponent: exponent)
            case (.categorical, .code): break
            default: preconditionFailure("batch and layout disagree on column \(column.name)")
            }
            return Column(
                place: batch.places[c], offset: UInt32(GroupPlans.sharedOffset(column, c)),
                binCount: UInt32(column.bins.count), index: index, scale: scale,
                numberIndex: column.momentsIndex ?? 0)
        }
    }

    func encode(_ batch: EventBatch) {
        if columns.isEmpty { prepare(batch) }
        if batch.count > capacity {
            capacity = max(batch.count, 2 * capacity)
            codes.deallocate()
            quanta.deallocate()
            codes = .allocate(capacity: capacity * max(1, width))
            quanta = .allocate(capacity: capacity * max(1, numbers))
        }
        let rows = batch.count
        let codes = codes
        let quanta = quanta
        for c in columns.indices {
            let offset = columns[c].offset
            let special = offset &+ columns[c].binCount
            switch columns[c].place {
            case .number(let place):
                let values = UnsafePointer(batch.numbers + place)
                let stride = batch.numberWidth
                columns[c].index?.encode(
                    values, stride: stride, count: rows, offset: offset, into: codes + c, stride: width
                ) { special &+ Self.code(Hole(nan: $0)) }
                let scale = columns[c].scale
                let out = quanta + columns[c].numberIndex
                for row in 0..<rows {
                    let value = values[row &* stride]
                    out[row &* numbers] = Quantum(
                        multiple: value.isNaN ? 0 : Moments.quantum(value, scale: scale), value: value)
                }
            case .code(let place):
                let values = batch.codes + place
                let stride = batch.codeWidth
                for row in 0..<rows {
                    let code = values[row &* stride]
                    codes[row &* width &+ c] =
                        Hole(code: code).map { special &+ Self.code($0) } ?? offset &+ UInt32(code)
                }
            }
        }
    }

    /// A hole's place after the column's bins.
    @inline(__always)
    private static func code(_ hole: Hole) -> UInt32 {
        switch hole {
        case .null: UInt32(SpecialCode.null.rawValue)
        case .missing: UInt32(SpecialCode.missing.rawValue)
        case .invalid: UInt32(SpecialCode.invalid.rawValue)
        case .wrongType: UInt32(SpecialCode.wrongType.rawValue)
        case .absent: UInt32(SpecialCode.allCases.count)
        }
    }
}
