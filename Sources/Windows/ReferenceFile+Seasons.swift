import Events
import Sketches
import Values

/// The part of a reference file that is about time; files of before it was written have none of it.
extension ReferenceFile {
    static func seasons(_ document: JSON, _ layout: Layout) throws(Failure) -> [Season?] {
        let columns = document["columns"]?.arrayValue ?? []
        var seasons: [Season?] = []
        for (item, column) in zip(columns, layout.columns) {
            guard let name = item["season"] else {
                seasons.append(nil)
                continue
            }
            guard let season = name.stringValue.flatMap(Season.init(rawValue:)) else {
                let known = Season.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(description: "column '\(column.name)': season must be one of \(known)")
            }
            seasons.append(season)
        }
        return seasons
    }

    /// - Parameter all: the group of all traffic, whose cuts divide the cells; `nil` while that group itself is read.
    static func addTimes(
        to group: inout Reference.Group, _ item: JSON, _ layout: Layout, _ seasons: [Season?], _ times: [Double],
        all: Reference.Group?
    ) throws(Failure) {
        if let text = item["week"]?.stringValue {
            guard let rows = counts(text), rows.count == Season.hours, times.count == Season.hours else {
                throw Failure(description: "group \(group.segment): week and week_times must be 168 numbers")
            }
            group.week = WeekRows(rows: rows, times: times)
        }
        guard seasons.contains(where: { $0 != nil }) else { return }
        let common = (all ?? group).cuts
        var found: [SeasonCounts?] = []
        for (index, column) in layout.columns.enumerated() {
            guard let season = seasons[index] else {
                found.append(nil)
                continue
            }
            let width = (column.bins.isNumeric ? common[index].count + 1 : column.bins.count) + 1
            let cells = (item["columns"]?[column.name]?["cells"]?.arrayValue ?? []).compactMap {
                $0.stringValue.flatMap(counts)
            }
            guard cells.count == season.cells, cells.allSatisfy({ $0.count == width }) else {
                throw Failure(
                    description:
                        "group \(group.segment), column '\(column.name)': cells must be \(season.cells) of \(width) numbers"
                )
            }
            // An edited file may hold numbers whose sum is none.
            let sum = cells.reduce(0.0) { $0 + $1.reduce(0.0) { $0 + Double($1) } }
            guard sum <= Double(group.profile.rows) else {
                throw Failure(description: "group \(group.segment), column '\(column.name)': more cells than rows")
            }
            found.append(SeasonCounts(cells: cells))
        }
        group.seasons = found
    }
}
