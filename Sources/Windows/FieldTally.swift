import Events
import Sketches
import Values

/// Counts the fields that nobody lists, by the groups their rows count in. Of a clean stream it never sees anything.
struct FieldTally {
    private struct Cell {
        var rows: UInt64 = 0
        var kinds: UInt8 = 0
    }

    /// By group, by number of the name.
    private var cells: [Int32: [UInt16: Cell]] = [:]

    /// Counts the fields of some rows of a batch.
    /// - Parameters:
    ///   - strays: of the batch, ascending by row.
    ///   - groups: for each of the rows its groups, −1 for none.
    mutating func add(
        _ strays: [StrayField], rows: Range<Int>, groups: UnsafeMutablePointer<Int32>, states: Int
    ) {
        var next = strays.partitionPoint { Int($0.row) >= rows.lowerBound }
        while next < strays.count, Int(strays[next].row) < rows.upperBound {
            let stray = strays[next]
            let own = groups + (Int(stray.row) - rows.lowerBound) * states
            for state in 0..<states where own[state] >= 0 {
                var cell = cells[own[state], default: [:]][stray.name] ?? Cell()
                cell.rows &+= 1
                cell.kinds |= stray.kind.bit
                cells[own[state], default: [:]][stray.name] = cell
            }
            next += 1
        }
    }

    /// What one group has; empty for nearly all.
    func counts(of group: Int, name: (UInt16) -> String) -> FieldCounts {
        var counts = FieldCounts()
        guard !cells.isEmpty, let own = cells[Int32(group)] else { return counts }
        for (number, cell) in own { counts.add(name(number), rows: cell.rows, kinds: cell.kinds) }
        return counts
    }

    mutating func removeAll() { cells.removeAll() }
}

extension Array {
    /// The first index from which on a condition holds that is false before it.
    func partitionPoint(_ holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
