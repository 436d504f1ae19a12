import Events
import Sketches

/// In which bin each row of a column is, by the bins of all traffic.
struct RowPlaces {
    /// By row: its bin, `nulls` for nulls, `nil` for what is in none.
    let places: [Int?]
    /// Bins; the place of nulls.
    let nulls: Int
    let isNumeric: Bool

    /// - Parameter cuts: of all traffic; unused for categories.
    init(_ source: DataTable.Column, _ column: Layout.Column, _ cuts: [Int]) {
        isNumeric = column.bins.isNumeric
        switch column.bins {
        case .numeric(let bins, _):
            let edges = NumericBins(edges: cuts.map { bins.edges[$0] })
            nulls = edges.count
            places = (0..<source.count).map { row -> Int? in
                switch source[row] {
                case .number(let value): edges.index(of: value)
                case .hole(let hole): Self.isNull(hole) ? edges.count : nil
                case .text: nil
                }
            }
        case .categorical(let bins):
            let dictionary = bins.dictionary
            nulls = bins.count
            places = (0..<source.count).map { row -> Int? in
                if let category = source.category(row) { return dictionary[category] ?? bins.unseen }
                if case .hole(let hole) = source[row], Self.isNull(hole) { return bins.count }
                return nil
            }
        }
    }

    private static func isNull(_ hole: Hole) -> Bool {
        switch hole {
        case .null, .missing, .absent: true
        case .invalid, .wrongType: false
        }
    }
}
