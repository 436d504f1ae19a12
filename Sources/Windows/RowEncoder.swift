import CCounting
import Events
import Sketches

/// Rows of a batch as codes, four columns at a time, and from there to the counters of the rows' groups: a few columns' rows and counters
/// are all that has to be near at a time.
final class RowEncoder {
    /// Rows at once.
    static let maximumRows = HF_ROWS

    /// A categorical column.
    private struct Category {
        /// Its number among the batch's codes.
        let place: Int
        /// Special codes begin here; the one for rows without the column follows them.
        let special: UInt16
    }

    private let layout: Layout
    /// Keeps the blocks.
    private let plans: GroupPlans
    private let scratch: CountScratch
    /// Four by four.
    private var categories: [(columns: [Category], lanes: hf_lanes)] = []
    private var isPrepared = false

    init(_ plans: GroupPlans, _ scratch: CountScratch) {
        self.plans = plans
        self.scratch = scratch
        layout = plans.shared
    }

    private func prepare(_ batch: EventBatch) {
        precondition(batch.places.count == layout.columns.count, "batch and layout have different columns")
        isPrepared = true
        for (c, column) in layout.columns.enumerated() {
            switch (column.bins, batch.places[c]) {
            case (.numeric, .number(let place)):
                precondition(place == column.momentsIndex, "batch and layout order columns differently")
            case (.categorical, .code(let place)):
                if categories.last.map({ $0.columns.count == NumericBlock.width }) ?? true {
                    categories.append(([], hf_lanes()))
                }
                let last = categories.count - 1
                let lane = categories[last].columns.count
                categories[last].columns.append(Category(place: place, special: UInt16(column.bins.count)))
                hf_lanes_append(&categories[last].lanes, Int64(lane), Int64(c), -1)
            default: preconditionFailure("batch and layout disagree on column \(column.name)")
            }
        }
    }

    /// Counts the rows from `first` on, at most `maximumRows`, in their groups.
    func count(_ batch: EventBatch, from first: Int, rows: Int, in runs: UnsafePointer<hf_run>, _ runCount: Int) {
        if !isPrepared { prepare(batch) }
        let (rows, runCount) = (Int64(rows), Int64(runCount))
        let (codes, values, form) = (scratch.codes, scratch.values, scratch.form)
        for block in plans.blocks {
            let block = block.block
            let first = batch.numbers + (first &* batch.numberWidth &+ Int(block.pointee.place))
            // All lanes are read, and the last row of the batch ends with its columns.
            if block.pointee.columns < NumericBlock.width {
                widen(first, stride: batch.numberWidth, columns: Int(block.pointee.columns), rows: Int(rows))
                hf_encode(block, values, Int64(NumericBlock.width), rows, codes, values, form)
            } else {
                hf_encode(block, first, Int64(batch.numberWidth), rows, codes, values, form)
            }
            withUnsafePointer(to: block.pointee.ranked) { hf_count(runs, runCount, $0, codes, form) }
            withUnsafePointer(to: block.pointee.plain) { hf_count(runs, runCount, $0, codes, form) }
            hf_add(block, values, runs, runCount, form)
        }
        for i in categories.indices {
            for (lane, column) in categories[i].columns.enumerated() {
                encode(column, batch, from: first, count: Int(rows), into: codes + lane)
            }
            hf_count(runs, runCount, &categories[i].lanes, codes, form)
        }
    }

    private func widen(_ values: UnsafePointer<Double>, stride: Int, columns: Int, rows: Int) {
        for row in 0..<rows {
            let wide = scratch.values + row &* NumericBlock.width
            for lane in 0..<NumericBlock.width {
                wide[lane] = lane < columns ? values[row &* stride &+ lane] : 0
            }
        }
    }

    private func encode(
        _ column: Category, _ batch: EventBatch, from first: Int, count: Int, into codes: UnsafeMutablePointer<UInt16>
    ) {
        let stride = batch.codeWidth
        let input = batch.codes + (first &* stride &+ column.place)
        let special = column.special
        for row in 0..<count {
            let code = input[row &* stride]
            codes[row &* NumericBlock.width] = code < Self.firstHole ? code : special &+ Self.code(hole: code)
        }
    }

    /// Codes from here on stand for holes.
    private static let firstHole = Hole.wrongType.asCode

    @inline(never)
    private static func code(hole code: UInt16) -> UInt16 { (Hole(code: code) ?? .invalid).codeAfterBins }
}
