import Statistics
import Values

/// What else happened around the start of a change: a release, other columns, traffic.
struct WindowClues {
    let snapshot: Snapshot
    let memory: WindowMemory
    let champions: [ChampionMove]
    /// When the alert's condition began.
    let start: Timestamp

    private var window: Span { snapshot.window.length }

    private func isNear(_ time: Timestamp) -> Bool {
        abs(time.microseconds - start.microseconds) <= window.microseconds
    }

    /// Releases within a window of the start: what the registry says, and versions whose rows first appeared.
    /// - Parameter rows: the rows of one column and segment, a version each.
    func deploys(_ rows: [SnapshotRow]) -> [Clue] {
        var seen: Set<String> = []
        var clues: [Clue] = []
        for move in champions.reversed() {
            guard let to = move.to, isNear(move.at), seen.insert(to).inserted else { continue }
            let what = move.from.map { "champion \($0) → \(to)" } ?? "champion \(to) set"
            clues.append(deploy(what, from: move.from, to: to, at: move.at, rows))
        }
        for (version, at) in memory.appeared.sorted(by: { $0.key < $1.key })
        where isNear(at) && !seen.contains(version) && snapshot.versions.contains(version) {
            clues.append(deploy("version \(version) first seen", from: nil, to: version, at: at, rows))
        }
        return clues
    }

    /// The new version beside the old one in the same window: different values say release, like ones say upstream.
    private func deploy(
        _ what: String, from: String?, to: String, at: Timestamp, _ rows: [SnapshotRow]
    ) -> Clue {
        var clue = Clue(kind: .deploy, what: what, at: at)
        clue.numbers.append(
            .init("windows_before", .integer((start - at).microseconds / max(1, window.microseconds))))
        let old = rows.filter { $0.version != to && (from == nil || $0.version == from) }.max { $0.n < $1.n }
        if let new = rows.first(where: { $0.version == to }), let old, new.performance != nil {
            return performance(clue, new, old)
        }
        guard let new = rows.first(where: { $0.version == to }), let old,
            new.common.reference.count == old.common.reference.count,
            let table = Contingency(old.common.current, new.common.current, merging: true),
            let distance = Distances.psi(old.common.current, new.common.current, smoothing: .jeffreys),
            let p = table.psiP, min(new.n, old.n) >= ColumnClues.minimumRows
        else { return clue }
        clue.numbers += [
            .init("new_vs_old", .rounded(distance)), .init("p", .rounded(p)),
            .init("new_rows", .integer(Int64(clamping: new.n))), .init("old_rows", .integer(Int64(clamping: old.n))),
            .init("old", .string(old.version)), .init("new", .string(to)),
        ]
        let differ = p < 0.001 && distance >= 0.05
        clue.blamesRelease = differ
        if differ {
            clue.reading =
                "it came with version \(to): \(old.version) in the same window differs from it by PSI \(Words.number(distance))"
        } else {
            clue.reading = "version \(old.version) shows the same in the same window, so not the release of \(to)"
        }
        return clue
    }

    /// By the errors of both versions in the same window.
    private func performance(_ clue: Clue, _ new: SnapshotRow, _ old: SnapshotRow) -> Clue {
        var clue = clue
        guard let errors = PerformanceClues.errors(new, old) else { return clue }
        clue.numbers += [
            .init("errors", .array([.rounded(errors.old), .rounded(errors.new)])), .init("p", .rounded(errors.p)),
            .init("old", .string(old.version)), .init("new", .string(new.version)),
        ]
        let differ = errors.p < 0.001 && errors.new > errors.old
        clue.blamesRelease = differ
        let both =
            "\(old.version) errs in \(Words.percent(errors.old)) of its rows, \(new.version) in \(Words.percent(errors.new))"
        clue.reading =
            differ
            ? "it came with version \(new.version): in the same window \(both)"
            : "not the release of \(new.version): in the same window \(both)"
        return clue
    }

    /// Traffic far from what the same hours had.
    func volume(_ rows: UInt64) -> Clue? {
        let before = memory.usual(at: snapshot.window.end).sorted()
        guard before.count >= 2, let least = before.first, let most = before.last, least > 0 else { return nil }
        let usual = before[before.count / 2]
        // Beyond everything seen at such times by a fifth, and by half of the usual.
        let isMore = Double(rows) > 1.2 * Double(most) && Double(rows) > 1.5 * Double(usual)
        let isLess = Double(rows) < 0.8 * Double(least) && Double(rows) < 0.6 * Double(usual)
        guard isMore || isLess else { return nil }
        let ratio = Double(rows) / Double(usual)
        return Clue(
            kind: .volumeChange,
            what:
                "\(Words.count(rows)) rows in the window, \(Words.number(ratio)) times the usual \(Words.count(usual)) "
                + "(median of \(before.count) windows)",
            numbers: [
                .init("rows", .integer(Int64(clamping: rows))), .init("usual", .integer(Int64(clamping: usual))),
                .init("ratio", .rounded(ratio)),
            ])
    }

    /// Other columns whose alerts began within a window of this one and are led by the same segment.
    func together(_ instance: AlertInstance, _ active: [AlertInstance]) -> Clue? {
        guard let segment = instance.cause?.segment else { return nil }
        let own = instance.labels["column"]
        let columns = Set(
            active.filter { $0.cause?.segment == segment && isNear($0.changeStart) }.compactMap { $0.labels["column"] }
        ).subtracting([own].compactMap(\.self)).sorted()
        guard !columns.isEmpty else { return nil }
        let shown =
            columns.prefix(5).joined(separator: ", ") + (columns.count > 5 ? " and \(columns.count - 5) more" : "")
        return Clue(
            kind: .movedTogether, what: "\(shown) shifted too, since the same time and led by \(segment)",
            numbers: [.init("columns", .array(columns.prefix(20).map { .string($0) }))])
    }
}
