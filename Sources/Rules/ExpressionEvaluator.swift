import Detection
import Statistics
import Values

/// Evaluates one rule's expression over one snapshot. O(rows × selectors).
struct ExpressionEvaluator {
    let snapshot: Snapshot
    let rows: WindowRows
    let minimumRows: UInt64
    let significance: Significance
    /// Share of a row's predictions that must have labels before its performance is judged.
    var labelsCoverage: Double?
    /// The version of each role in this window.
    var roles: [RoleHistory.Role: String] = [:]
    /// What earlier windows said, and this one too, by `RuleHistory.key`.
    var histories: [String: RuleHistory] = [:]
    /// The windows' nominal size, as `RuleHistory.key` names it.
    var clock = ""
    /// What judges by the evidence of many windows, for rules that ask for it.
    var detector: RuleDetector?

    /// - Parameter rows: of the snapshot, where they are known already.
    init(
        snapshot: Snapshot, rows: WindowRows? = nil, minimumRows: UInt64, significance: Significance,
        labelsCoverage: Double? = nil, roles: [RoleHistory.Role: String] = [:], clock: String = ""
    ) {
        self.snapshot = snapshot
        self.rows = rows ?? WindowRows(snapshot)
        self.minimumRows = minimumRows
        self.significance = significance
        self.labelsCoverage = labelsCoverage
        self.roles = roles
        self.clock = clock
    }

    func evaluate(_ expression: Expression) throws(EvaluationError) -> [Sample] {
        switch try evaluate(expression, onReference: false) {
        case .vector(let samples): return samples
        case .scalar: throw EvaluationError(message: "the expression is a number")
        }
    }

    private func evaluate(
        _ expression: Expression, onReference: Bool
    ) throws(EvaluationError) -> Operand {
        switch expression {
        case .number(let value): return .scalar(value)
        case .selector(let selector): return .vector(select(selector, onReference: onReference))
        case .reference(let inner): return try evaluate(inner, onReference: true)
        case .absolute(let inner):
            return try map(inner, onReference) { abs($0) }
        case .negated(let inner):
            return try map(inner, onReference) { -$0 }
        case .arithmetic(let op, let left, let right, let matching):
            return try arithmetic(
                op, try evaluate(left, onReference: onReference), try evaluate(right, onReference: onReference),
                VectorMatching(matching, left, right))
        case .comparison(let op, let left, let right, let matching):
            return try compare(
                op, try evaluate(left, onReference: onReference), try evaluate(right, onReference: onReference),
                VectorMatching(matching, left, right), onReference)
        case .set(let op, let left, let right, let matching):
            guard case .vector(let a) = try evaluate(left, onReference: onReference),
                case .vector(let b) = try evaluate(right, onReference: onReference)
            else { throw EvaluationError(message: "`\(op.rawValue)` over a number") }
            return .vector(VectorMatching(matching, left, right).combine(op, a, b))
        case .aggregate(let op, let by, let inner):
            guard case .vector(let samples) = try evaluate(inner, onReference: onReference) else {
                throw EvaluationError(message: "`\(op.rawValue)` over a number")
            }
            return .vector(Aggregation(op: op, by: by.map(\.text)).apply(samples))
        case .history(let history, let inner):
            let now = try values(inner)
            let known = histories[RuleHistory.key(history, clock: clock, minimumRows: minimumRows)] ?? RuleHistory()
            return .vector(known.samples(history, now: now, at: snapshot.window.end))
        }
    }

    /// The instances of an expression before anything is compared.
    func values(_ expression: Expression) throws(EvaluationError) -> [Sample] {
        guard case .vector(let samples) = try evaluate(expression, onReference: false) else { return [] }
        return samples
    }

    private func map(
        _ inner: Expression, _ onReference: Bool, _ body: (Double) -> Double
    ) throws(EvaluationError) -> Operand {
        switch try evaluate(inner, onReference: onReference) {
        case .scalar(let value): return .scalar(body(value))
        case .vector(var samples):
            for i in samples.indices { samples[i].value = body(samples[i].value) }
            return .vector(samples)
        }
    }

    private func arithmetic(
        _ op: Expression.Arithmetic, _ left: Operand, _ right: Operand, _ matching: VectorMatching
    ) throws(EvaluationError) -> Operand {
        switch (left, right) {
        case (.scalar(let a), .scalar(let b)): return .scalar(op.apply(a, b))
        case (.vector(var samples), .scalar(let b)):
            for i in samples.indices { samples[i].value = op.apply(samples[i].value, b) }
            return .vector(samples)
        case (.scalar(let a), .vector(var samples)):
            for i in samples.indices { samples[i].value = op.apply(a, samples[i].value) }
            return .vector(samples)
        case (.vector(let a), .vector(let b)):
            return .vector(
                try matching.pair(a, b).map { left, right, kept in
                    var out = kept
                    out.value = op.apply(left.value, right.value)
                    // Both enter the number, so both must be believed.
                    out.p = left.p.map { max($0, right.p ?? 0) } ?? right.p
                    return out
                })
        }
    }

    private func compare(
        _ op: Expression.Comparator, _ left: Operand, _ right: Operand, _ matching: VectorMatching, _ onReference: Bool
    ) throws(EvaluationError) -> Operand {
        switch (left, right) {
        case (.scalar, .scalar): throw EvaluationError(message: "compares two numbers")
        case (.vector(let a), .scalar(let b)):
            return .vector(filter(a, op, b, onReference))
        case (.scalar(let a), .vector(let b)):
            return .vector(filter(b, op.mirrored, a, onReference))
        case (.vector(let a), .vector(let b)):
            let pairs = try matching.pair(a, b)
            let judged = pairs.map { left, right, _ -> Double? in
                switch op {
                case .greater, .greaterOrEqual: left.p
                case .less, .lessOrEqual: right.p
                case .equal, .notEqual: nil
                }
            }
            let kept = believed(pairs.map(\.kept.truth), judged)
            let asked = pairs.map { pair in
                var sample = pair.kept
                sample.value = pair.left.value
                return sample
            }
            let verdicts = verdicts(asked, op, pairs.map(\.right.value), onReference)
            return .vector(
                zip(0..., kept).map { i, isKept in
                    let pair = pairs[i]
                    var out = asked[i]
                    out.threshold = pair.right.value
                    if let verdict = verdicts[i] {
                        out.decide(verdict)
                    } else if out.truth == .holds {
                        let judged = op == .less || op == .lessOrEqual ? pair.right : pair.left
                        out.truth = verdict(op.holds(pair.left.value, pair.right.value), isKept, judged)
                    }
                    return out
                })
        }
    }

    /// Comparisons filter. A distance that is over a number must also be believed; one that is under it need not be.
    private func filter(
        _ samples: [Sample], _ op: Expression.Comparator, _ threshold: Double, _ onReference: Bool
    ) -> [Sample] {
        let isLarge = op == .greater || op == .greaterOrEqual
        let kept = believed(samples.map(\.truth), samples.map { isLarge ? $0.p : nil })
        let verdicts = verdicts(samples, op, samples.map { _ in threshold }, onReference)
        return samples.indices.map { i in
            var out = samples[i]
            out.threshold = threshold
            if let verdict = verdicts[i] {
                out.decide(verdict)
                out.value = detector?.judgedValue(out) ?? out.value
            } else if out.truth == .holds {
                out.truth = verdict(op.holds(out.value, threshold), kept[i], samples[i])
            }
            return out
        }
    }

    private func verdicts(
        _ samples: [Sample], _ op: Expression.Comparator, _ thresholds: [Double], _ onReference: Bool
    ) -> [StreamVerdict?] {
        guard let detector, !onReference else { return samples.map { _ in nil } }
        return detector.judge(samples, op, thresholds)
    }

    /// How many (metric, column, segment) an expression watches: what its share of a budget is.
    func watched(_ expression: Expression) -> Int {
        var seen: Set<Int> = []
        for selector in expression.selectors {
            for (row, _) in places(selector) {
                guard !snapshot.rows[row].common.current.isEmpty,
                    RuleDetector.watch(selector.metric, .greater, snapshot.rows[row]) != nil
                        || RuleDetector.isFigure(selector.metric, snapshot.rows[row])
                else { continue }
                seen.insert(row)
            }
        }
        return seen.count
    }

    /// Over the number but not believed is as good as under it, unless no test could say: that resolves nothing.
    private func verdict(_ holds: Bool, _ isBelieved: Bool, _ judged: Sample) -> Sample.Truth {
        guard holds, !isBelieved else { return holds ? .holds : .clear }
        return judged.isUnjudged ? .insufficient : .clear
    }

    /// The family a false discovery rate is about is everything the comparison looked at, whatever its value.
    private func believed(_ truths: [Sample.Truth], _ pValues: [Double?]) -> [Bool] {
        let looked = truths.indices.filter { truths[$0] == .holds }
        var out = [Bool](repeating: true, count: truths.count)
        for (index, isKept) in zip(looked, significance.keep(looked.map { pValues[$0] })) { out[index] = isKept }
        return out
    }

    private func select(_ selector: Selector, onReference: Bool) -> [Sample] {
        let asksVersion =
            selector.matchers.contains { $0.label == "version" }
            && !selector.matchers.contains { $0.label == "version" && $0.pinned == SnapshotRow.allVersions }
        return places(selector).map { row, role in
            var sample = sample(of: selector.metric, row, onReference, asksVersion: asksVersion)
            if let role {
                sample.labels["role"] = role
                sample.isOfRow = false
            }
            return sample
        }
    }

    /// The rows a selector chooses, by their places, and in which role each is chosen. A row is a large value and every rule passes over all
    /// of them in every window, so they are looked at where they lie.
    private func places(_ selector: Selector) -> [(row: Int, role: String?)] {
        var matchers = selector.matchers.map(CompiledMatcher.init)
        let dimensions = selector.dimensions.map { Set($0.map(\.text)) }
        let asksVersion = selector.matchers.contains { $0.label == "version" }
        let asksAll = selector.matchers.contains { $0.label == "version" && $0.pinned == SnapshotRow.allVersions }
        let asksRole = selector.matchers.contains { $0.label == "role" }
        var out: [(row: Int, role: String?)] = []
        for index in snapshot.rows.indices {
            // All versions together is a row of its own, not a version a pattern could match.
            guard (snapshot.rows[index].version == SnapshotRow.allVersions) == (asksAll || !(asksVersion || asksRole))
            else { continue }
            let segment = snapshot.rows[index].segment
            if let dimensions {
                guard segment.parts.count == dimensions.count,
                    segment.parts.allSatisfy({ dimensions.contains($0.dimension) })
                else { continue }
            } else if segment.isAll {
                continue
            }
            guard selector.metric.applies(toKind: snapshot.rows[index].kind) else { continue }
            for role in asksRole ? roles(of: snapshot.rows[index].version) : [nil] {
                if passes(&matchers, snapshot.rows[index], role) { out.append((index, role)) }
            }
        }
        return out
    }

    /// A version may serve in several roles, and most in none.
    private func roles(of version: String) -> [String?] {
        roles.filter { $0.value == version }.map(\.key.rawValue).sorted()
    }

    private func passes(_ matchers: inout [CompiledMatcher], _ row: SnapshotRow, _ role: String?) -> Bool {
        for i in matchers.indices {
            let value =
                switch matchers[i].matcher.label {
                case "column": row.column
                case "version": row.version
                case "role": role ?? ""
                case "field" where row.field != nil: row.field?.name ?? ""
                case let dimension: row.segment[dimension] ?? ""
                }
            guard matchers[i].passes(value) else { return false }
        }
        return true
    }

    private func hasLateLabels(_ row: SnapshotRow) -> Bool {
        guard let labelsCoverage, row.column == "performance", let metric = Self.coverage else { return false }
        return (row.metrics[metric] ?? 0) < labelsCoverage
    }

    private static let coverage = Metric(name: "coverage")

    private func sample(of metric: Metric, _ index: Int, _ onReference: Bool, asksVersion: Bool) -> Sample {
        let segment = snapshot.rows[index].segment
        var labels = rows.labels[index]
        if asksVersion { labels["version"] = snapshot.rows[index].version }
        let value =
            onReference ? snapshot.rows[index].referenceMetrics[metric] : snapshot.rows[index].metrics[metric]
        let n = snapshot.rows[index].n
        let truth: Sample.Truth
        if n == 0 && metric != .count && !metric.isOfVolume {
            truth = .noData
        } else if labelsCoverage != nil, hasLateLabels(snapshot.rows[index]) {
            truth = .lateLabels
        } else if (n < minimumRows && !metric.isOfVolume) || value == nil {
            truth = .insufficient
        } else {
            truth = .holds
        }
        let needsTest = metric.isDistance && !onReference
        let p = needsTest ? Significance.pValue(of: metric, in: snapshot.rows[index].metrics) : nil
        return Sample(
            labels: labels, segment: segment, value: value ?? .nan, truth: truth, row: index,
            isOfRow: rows.areDistinct && !asksVersion && snapshot.rows[index].version == SnapshotRow.allVersions,
            metric: metric,
            p: needsTest ? p ?? 1 : nil, isUnjudged: needsTest && p == nil,
            isJudged: !onReference
                && (!snapshot.rows[index].common.current.isEmpty || snapshot.rows[index].performance != nil),
            threshold: nil)
    }
}

extension Expression.Arithmetic {
    /// As PromQL: floating point, so a division by zero is an infinity or NaN and compares accordingly.
    func apply(_ a: Double, _ b: Double) -> Double {
        switch self {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .modulo: a.truncatingRemainder(dividingBy: b)
        case .power: Power.raise(a, b)
        }
    }
}
