import CCounting
import Events
import Sketches

/// Rows of a batch as codes and whole multiples of each column's quantum, one column at a time: what counting reads.
final class RowEncoder {
    /// Rows at once.
    static let maximumRows = 2_048

    private struct Column {
        let place: EventBatch.Place
        /// Special codes begin here; the one for rows without the column follows them.
        let special: UInt16
        let index: BinIndex?
        let scale: Double
    }

    let width: Int
    private let layout: Layout
    private var columns: [Column] = []
    /// By column, its first word among a plan's `ranks`; −1 where every group keeps all codes.
    let firstWords: [Int]
    /// By column, its place among the numeric ones; −1 for the others.
    let numberIndexes: [Int]
    private let plans: GroupPlans
    let scratch: CountScratch

    init(_ plans: GroupPlans, _ scratch: CountScratch) {
        self.plans = plans
        self.scratch = scratch
        layout = plans.shared
        width = layout.columns.count
        firstWords = GroupPlan.firstWords(layout)
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
                place: batch.places[c], special: UInt16(column.bins.count), index: index, scale: scale)
        }
    }

    /// Encodes one column of the rows from `first` on, at most `maximumRows`, into the scratch memory.
    /// - Returns: what counting a numeric column takes; `nil` of a categorical one.
    func encode(column c: Int, _ batch: EventBatch, from first: Int, count: Int) -> hf_numeric? {
        if columns.isEmpty { prepare(batch) }
        let tags = scratch.tags
        let special = columns[c].special
        switch columns[c].place {
        case .number(let place):
            let stride = batch.numberWidth
            let input = batch.numbers + (first &* stride &+ place)
            let (codes, samples) = (scratch.codes, scratch.samples)
            columns[c].index?.encode(input, stride: stride, count: count, into: codes) {
                UInt32(special &+ Self.code(Hole(nan: $0)))
            }
            if firstWords[c] >= 0 {
                for row in 0..<count { tags[row] = CodeRanks.tag(codes[row]) }
            } else {
                for row in 0..<count { tags[row] = UInt64(codes[row]) }
            }
            Moments.sample(input, stride: stride, count: count, tags: tags, scale: columns[c].scale, into: samples)
            return hf_numeric(
                column: Int64(c), samples: samples, tags: tags, word: Int64(firstWords[c]),
                place: Int64(numberIndexes[c]), numbers: input, stride: Int64(stride))
        case .code(let place):
            let stride = batch.codeWidth
            let input = batch.codes + (first &* stride &+ place)
            for row in 0..<count {
                let code = input[row &* stride]
                tags[row] = UInt64(code < Self.firstHole ? code : special &+ Self.code(hole: code))
            }
            return nil
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
