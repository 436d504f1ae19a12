/// Which instances of two sides belong together, and what comes of them.
///
/// As PromQL, one to one on equal labels, with `on` and `ignoring`; where one side has several for one of the other,
/// they share it (PromQL's `group_left` without saying so). Without `on` and `ignoring` the labels `version` and
/// `role` count only where both sides range over them, so that `psi{version="14"} - psi{version="13"}` and
/// `psi{role="challenger"} - psi{role="champion"}` mean what they say.
struct VectorMatching {
    /// Labels that count only where both sides range over them.
    static let optional = ["version", "role"]

    private let rule: Expression.Matching
    private let passedOver: [String]

    init(_ rule: Expression.Matching, _ left: Expression, _ right: Expression) {
        self.rule = rule
        passedOver = Self.optional.filter { !(Self.ranges(left, over: $0) && Self.ranges(right, over: $0)) }
    }

    private static func ranges(_ expression: Expression, over label: String) -> Bool {
        expression.selectors.contains { selector in
            let matchers = selector.matchers.filter { $0.label == label }
            return !matchers.isEmpty && matchers.allSatisfy { $0.pinned == nil }
        }
    }

    /// What two instances that belong together have in common.
    private enum Key: Hashable {
        /// Both are of one row, whose labels are its own.
        case row(Int)
        case labels([String: String])
    }

    private func keys(_ left: [Sample], _ right: [Sample]) -> (left: [Key], right: [Key]) {
        if case .all = rule, let ofLeft = Self.rows(left), let ofRight = Self.rows(right) { return (ofLeft, ofRight) }
        return (left.map { .labels(labels($0)) }, right.map { .labels(labels($0)) })
    }

    /// Places of rows instead of labels, which every rule would hash for every row of every window.
    private static func rows(_ samples: [Sample]) -> [Key]? {
        var out: [Key] = []
        out.reserveCapacity(samples.count)
        for sample in samples {
            guard sample.isOfRow, let row = sample.row else { return nil }
            out.append(.row(row))
        }
        return out
    }

    private func labels(_ sample: Sample) -> [String: String] {
        switch rule {
        case .all:
            passedOver.contains { sample.labels[$0] != nil }
                ? sample.labels.filter { !passedOver.contains($0.key) } : sample.labels
        case .on(let names): sample.labels.filter { names.contains($0.key) }
        case .ignoring(let names): sample.labels.filter { !names.contains($0.key) }
        }
    }

    /// Pairs with the sample whose labels the result keeps: the left one's, or that of the side with more. Where the
    /// right side has nothing, the left one stays as one without data.
    func pair(
        _ left: [Sample], _ right: [Sample]
    ) throws(EvaluationError) -> [(left: Sample, right: Sample, kept: Sample)] {
        let keys = keys(left, right)
        var others: [Key: (first: Int, more: [Int])] = [:]
        for (i, key) in keys.right.enumerated() {
            if others[key] == nil { others[key] = (i, []) } else { others[key]?.more.append(i) }
        }
        var counts: [Key: Int] = [:]
        if others.count < right.count { for key in keys.left { counts[key, default: 0] += 1 } }
        var out: [(left: Sample, right: Sample, kept: Sample)] = []
        out.reserveCapacity(left.count)
        for (sample, key) in zip(left, keys.left) {
            guard let partners = others[key] else {
                var alone = sample
                if alone.truth == .holds { alone.truth = .noData }
                out.append((alone, alone, alone))
                continue
            }
            if !partners.more.isEmpty, counts[key, default: 0] > 1 {
                let labels = labels(sample).sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }
                throw EvaluationError(
                    message: "several instances on both sides for {\(labels.joined(separator: ", "))}: "
                        + "use `on` or `ignoring`")
            }
            for i in [partners.first] + partners.more {
                var kept = sample
                if !partners.more.isEmpty {
                    kept.labels = right[i].labels
                    kept.isOfRow = false
                }
                kept.truth = Sample.weakest(sample.truth, right[i].truth)
                out.append((sample, right[i], kept))
            }
        }
        return out
    }

    func combine(_ op: Expression.SetOperator, _ left: [Sample], _ right: [Sample]) -> [Sample] {
        let keys = keys(left, right)
        let others = Self.truths(right, keys.right)
        switch op {
        case .and:
            return zip(left, keys.left).map { sample, key in
                var out = sample
                let other = others[key] ?? .noData
                if other == .clear || sample.truth == .clear {
                    out.truth = .clear
                } else {
                    out.truth = Sample.weakest(sample.truth, other)
                }
                return out
            }
        case .unless:
            // What cannot be seen excuses nothing, as an absent instance in PromQL.
            return zip(left, keys.left).map { sample, key in
                var out = sample
                if others[key] == .holds { out.truth = .clear }
                return out
            }
        case .or:
            return disjunction(left, right, keys, others)
        }
    }

    private func disjunction(
        _ left: [Sample], _ right: [Sample], _ keys: (left: [Key], right: [Key]), _ others: [Key: Sample.Truth]
    ) -> [Sample] {
        let mine = Self.truths(left, keys.left)
        var out: [Sample] = []
        out.reserveCapacity(left.count + right.count)
        for (sample, key) in zip(left, keys.left) {
            let other = others[key]
            guard sample.truth == .holds || other != .holds else { continue }
            out.append(sample)
            // False or unknown is unknown.
            if sample.truth == .clear, let other, !other.isKnown { out[out.count - 1].truth = other }
        }
        for (sample, key) in zip(right, keys.right) {
            if let truth = mine[key], sample.truth != .holds || truth == .holds { continue }
            out.append(sample)
        }
        return out
    }

    /// What the instances of each key say together.
    private static func truths(_ samples: [Sample], _ keys: [Key]) -> [Key: Sample.Truth] {
        var out: [Key: Sample.Truth] = [:]
        out.reserveCapacity(keys.count)
        for (sample, key) in zip(samples, keys) {
            if let known = out[key] {
                if rank(sample.truth) < rank(known) { out[key] = sample.truth }
            } else {
                out[key] = sample.truth
            }
        }
        return out
    }

    /// One that holds is enough; one that is not known keeps the others from being false.
    private static func rank(_ truth: Sample.Truth) -> Int {
        switch truth {
        case .holds: 0
        case .lateLabels: 1
        case .insufficient: 2
        case .noData: 3
        case .clear: 4
        }
    }
}
