/// Which instances of two sides belong together, and what comes of them.
///
/// As PromQL, one to one on equal labels, with `on` and `ignoring`; where one side has several for one of the other,
/// they share it (PromQL's `group_left` without saying so). Without `on` and `ignoring` the labels `version` and
/// `role` count only where both sides range over them, so that `psi{version="14"} - psi{version="13"}` and
/// `psi{role="challenger"} - psi{role="champion"}` mean what they say.
struct VectorMatching {
    private let rule: Expression.Matching
    private let passedOver: [String]

    init(_ rule: Expression.Matching, _ left: Expression, _ right: Expression) {
        self.rule = rule
        passedOver = ["version", "role"].filter { !(Self.ranges(left, over: $0) && Self.ranges(right, over: $0)) }
    }

    private static func ranges(_ expression: Expression, over label: String) -> Bool {
        expression.selectors.contains { selector in
            let matchers = selector.matchers.filter { $0.label == label }
            return !matchers.isEmpty && matchers.allSatisfy { $0.pinned == nil }
        }
    }

    private func key(_ sample: Sample) -> [String: String] {
        switch rule {
        case .all: sample.labels.filter { !passedOver.contains($0.key) }
        case .on(let names): sample.labels.filter { names.contains($0.key) }
        case .ignoring(let names): sample.labels.filter { !names.contains($0.key) }
        }
    }

    /// Pairs with the sample whose labels the result keeps: the left one's, or that of the side with more. Where the
    /// right side has nothing, the left one stays as one without data.
    func pair(
        _ left: [Sample], _ right: [Sample]
    ) throws(EvaluationError) -> [(left: Sample, right: Sample, kept: Sample)] {
        let others = Dictionary(grouping: right, by: key)
        let counts = Dictionary(grouping: left, by: key).mapValues(\.count)
        var out: [(left: Sample, right: Sample, kept: Sample)] = []
        for sample in left {
            let key = key(sample)
            guard let partners = others[key] else {
                var alone = sample
                if alone.truth == .holds { alone.truth = .noData }
                out.append((alone, alone, alone))
                continue
            }
            if partners.count > 1, counts[key, default: 0] > 1 {
                let labels = key.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ", ")
                throw EvaluationError(
                    message: "several instances on both sides for {\(labels)}: use `on` or `ignoring`")
            }
            for partner in partners {
                var kept = sample
                if partners.count > 1 { kept.labels = partner.labels }
                kept.truth = Sample.weakest(sample.truth, partner.truth)
                out.append((sample, partner, kept))
            }
        }
        return out
    }

    func combine(_ op: Expression.SetOperator, _ left: [Sample], _ right: [Sample]) -> [Sample] {
        let others = Dictionary(grouping: right, by: key).mapValues { Self.any($0.map(\.truth)) }
        switch op {
        case .and:
            return left.map { sample in
                var out = sample
                let other = others[key(sample)] ?? .noData
                if other == .clear || sample.truth == .clear {
                    out.truth = .clear
                } else {
                    out.truth = Sample.weakest(sample.truth, other)
                }
                return out
            }
        case .unless:
            // What cannot be seen excuses nothing, as an absent instance in PromQL.
            return left.map { sample in
                var out = sample
                if others[key(sample)] == .holds { out.truth = .clear }
                return out
            }
        case .or:
            return disjunction(left, right)
        }
    }

    private func disjunction(_ left: [Sample], _ right: [Sample]) -> [Sample] {
        let mine = Dictionary(grouping: left, by: key).mapValues { Self.any($0.map(\.truth)) }
        let others = Dictionary(grouping: right, by: key).mapValues { Self.any($0.map(\.truth)) }
        var out = left.filter { sample in
            sample.truth == .holds || others[key(sample)] != .holds
        }
        for i in out.indices where out[i].truth == .clear {
            // False or unknown is unknown.
            if let other = others[key(out[i])], !other.isKnown { out[i].truth = other }
        }
        out += right.filter { sample in
            guard let truth = mine[key(sample)] else { return true }
            return sample.truth == .holds && truth != .holds
        }
        return out
    }

    private static func any(_ truths: [Sample.Truth]) -> Sample.Truth {
        for truth in [Sample.Truth.holds, .lateLabels, .insufficient, .noData] where truths.contains(truth) {
            return truth
        }
        return .clear
    }
}
