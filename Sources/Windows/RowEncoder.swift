import Events
import Sketches

/// Some rows of a batch as codes and whole multiples of each column's quantum, column by column: what counting reads.
///
/// Buffers are of a fixed size, small enough that a column's stay in the cache while every group counts it.
final class RowEncoder {
    /// Rows at once.
    static let maximumRows = 1_024
    /// As many multiples can be added in 64 bits: 128 · 2^55 = 2^62.
    static let safeCount = 128

    private struct Column {
        let place: EventBatch.Place
        /// Special codes begin here; the one for rows without the column follows them.
        let special: UInt16
        let index: BinIndex?
        let scale: Double
        let numberIndex: Int
    }

    let width: Int
    private let layout: Layout
    private var columns: [Column] = []
    /// By column, where plans keep their codes for its shared ones.
    let sharedOffsets: [Int]
    /// By column, its place among the numeric ones; −1 for the others.
    let numberIndexes: [Int]
    private let plans: GroupPlans
    private let scratch: CountScratch
    /// Columns × `maximumRows` codes, each within its column's shared ones.
    var codes: UnsafeMutablePointer<UInt16> { scratch.codes }
    /// Numeric columns × `maximumRows`; 0 where there is no number.
    var multiples: UnsafeMutablePointer<Int64> { scratch.multiples }
    /// Numeric columns × `maximumRows`; NaN where there is no number.
    var values: UnsafeMutablePointer<Double> { scratch.values }
    /// The multiples' squares.
    var squares: UnsafeMutablePointer<Int128> { scratch.squares }

    init(_ plans: GroupPlans, _ scratch: CountScratch) {
        self.plans = plans
        self.scratch = scratch
        layout = plans.shared
        width = layout.columns.count
        sharedOffsets = layout.columns.enumerated().map { GroupPlans.sharedOffset($1, $0) }
        numberIndexes = layout.columns.map { $0.momentsIndex ?? -1 }
    }

    private func prepare(_ batch: EventBatch) {
        precondition(batch.places.count == width, "batch and layout have different columns")
        columns = layout.columns.enumerated().map { c, column in
            var index: BinIndex?
            var scale = 1.0
            switch (column.bins, batch.places[c]) {
            case (.numeric(_, let exponent), .number):
                index = plans.indexes[c]
                scale = Moments.scale(exponent: exponent)
            case (.categorical, .code): break
            default: preconditionFailure("batch and layout disagree on column \(column.name)")
            }
            return Column(
                place: batch.places[c], special: UInt16(column.bins.count), index: index, scale: scale,
                numberIndex: column.momentsIndex ?? 0)
        }
    }

    /// Encodes the rows from `first` on, at most `maximumRows`.
    func encode(_ batch: EventBatch, from first: Int, count: Int) {
        if columns.isEmpty { prepare(batch) }
        scratch.reserve(columns: width, numbers: layout.momentsCount)
        for c in columns.indices {
            let special = columns[c].special
            let codes = codes + c &* Self.maximumRows
            switch columns[c].place {
            case .number(let place):
                let stride = batch.numberWidth
                let input = batch.numbers + (first &* stride &+ place)
                let values = values + columns[c].numberIndex &* Self.maximumRows
                let multiples = multiples + columns[c].numberIndex &* Self.maximumRows
                let scale = columns[c].scale
                Moments.quantise(
                    input, stride: stride, count: count, scale: scale, values: values, multiples: multiples,
                    squares: squares + columns[c].numberIndex &* Self.maximumRows)
                columns[c].index?.encode(values, count: count, into: codes) { special &+ Self.code(Hole(nan: $0)) }
            case .code(let place):
                let stride = batch.codeWidth
                let input = batch.codes + (first &* stride &+ place)
                for row in 0..<count {
                    let code = input[row &* stride]
                    codes[row] = code < Self.firstHole ? code : special &+ Self.code(hole: code)
                }
            }
        }
    }

    /// Codes from here on stand for holes.
    private static let firstHole = Hole.wrongType.asCode

    @inline(never)
    private static func code(hole code: UInt16) -> UInt16 { Self.code(Hole(code: code) ?? .invalid) }

    /// A hole's place after the column's bins.
    @inline(__always)
    private static func code(_ hole: Hole) -> UInt16 {
        switch hole {
        case .null: UInt16(SpecialCode.null.rawValue)
        case .missing: UInt16(SpecialCode.missing.rawValue)
        case .invalid: UInt16(SpecialCode.invalid.rawValue)
        case .wrongType: UInt16(SpecialCode.wrongType.rawValue)
        case .absent: UInt16(SpecialCode.allCases.count)
        }
    }
}
