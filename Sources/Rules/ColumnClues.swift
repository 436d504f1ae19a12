import Statistics
import Values

/// What one row of a snapshot tells of itself beyond its distance: broken fields, units, spellings. Each clue is a test with numbers; all of
/// them look at counts the reference and the window really hold, so that a small segment says nothing rather than too much.
struct ColumnClues {
    /// Rows below which nothing is said.
    static let minimumRows: UInt64 = 20
    /// Standard errors a change of a rate must exceed.
    private static let significance = 4.0

    let row: SnapshotRow

    /// The most telling first.
    var all: [Clue] {
        guard row.n >= Self.minimumRows else { return [] }
        if row.field != nil { return [added].compactMap(\.self) }
        var clues = [removed ?? nullJump, retyped].compactMap(\.self)
        clues += [respelled ?? newCategories, unit, stuck, calendar].compactMap(\.self)
        return clues
    }

    private var column: String { row.column }
    private var isPrediction: Bool { row.column == "prediction" }

    /// A rate now and before, where it rose by more than noise.
    private func risen(_ metric: Metric, by least: Double) -> (now: Double, before: Double)? {
        guard let now = row.metrics[metric] else { return nil }
        let before = row.referenceMetrics[metric] ?? 0
        let m = Double(max(row.referenceN, 1))
        let p = (before * m + 0.5) / (m + 1)
        let error = (p * (1 - p) * (1 / Double(row.n) + 1 / m)).squareRoot()
        return now - before >= least && now - before > Self.significance * error ? (now, before) : nil
    }

    private static func rates(_ name: String, _ rate: (now: Double, before: Double), _ rows: UInt64) -> [JSON.Member] {
        [
            .init("now", .rounded(rate.now)), .init("before", .rounded(rate.before)),
            .init("rows", .integer(Int64(clamping: rows))), .init("measure", .string(name)),
        ]
    }

    private var removed: Clue? {
        guard row.n > 0, row.null == row.n, let rate = risen(.null_rate, by: 0.5) else { return nil }
        let isGone = row.missing == row.n
        return Clue(
            kind: .fieldRemoved,
            what: "\(column) is \(isGone ? "absent from" : "null in") every one of \(Words.count(row.n)) rows",
            beside: "\(Words.percent(rate.before)) in the reference",
            reading: isGone
                ? "the field was removed or renamed upstream, not the model"
                : "a source upstream fell away, not the model",
            numbers: Self.rates("null_rate", rate, row.n) + [.init("missing", .integer(Int64(clamping: row.missing)))])
    }

    private var nullJump: Clue? {
        guard let rate = risen(.null_rate, by: 0.02), rate.now > 1.5 * rate.before else { return nil }
        let absent = row.missing > row.null / 2
        return Clue(
            kind: .nullJump,
            what: "\(column) is \(absent ? "absent" : "missing") in \(Words.percent(rate.now)) of rows",
            beside: "\(Words.percent(rate.before)) in the reference",
            reading: "a field that is no longer filled upstream, not the model",
            numbers: Self.rates("null_rate", rate, row.n) + [.init("missing", .integer(Int64(clamping: row.missing)))])
    }

    private var retyped: Clue? {
        guard let rate = risen(.invalid_rate, by: 0.02) else { return nil }
        let isType = row.wrongType > 0
        return Clue(
            kind: .retyped,
            what: "\(column) is \(isType ? "of another type than \(row.kind)" : "no finite number") in "
                + "\(Words.percent(rate.now)) of rows",
            beside: "\(Words.percent(rate.before)) in the reference",
            reading: isType
                ? "the field changed its type upstream, not the model" : "a calculation upstream fails, not the model",
            numbers: Self.rates("invalid_rate", rate, row.n) + [
                .init("wrong_type", .integer(Int64(clamping: row.wrongType)))
            ])
    }

    private var unit: Clue? {
        guard let change = UnitChange.find(in: row) else { return nil }
        let rows = change.share < 1 ? " in about \(Words.percent(change.share)) of rows" : ""
        return Clue(
            kind: .unitChange, what: "\(column) is about \(change.words) the reference\(rows)",
            reading: isPrediction ? "the scale of the scores changed" : "a unit change upstream, not the model",
            numbers: [
                .init("factor", .rounded(change.factor)), .init("share", .rounded(change.share)),
                .init("misfit", .rounded(change.misfit)),
                .init("mean", .array([row.referenceMetrics[.mean], row.metrics[.mean]].map { .rounded($0 ?? .nan) })),
                .init("sd", .array([row.referenceMetrics[.sd], row.metrics[.sd]].map { .rounded($0 ?? .nan) })),
            ] + (change.rSquared.map { [.init("r_squared", .rounded($0))] } ?? []))
    }

    /// Names by which people call parts of a date. A name alone says nothing: the values must be in the calendar's range too.
    private static let calendarRanges: [String: ClosedRange<Double>] = [
        "month": 1...12, "day": 0...366, "dow": 0...7, "weekday": 0...7, "hour": 0...24, "week": 0...53,
        "quarter": 1...4, "year": 1900...2200, "minute": 0...60,
    ]

    private var calendar: Clue? {
        let words = column.lowercased().split { !$0.isLetter }.map(String.init)
        guard let range = words.compactMap({ Self.calendarRanges[$0] }).first, row.kind == "numeric",
            let least = row.referenceMetrics[.min], let most = row.referenceMetrics[.max], range.contains(least),
            range.contains(most), least == least.rounded(), most == most.rounded(),
            range.contains(row.metrics[.min] ?? .nan)
        else { return nil }
        return Clue(
            kind: .calendar,
            what:
                "\(column) looks like a part of the date (\(Words.number(least)) to \(Words.number(most)) in the reference)",
            reading: "a calendar moves by itself: such a column needs `\(column): ignore` or a seasonal reference",
            numbers: [.init("least", .rounded(least)), .init("most", .rounded(most))])
    }
}

extension ColumnClues {
    private func shares() -> (p: [Double], q: [Double], m: Double, n: Double)? {
        let (reference, current) = (row.comparison.reference, row.comparison.current)
        let m = reference.reduce(0) { $0 + Double($1) }
        let n = current.reduce(0) { $0 + Double($1) }
        guard m > 0, n > 0, !row.comparison.categories.isEmpty, reference.count > 1 else { return nil }
        return (reference.map { Double($0) / m }, current.map { Double($0) / n }, m, n)
    }

    /// The share of values the reference never had, where it rose beyond noise.
    private func unseen() -> (now: Double, before: Double, error: Double)? {
        guard let (p, q, m, n) = shares(), let before = p.last, let now = q.last else { return nil }
        let pooled = ((now * n) + (before * m) + 0.5) / (n + m + 1)
        let error = (pooled * (1 - pooled) * (1 / n + 1 / m)).squareRoot()
        return now - before >= 0.02 && now - before > Self.significance * error ? (now, before, error) : nil
    }

    /// One category of the reference lost what unseen values gained, and no other category moved beyond noise.
    private var respelled: Clue? {
        guard let (p, q, m, n) = shares(), let unseen = unseen() else { return nil }
        let names = row.comparison.categories
        func error(_ i: Int) -> Double {
            let pooled = (p[i] * m + q[i] * n) / (m + n)
            return (pooled * (1 - pooled) * (1 / n + 1 / m)).squareRoot()
        }
        let known = names.indices.dropLast()
        guard let lost = known.max(by: { p[$0] - q[$0] < p[$1] - q[$1] }) else { return nil }
        let (loss, gain) = (p[lost] - q[lost], unseen.now - unseen.before)
        guard loss > 0.3 * p[lost], loss > Self.significance * error(lost),
            abs(loss - gain) < 3 * (error(lost) * error(lost) + unseen.error * unseen.error).squareRoot(),
            known.allSatisfy({ $0 == lost || p[$0] - q[$0] < max(3 * error($0), 0.25 * loss) })
        else { return nil }
        let name = names[lost]
        let part = q[lost] < 0.02 * p[lost] ? "" : " in part"
        return Clue(
            kind: .respelled,
            what:
                "\(column) \"\(name)\" fell from \(Words.percent(p[lost])) to \(Words.percent(q[lost])) of values while ones the "
                + "reference never had rose from \(Words.percent(unseen.before)) to \(Words.percent(unseen.now))",
            reading: "\"\(name)\" is\(part) spelled or coded differently upstream, not the model",
            numbers: [
                .init("category", .string(name)), .init("lost", .rounded(loss)), .init("unseen_gained", .rounded(gain)),
                .init("rows", .integer(Int64(n))),
            ])
    }

    private var newCategories: Clue? {
        guard let unseen = unseen(), let (_, _, _, n) = shares() else { return nil }
        return Clue(
            kind: .newCategories,
            what: "\(Words.percent(unseen.now)) of \(column) are values the reference does not have",
            beside: "\(Words.percent(unseen.before)) before, \(Words.count(UInt64(unseen.now * n))) rows now",
            reading: "something new upstream, or known values in a new spelling; which values is not recorded",
            numbers: [
                .init("now", .rounded(unseen.now)), .init("before", .rounded(unseen.before)),
                .init("count", .integer(Int64((unseen.now * n).rounded()))), .init("rows", .integer(Int64(n))),
            ])
    }

    /// Values that no longer vary.
    private var stuck: Clue? {
        if let stuck = row.stuck { return standing(stuck) }
        if let (p, q, _, n) = shares(), n >= Double(Self.minimumRows) {
            guard let top = q.indices.max(by: { q[$0] < q[$1] }), top < q.count - 1, q[top] > 0.98,
                p.indices.count(where: { p[$0] > 0.02 }) > 1, p[top] < 0.9
            else { return nil }
            let name = row.comparison.categories[top]
            return Clue(
                kind: .stuckValue,
                what:
                    "\(column) is \"\(name)\" in \(Words.percent(q[top])) of rows, \(Words.percent(p[top])) in the reference",
                reading: "a value stuck upstream, not the model",
                numbers: [.init("now", .rounded(q[top])), .init("before", .rounded(p[top]))])
        }
        guard row.kind == "numeric", let sd = row.metrics[.sd], let sdBefore = row.referenceMetrics[.sd], sdBefore > 0,
            let low = row.metrics[.p25], let high = row.metrics[.p75], let lowBefore = row.referenceMetrics[.p25],
            let highBefore = row.referenceMetrics[.p75], highBefore > lowBefore,
            high - low <= 0.02 * (highBefore - lowBefore)
        else { return nil }
        let what =
            sd == 0
            ? "every value of \(column) is \(Words.number(low))"
            : "at least half of \(column) lies at \(Words.number((low + high) / 2)), within "
                + "\(Words.number(high - low)); the middle half of the reference spans \(Words.number(highBefore - lowBefore))"
        return Clue(
            kind: .stuckValue, what: what,
            reading: isPrediction ? "the model gives one answer" : "a value stuck upstream, not the model",
            numbers: [
                .init("sd", .array([.rounded(sdBefore), .rounded(sd)])),
                .init("middle_half", .array([.rounded(highBefore - lowBefore), .rounded(high - low)])),
            ])
    }
}

extension StuckValue {
    /// `3.2`, `about 3.2`, `"BR"`.
    var inWords: String {
        switch value {
        case .number(let number, true): TemplateValue.number(number).text
        case .number(let number, false): "about \(Words.number(number))"
        case .category(let name): "\"\(name)\""
        }
    }
}
