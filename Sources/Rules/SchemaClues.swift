import Statistics
import Values

/// What the schema watch and the watch for stuck values add to an alert.
extension ColumnClues {
    /// A field that the model does not list.
    var added: Clue? {
        guard let field = row.field, let share = row.metrics[.added_rate], share > 0 else { return nil }
        let types = field.types.isEmpty ? "" : " (\(field.types.joined(separator: " or ")))"
        return Clue(
            kind: .fieldAdded,
            what: "\(field.name)\(types) is in \(Words.percent(share)) of rows",
            beside: "\(Words.count(row.n)) rows now, in none of the reference",
            reading: "a field was added upstream, or one was renamed to it",
            numbers: [
                .init("field", .string(field.name)), .init("types", .array(field.types.map { .string($0) })),
                .init("now", .rounded(share)), .init("rows", .integer(Int64(clamping: row.n))),
            ])
    }

    /// A value that took over.
    func standing(_ stuck: StuckValue) -> Clue {
        let n = Double(row.comparison.current.reduce(0, &+))
        let now = n > 0 ? Double(stuck.count) / n : 0
        let before = row.comparison.reference.reduce(0, &+)
        let p = before > 0 ? Double(stuck.referenceCount) / Double(before) : 0
        let isOutput = row.column == "prediction"
        return Clue(
            kind: .stuckValue,
            what: "\(row.column) is \(stuck.inWords) in \(Words.percent(now)) of rows",
            beside: "\(p == 0 ? "none" : Words.percent(p)) of the reference",
            reading: isOutput ? "the model gives one answer" : "a value stuck upstream, not the model",
            numbers: [
                .init("value", .string(stuck.inWords)), .init("now", .rounded(now)), .init("before", .rounded(p)),
                .init("rows", .integer(Int64(clamping: stuck.count))),
            ])
    }
}

/// Whether a broken field is that of some versions only: then the release is at fault, or a fleet that is half old.
struct VersionClue {
    /// Part of the whole's rate under which a version does not have it.
    private static let leastPart = 0.25

    /// - Parameters:
    ///   - rows: of all versions and of each, one column (or field) and segment.
    static func find(_ metric: Metric?, _ rows: [SnapshotRow]) -> Clue? {
        guard let metric, [.missing_rate, .wrong_type_rate, .added_rate, .stuck_rate].contains(metric),
            let most = rows.compactMap({ $0.metrics[metric] }).max(), most > 0
        else { return nil }
        let judged = rows.filter { $0.n >= ColumnClues.minimumRows && $0.metrics[metric] != nil }
        let with = judged.filter { ($0.metrics[metric] ?? 0) >= leastPart * most }.map(\.version)
        let without = judged.map(\.version).filter { !with.contains($0) }
        guard !with.isEmpty, !without.isEmpty else { return nil }
        func list(_ names: [String]) -> String { names.sorted().prefix(5).joined(separator: ", ") }
        return Clue(
            kind: .versions, what: "in version \(list(with)) only, not in \(list(without))",
            numbers: [
                .init("with", .array(with.sorted().prefix(20).map { .string($0) })),
                .init("without", .array(without.sorted().prefix(20).map { .string($0) })),
            ])
    }
}
