package import Events
import Files
package import Statistics
import Values

/// `holdfast compare`: two files of rows against each other, exactly, from the raw values and not from learned bins.
///
/// Everything sorts once and walks: O(n log n) in the rows of a column, whatever the statistic.
package enum Compare {
    package struct Options: Sendable {
        /// Segmentations to repeat the report for, each one or more dimensions.
        package var segments: [[String]] = []
        package var smoothing = Smoothing.jeffreys
        /// PSI above which a column counts as drifted, where it is also beyond noise (`significance`).
        package var threshold = 0.2
        package var convention: CompareConvention?
        package init() {}

        /// Reads `jeffreys`, `laplace`, `none` or `floor(1e-4)`.
        package mutating func setSmoothing(_ text: String) throws(SmoothingError) {
            smoothing = try Smoothing(parsing: text)
        }
    }

    /// A PSI that noise alone exceeds this rarely is more than noise.
    static let significance = 0.001
    /// Bins of `psi` and its kin on numeric columns.
    static let bins = 10
    /// Values of one segmentation that get a section, those with most rows first.
    static let maximumSegments = 1_000
    /// More distinct texts than this are identifiers, not categories.
    static let maximumCategories = 10_000

    /// Why there is no report, in words that say what to do.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package static func files(reference: String, current: String, options: Options) throws -> CompareReport {
        let first = try TableReader.read([reference])
        let second = try TableReader.read([current])
        var notes: [String] = []
        for (path, loaded) in [(reference, first), (current, second)] {
            guard loaded.table.count > 0 else {
                let reason = loaded.problems.first.map { "; the first line that could not be read: \($0)" } ?? ""
                throw Failure(
                    description: "\(path): no rows; expected CSV with a header, or one JSON object a line\(reason)")
            }
            guard loaded.problemCount > 0 else { continue }
            notes.append("\(path): \(loaded.problemCount) lines could not be read and were left out:")
            notes += loaded.problems.map { "  " + $0 }
        }
        return try tables(
            reference: (reference, first.table), current: (current, second.table), options: options, notes: notes)
    }

    /// The same for rows in memory.
    package static func tables(
        reference: (name: String, table: DataTable), current: (name: String, table: DataTable), options: Options,
        notes given: [String] = []
    ) throws(Failure) -> CompareReport {
        var builder = CompareBuilder(reference, current, options)
        builder.notes = given
        let columns = try builder.columns()
        if options.convention == .tfdv, columns.contains(where: \.isNumeric) {
            builder.notes.append(
                "numeric columns have no distance by tfdv: it makes their histograms of an approximate sketch; compare the histograms themselves with --counts"
            )
        }
        return CompareReport(
            reference: .init(file: reference.name, rows: UInt64(reference.table.count)),
            current: .init(file: current.name, rows: UInt64(current.table.count)), columns: columns, options: options,
            notes: builder.notes)
    }
}

/// Goes through segments and columns of two tables.
private struct CompareBuilder {
    private let reference: (name: String, table: DataTable)
    private let current: (name: String, table: DataTable)
    private let options: Compare.Options
    var notes: [String] = []

    /// A column on both sides; `nil` where a file does not have it.
    private struct Pair {
        let name: String
        let isNumeric: Bool
        let reference: DataTable.Column?
        let current: DataTable.Column?
    }

    init(
        _ reference: (name: String, table: DataTable), _ current: (name: String, table: DataTable),
        _ options: Compare.Options
    ) {
        self.reference = reference
        self.current = current
        self.options = options
    }

    mutating func columns() throws(Compare.Failure) -> [CompareColumn] {
        let pairs = pairs()
        guard !pairs.isEmpty else {
            throw Compare.Failure(
                description: "\(reference.name) and \(current.name) have no column that can be compared")
        }
        let all = (Array(0..<reference.table.count), Array(0..<current.table.count))
        var result = pairs.map { row($0, .all, all.0, .all, all.1) }
        var seen: Set<[String]> = []
        for dimensions in options.segments where seen.insert(dimensions).inserted && !dimensions.isEmpty {
            let first = try rows(dimensions, reference.table)
            let second = try rows(dimensions, current.table)
            for segment in largest(dimensions, first, second) {
                let own = first[segment] ?? []
                // Too few rows say too little: all traffic is compared with instead, as the service does.
                let isEnough = own.count >= Self.minimumRows
                result += pairs.map {
                    row($0, isEnough ? segment : .all, isEnough ? own : all.0, segment, second[segment] ?? [])
                }
            }
        }
        return result
    }

    private static let minimumRows = 30

    /// Features of either file in order of appearance, the prediction last.
    private mutating func pairs() -> [Pair] {
        var list: [Pair] = []
        func add(_ name: String, _ first: DataTable.Column?, _ second: DataTable.Column?) {
            let hasValues = first.map { column in
                (0..<column.count).contains { row in if case .hole = column[row] { false } else { true } }
            }
            let judge = hasValues == true ? first : second ?? first
            guard let judge else { return }
            if first == nil || second == nil {
                let (has, lacks) = first == nil ? (current.name, reference.name) : (reference.name, current.name)
                notes.append("column '\(name)' is in \(has) only; every row of \(lacks) counts as null there")
            }
            list.append(Pair(name: name, isNumeric: judge.looksNumeric, reference: first, current: second))
        }
        for column in reference.table.features { add(column.name, column, current.table.feature(column.name)) }
        for column in current.table.features where reference.table.feature(column.name) == nil {
            add(column.name, nil, column)
        }
        add(ModelSchema.predictionColumn, reference.table.prediction, current.table.prediction)
        return list.filter { pair in
            guard !pair.isNumeric else { return true }
            let distinct = [(pair.reference, reference.table), (pair.current, current.table)].map { column, table in
                CompareSamples(categorical: column, rows: Array(0..<table.count)).categories.count
            }
            guard let most = distinct.max(), most > Compare.maximumCategories else { return true }
            notes.append(
                "column '\(pair.name)' has \(most) different texts, so it looks like an identifier and is left out")
            return false
        }
    }

    private func row(
        _ pair: Pair, _ referenceSegment: Segment, _ referenceRows: [Int], _ segment: Segment, _ rows: [Int]
    ) -> CompareColumn {
        let isNumeric = pair.isNumeric
        func samples(_ column: DataTable.Column?, _ rows: [Int]) -> CompareSamples {
            isNumeric ? CompareSamples(numeric: column, rows: rows) : CompareSamples(categorical: column, rows: rows)
        }
        return CompareColumn(
            name: pair.name, isNumeric: isNumeric, segment: segment, referenceSegment: referenceSegment,
            reference: samples(pair.reference, referenceRows), current: samples(pair.current, rows), options: options)
    }

    private func rows(
        _ dimensions: [String], _ table: DataTable
    ) throws(Compare.Failure) -> [Segment: [Int]] {
        var columns: [DataTable.Column] = []
        for name in dimensions {
            let known = [reference.table, current.table].map { $0.segment(name) ?? $0.feature(name) }
            guard known.contains(where: { $0 != nil }) else {
                let names = (reference.table.segments + reference.table.features).map(\.name)
                throw Compare.Failure(
                    description:
                        "no row has the segment '\(name)'; the rows have: \(names.joined(separator: ", "))")
            }
            // A side without the dimension has rows in none of its segments.
            guard let column = table.segment(name) ?? table.feature(name) else { return [:] }
            columns.append(column)
        }
        var result: [Segment: [Int]] = [:]
        for row in 0..<table.count {
            var parts: [Segment.Part] = []
            for (name, column) in zip(dimensions, columns) {
                if let value = column.category(row) { parts.append(.init(name, value)) }
            }
            if parts.count == dimensions.count { result[Segment(parts), default: []].append(row) }
        }
        return result
    }

    private mutating func largest(
        _ dimensions: [String], _ first: [Segment: [Int]], _ second: [Segment: [Int]]
    ) -> [Segment] {
        func size(_ segment: Segment) -> Int { (first[segment]?.count ?? 0) + (second[segment]?.count ?? 0) }
        let found = Set(first.keys).union(second.keys).map { (segment: $0, size: size($0)) }
        if found.count > Compare.maximumSegments {
            notes.append(
                "segment \(dimensions.joined(separator: " × ")) has \(found.count) values; the \(Compare.maximumSegments) with most rows are shown"
            )
        }
        return found.sorted { ($1.size, $0.segment) < ($0.size, $1.segment) }
            .prefix(Compare.maximumSegments).map(\.segment)
    }
}
