import Values

/// `max by (country) (x)` and its kin, over the instances that hold.
struct Aggregation {
    let op: Expression.Aggregate
    let by: [String]

    func apply(_ samples: [Sample]) -> [Sample] {
        var order: [[String: String]] = []
        var groups: [[String: String]: [Sample]] = [:]
        for sample in samples {
            let labels = sample.labels.filter { by.contains($0.key) }
            if groups[labels] == nil { order.append(labels) }
            groups[labels, default: []].append(sample)
        }
        return order.compactMap { labels in groups[labels].map { aggregate($0, labels) } }
    }

    private func aggregate(_ samples: [Sample], _ labels: [String: String]) -> Sample {
        let holding = samples.filter { $0.truth == .holds }
        guard var out = representative(holding) ?? samples.first else {
            // Groups are made of samples, so none is empty; an empty one holds nothing.
            return Sample(labels: labels, segment: .all, value: .nan, truth: .noData)
        }
        out.labels = labels
        out.isOfRow = false
        out.isJudged = false
        out.segment = Segment(out.segment.parts.filter { labels[$0.dimension] != nil })
        out.threshold = nil
        guard !holding.isEmpty else {
            // Something was looked at and false, or nothing could be seen.
            out.truth = samples.contains { $0.truth == .clear } ? .clear : out.truth
            return out
        }
        let values = holding.map(\.value)
        switch op {
        case .max, .min: break
        case .sum: out.value = values.reduce(0, +)
        case .avg: out.value = values.reduce(0, +) / Double(values.count)
        case .count: out.value = Double(values.count)
        }
        switch op {
        case .max, .min: break
        case .sum, .avg:
            // At least one of them is a shift, at this level (Bonferroni).
            let judged = holding.compactMap(\.p)
            out.p = judged.min().map { Swift.min(1, $0 * Double(judged.count)) }
        case .count: out.p = nil
        }
        return out
    }

    /// The instance that shows what the group is about: the one chosen, or the largest.
    private func representative(_ holding: [Sample]) -> Sample? {
        op == .min
            ? holding.min { $0.value < $1.value }
            : holding.max { $0.value < $1.value }
    }
}
