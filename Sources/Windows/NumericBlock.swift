import CCounting
import Events
package import Sketches

/// Up to four numeric columns that stand side by side in a row, as `CCounting` reads them.
package final class NumericBlock: Sendable {
    /// Columns in a block.
    package static let width = HF_LANES

    /// Written once, before anybody else sees it, as is all it points to.
    nonisolated(unsafe) let block: UnsafePointer<hf_block>
    nonisolated(unsafe) private let memory: [UnsafeMutableRawPointer]

    struct Column {
        let bins: NumericBins
        let exponent: Int
        /// Its number among a batch's columns.
        let number: Int
        /// Its first word among a plan's `ranks`; −1 where every group keeps all codes.
        let word: Int
    }

    /// - Parameter place: of the first column, among the numeric ones.
    init(_ columns: [Column], place: Int) {
        precondition((1...Self.width).contains(columns.count), "a block has one to four columns")
        var memory: [UnsafeMutableRawPointer] = []
        func owned<T: BitwiseCopyable>(_ values: [T]) -> UnsafePointer<T> {
            let copy = UnsafeMutablePointer<T>.allocate(capacity: values.count)
            for (i, value) in values.enumerated() { (copy + i).initialize(to: value) }
            memory.append(UnsafeMutableRawPointer(copy))
            return UnsafePointer(copy)
        }
        let block = UnsafeMutablePointer<hf_block>.allocate(capacity: 1)
        hf_block_start(block, Int64(place))
        for column in columns {
            let index = BinIndex(column.bins)
            let holes = (0..<UInt16(HF_HOLES)).map { payload in
                UInt16(column.bins.count) + (Hole(rawValue: payload) ?? .invalid).codeAfterBins
            }
            let padding = [Double](repeating: .infinity, count: HF_PADDING)
            var made = hf_column(
                low: index.low, high: index.high, offset: index.offset, origin: index.origin, shift: index.shift,
                below: owned(index.below), edges: owned(index.edges + padding), edge_count: Int64(index.edges.count),
                holes: owned(holes), scale: Moments.scale(exponent: column.exponent), column: Int64(column.number),
                word: Int64(column.word))
            hf_block_append(block, &made)
        }
        self.block = UnsafePointer(block)
        self.memory = memory
    }

    /// A block of columns that no group counts, for what asks for bins alone.
    package convenience init(bins: [NumericBins]) {
        self.init(bins.map { Column(bins: $0, exponent: 0, number: 0, word: -1) }, place: 0)
    }

    deinit {
        block.deallocate()
        for each in memory { each.deallocate() }
    }

    /// The blocks of a layout's numeric columns, in order.
    static func blocks(_ layout: Layout) -> [NumericBlock] {
        let words = GroupPlan.firstWords(layout)
        let columns = layout.columns.enumerated().compactMap { c, column -> Column? in
            guard case .numeric(let bins, let exponent) = column.bins else { return nil }
            return Column(bins: bins, exponent: exponent, number: c, word: words[c])
        }
        return stride(from: 0, to: columns.count, by: width).map { first in
            NumericBlock(Array(columns[first..<min(first + width, columns.count)]), place: first)
        }
    }

    /// The codes of rows of `width` values: of each column those of all rows, one column after the other.
    package func codes(_ rows: [Double], _ form: CountForm) -> [[UInt16]] {
        precondition(rows.count % Self.width == 0, "rows are not whole")
        let count = rows.count / Self.width
        precondition(count <= RowEncoder.maximumRows, "too many rows")
        let room = Self.width * (count + Self.width)
        var codes = [UInt16](repeating: 0, count: room)
        var copy = [Double](repeating: 0, count: room)
        hf_encode(block, rows, Int64(Self.width), Int64(count), &codes, &copy, form.form)
        return (0..<Int(block.pointee.columns)).map { lane in (0..<count).map { codes[$0 * Self.width + lane] } }
    }
}

/// Which form of the counting loops runs; both give the same bits.
package enum CountForm: Sendable {
    /// Runs on every processor.
    case portable
    /// The fastest that this one can run.
    case best

    var form: hf_form { self == .best ? hf_best_form() : HF_PORTABLE }
}

extension Hole {
    /// Its code's place after those of a column's bins.
    @inline(__always)
    var codeAfterBins: UInt16 {
        switch self {
        case .null: UInt16(SpecialCode.null.rawValue)
        case .missing: UInt16(SpecialCode.missing.rawValue)
        case .invalid: UInt16(SpecialCode.invalid.rawValue)
        case .wrongType: UInt16(SpecialCode.wrongType.rawValue)
        case .absent: UInt16(SpecialCode.allCases.count)
        }
    }
}
