package import Events
package import Sketches
import Statistics
import Values

/// Learns a reference from raw rows: types, bins, categories and a profile for all traffic and every segment. Exact: all rows are in
/// memory.
package struct ReferenceBuilder {
    /// What a column is to be, where the configuration says so.
    package enum Override: String, CaseIterable, Sendable {
        case numeric, categorical, ignore
    }

    package struct Options: Sendable {
        package var model: String?
        package var version: String?
        package var columns: [String: Override] = [:]
        package var segmentations: [[String]]?
        package var bins = 10
        /// Whose midnights and weeks the columns' seasons follow.
        package var calendar = WindowCalendar.utc
        package init() {}
    }

    /// Why no reference can be made of these rows.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Categories with a bin of their own; the rarer ones share one.
    static let maximumCategories = 250
    /// More distinct texts than this are identifiers, not categories.
    static let maximumDistinct = 10_000
    /// Values of one segmentation that get a reference of their own, largest first.
    static let maximumGroups = 1_000

    private let table: DataTable
    private let options: Options
    /// Decisions a person should know of, in words.
    package private(set) var notes: [String] = []

    package init(_ table: DataTable, _ options: Options) {
        self.table = table
        self.options = options
    }

    private struct Group {
        let segment: Segment
        let rows: [Int]
    }

    package mutating func build() throws(Failure) -> Reference {
        guard table.count > 0 else { throw Failure(description: "no rows: a reference needs at least one") }
        let model = try modelName()
        let columns = usedColumns()
        guard !columns.isEmpty else { throw Failure(description: "no usable column in \(table.count) rows") }
        let segmentations = try resolvedSegmentations()
        let groups = segmentations.flatMap { self.groups($0) }
        var layoutColumns: [(name: String, bins: ColumnBins)] = []
        for (column, numeric) in columns {
            guard let bins = numeric ? numericBins(column, groups) : categoryBins(column) else { continue }
            layoutColumns.append((column.name, bins))
        }
        guard !layoutColumns.isEmpty else {
            throw Failure(
                description: "no usable column in \(table.count) rows: \(notes.joined(separator: "; "))")
        }
        let layout = Layout(columns: layoutColumns)
        let used = layoutColumns.compactMap { made in columns.first { $0.column.name == made.name }?.column }
        let all = Group(segment: .all, rows: Array(0..<table.count))
        var made = ([all] + groups).map { referenceGroup($0, layout, used) }
        let period = table.firstTime.flatMap { first in table.lastTime.map { TimeRange(start: first, end: $0) } }
        let places = zip(layout.columns, used).enumerated().map { RowPlaces($1.1, $1.0, made[0].cuts[$0]) }
        let rows = ([all] + groups).map(\.rows)
        let seasons = SeasonBuilder(table, options.calendar, period)?.add(to: &made, rows: rows, layout, places)
        WobbleBuilder(table, options.calendar, layout, used)?.add(to: &made, rows: rows, seasons ?? [], places)
        note(seasons ?? [], layout)
        return Reference(
            model: model, version: options.version ?? single(table.versions), period: period, layout: layout,
            segmentations: segmentations, bins: options.bins, seasons: seasons ?? [], groups: made)
    }

    /// One line for each kind of season, however many columns have it.
    private mutating func note(_ seasons: [Season?], _ layout: Layout) {
        var named: [(words: String, columns: [String])] = []
        for (column, season) in zip(layout.columns, seasons) {
            guard let words = season?.inWords else { continue }
            if let i = named.firstIndex(where: { $0.words == words }) {
                named[i].columns.append(column.name)
            } else {
                named.append((words, [column.name]))
            }
        }
        for (words, columns) in named {
            let names = columns.map { "'\($0)'" }.joined(separator: ", ")
            notes.append(
                columns.count == 1
                    ? "column \(names) differs between \(words): windows are compared like with like"
                    : "\(columns.count) columns differ between \(words), and windows are compared like with like: \(names)"
            )
        }
    }

    private func modelName() throws(Failure) -> String {
        if let given = options.model {
            if let other = table.models.keys.sorted().first(where: { $0 != given }) {
                throw Failure(
                    description:
                        "the rows are of model '\(other)', not '\(given)': give --model \(other), or other files")
            }
            return given
        }
        guard let name = single(table.models) else {
            throw Failure(
                description: table.models.isEmpty
                    ? "the rows do not name their model: give --model NAME"
                    : "the rows are of several models (\(table.models.keys.sorted().joined(separator: ", "))): give --model NAME and one model's files"
            )
        }
        return name
    }

    private func single(_ names: [String: Int]) -> String? { names.count == 1 ? names.first?.key : nil }

    /// Columns in the order of the layout: features as they appeared, the prediction last.
    private mutating func usedColumns() -> [(column: DataTable.Column, numeric: Bool)] {
        var list: [(DataTable.Column, Bool)] = []
        // In events that name belongs to the model's output: a feature's values would never reach the column.
        let features = table.features.filter { $0.name != ModelSchema.predictionColumn }
        if features.count < table.features.count {
            notes.append("a feature cannot be named '\(ModelSchema.predictionColumn)', so it is left out")
        }
        for column in features + (table.prediction.map { [$0] } ?? []) {
            switch options.columns[column.name] {
            case .ignore: continue
            case .numeric: list.append((column, true))
            case .categorical: list.append((column, false))
            case nil: list.append((column, column.looksNumeric))
            }
        }
        let known = Set(table.features.map(\.name) + [ModelSchema.predictionColumn])
        for name in options.columns.keys.sorted() where !known.contains(name) {
            notes.append("columns names '\(name)', which no row has")
        }
        return list
    }

    private func resolvedSegmentations() throws(Failure) -> [[String]] {
        guard let given = options.segmentations else { return table.segments.map { [$0.name] } }
        if let wrong = Self.problem(ofSegmentations: given) { throw Failure(description: wrong) }
        for name in Set(given.flatMap(\.self)).sorted() where dimension(name) == nil {
            let known = (table.segments + table.features).map(\.name).joined(separator: ", ")
            throw Failure(description: "no row has the segment dimension '\(name)'; the rows have: \(known)")
        }
        return given
    }

    /// What is wrong with a list of segmentations, in words.
    static func problem(ofSegmentations list: [[String]]) -> String? {
        for (i, cross) in list.enumerated() {
            let name = cross.joined(separator: ",")
            if cross.isEmpty || cross.contains("") { return "a segmentation names no dimension" }
            if cross.count > 4 { return "segmentation '\(name)' crosses \(cross.count) dimensions; four is the most" }
            if Set(cross).count < cross.count { return "segmentation '\(name)' names a dimension twice" }
            if list[..<i].contains(cross) { return "segmentation '\(name)' stands twice" }
        }
        return nil
    }

    private func dimension(_ name: String) -> DataTable.Column? { table.segment(name) ?? table.feature(name) }

    private mutating func groups(_ dimensions: [String]) -> [Group] {
        let columns = dimensions.compactMap(dimension)
        var rows: [Segment: [Int]] = [:]
        for row in 0..<table.count {
            var parts: [Segment.Part] = []
            for (name, column) in zip(dimensions, columns) {
                if let value = column.category(row) { parts.append(.init(name, value)) }
            }
            if parts.count == dimensions.count { rows[Segment(parts), default: []].append(row) }
        }
        let bySize = rows.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        if bySize.count > Self.maximumGroups {
            notes.append(
                "segment \(dimensions.joined(separator: " × ")) has \(bySize.count) values; the \(Self.maximumGroups) largest get a reference of their own"
            )
        }
        return bySize.prefix(Self.maximumGroups).map { Group(segment: $0.key, rows: $0.value) }
            .sorted { $0.segment < $1.segment }
    }

    private func sortedNumbers(_ column: DataTable.Column, _ rows: some Sequence<Int>) -> [Double] {
        var values: [Double] = []
        for row in rows {
            if case .number(let value) = column[row] { values.append(value) }
        }
        values.sort()
        return values
    }

    private mutating func numericBins(_ column: DataTable.Column, _ groups: [Group]) -> ColumnBins? {
        let all = sortedNumbers(column, 0..<table.count)
        guard let least = all.first, let greatest = all.last else {
            notes.append("column '\(column.name)' has no number in any row and is left out")
            return nil
        }
        let edges = FineEdges.choose(
            all: all,
            groups: groups.filter { $0.rows.count >= Reference.minimumRows }.map { sortedNumbers(column, $0.rows) },
            bins: options.bins)
        return .numeric(
            NumericBins(edges: edges), exponent: Moments.exponent(forMagnitude: max(abs(least), abs(greatest))))
    }

    private mutating func categoryBins(_ column: DataTable.Column) -> ColumnBins? {
        var counts: [String: Int] = [:]
        for row in 0..<column.count {
            if let category = column.category(row) { counts[category, default: 0] += 1 }
        }
        if counts.isEmpty {
            notes.append("column '\(column.name)' has no value in any row and is left out")
            return nil
        }
        let present = counts.values.reduce(0, +)
        let isAsked = options.columns[column.name] == .categorical
        let isIdentity = counts.count > Self.maximumCategories && counts.count * 2 > present && !isAsked
        if counts.count > Self.maximumDistinct || isIdentity {
            let remedy =
                counts.count > Self.maximumDistinct ? "" : " (`columns: {\(column.name): categorical}` keeps it)"
            notes.append(
                "column '\(column.name)' has \(counts.count) different texts in \(present) rows, so it looks like an identifier "
                    + "and is left out\(remedy)")
            return nil
        }
        let ordered = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        return .categorical(
            CategoryBins(
                categories: Array(ordered.prefix(Self.maximumCategories)),
                rare: Array(ordered.dropFirst(Self.maximumCategories))))
    }

    private func referenceGroup(_ group: Group, _ layout: Layout, _ columns: [DataTable.Column]) -> Reference.Group {
        var profile = Profile(layout)
        profile.rows = UInt64(group.rows.count)
        var cuts: [[Int]] = []
        for (column, source) in zip(layout.columns, columns) {
            switch column.bins {
            case .numeric(let bins, let exponent):
                let scale = Moments.scale(exponent: exponent)
                for row in group.rows { Self.count(source[row], column, bins, scale, &profile) }
                let quantiles = Samples.quantileEdges(
                    sorted: sortedNumbers(source, group.rows), bins: options.bins)
                cuts.append(Self.indices(of: quantiles, in: bins.edges))
            case .categorical(let bins):
                let dictionary = bins.dictionary
                for row in group.rows {
                    if let category = source.category(row) {
                        profile.counts[column.offset + (dictionary[category] ?? bins.unseen)] += 1
                    } else if case .hole(let hole) = source[row] {
                        profile.counts[column.offset + Self.code(hole, column)] += 1
                    }
                }
                cuts.append([])
            }
        }
        return Reference.Group(segment: group.segment, profile: profile, cuts: cuts)
    }

    private static func count(
        _ cell: DataTable.Cell, _ column: Layout.Column, _ bins: NumericBins, _ scale: Double, _ profile: inout Profile
    ) {
        switch cell {
        case .number(let value):
            profile.counts[column.offset + bins.index(of: value)] += 1
            if let m = column.momentsIndex {
                profile.moments[m].add(quantum: Moments.quantum(value, scale: scale), value: value)
            }
        case .text: profile.counts[column.offset + column.code(.wrongType)] += 1
        case .hole(let hole): profile.counts[column.offset + code(hole, column)] += 1
        }
    }

    private static func code(_ hole: Hole, _ column: Layout.Column) -> Int {
        switch hole {
        case .null: column.code(.null)
        case .missing, .absent: column.code(.missing)
        case .invalid: column.code(.invalid)
        case .wrongType: column.code(.wrongType)
        }
    }

    /// Where values stand among the edges; empty if one of them is no edge (then all traffic's are used).
    package static func indices(of values: [Double], in edges: [Double]) -> [Int] {
        var found: [Int] = []
        var from = 0
        for value in values {
            while from < edges.count, edges[from] < value { from += 1 }
            guard from < edges.count, edges[from] == value else { return [] }
            found.append(from)
        }
        return found
    }
}
