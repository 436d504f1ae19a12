/// Columns of text for a terminal, which shows what names and addresses hold and obeys none of it.
struct Table {
    private let header: [String]

    init(_ header: [String]) { self.header = header }

    func show(_ rows: [[String]]) {
        let rows = rows.map { $0.map(Terminal.plain) }
        var widths = header.map(\.count)
        for row in rows { for (i, cell) in row.enumerated() { widths[i] = max(widths[i], cell.count) } }
        func line(_ cells: [String]) -> String {
            var text = ""
            for (i, cell) in cells.enumerated() {
                text += cell
                if i + 1 < cells.count { text += String(repeating: " ", count: widths[i] - cell.count + 2) }
            }
            return text
        }
        print(line(header))
        for row in rows { print(line(row)) }
    }
}
