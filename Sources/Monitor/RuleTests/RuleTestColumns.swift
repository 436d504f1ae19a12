import Sketches
import StrictYAML

/// The columns a test declares.
struct RuleTestColumns {
    private(set) var byName: [String: RuleTest.Column] = [:]
    /// `numeric` or `categorical` by name, also of columns without bins.
    private(set) var kinds: [String: String] = [:]

    mutating func read(_ value: YAMLValue?, _ problems: inout ProblemCollector) {
        guard let mapping = value?.anyMapping(&problems) else { return }
        for entry in mapping.entries { read(entry.key, entry.value, &problems) }
    }

    private mutating func read(_ name: String, _ value: YAMLValue, _ problems: inout ProblemCollector) {
        let keys = ["kind", "edges", "categories", "reference", "reference_nulls"]
        guard let mapping = value.mapping(allowed: keys, &problems) else { return }
        let isCategorical = mapping["categories"] != nil && mapping["edges"] == nil
        let given = mapping["kind"]?.word(of: ["numeric", "categorical"], &problems)
        let kind = given ?? (isCategorical ? "categorical" : "numeric")
        kinds[name] = kind
        if kind == "numeric" {
            if mapping["categories"] != nil {
                problems.add("a numeric column has `edges`, not `categories`", at: mapping.keyPlace("categories"))
            }
            guard let edges = mapping["edges"] else { return }
            byName[name] = numeric(edges, mapping, &problems)
        } else {
            if mapping["edges"] != nil {
                problems.add("a categorical column has `categories`, not `edges`", at: mapping.keyPlace("edges"))
            }
            guard let categories = mapping["categories"] else { return }
            byName[name] = categorical(categories, mapping, &problems)
        }
    }

    /// With one edge more than counts every bin lies between two edges; with one fewer the outer bins are open.
    private func numeric(
        _ value: YAMLValue, _ mapping: YAMLMapping, _ problems: inout ProblemCollector
    ) -> RuleTest.Column? {
        guard let items = value.list(&problems) else { return nil }
        let edges = items.compactMap { $0.double(&problems) }
        guard edges.count == items.count else { return nil }
        if edges.isEmpty || zip(edges, edges.dropFirst()).contains(where: { $0 >= $1 }) || edges.count > 1_000 {
            problems.add("expected from 1 to 1000 edges, each above the one before", at: value.place)
            return nil
        }
        let reference = mapping["reference"]?.list(&problems)
        let isClosed = reference.map { $0.count + 1 == edges.count } ?? false
        let width = isClosed ? edges.count - 1 : edges.count + 1
        let column = RuleTest.Column(
            bins: .numeric(NumericBins(edges: edges), exponent: 0),
            cuts: isClosed ? Array(1..<max(1, edges.count - 1)) : Array(edges.indices), reference: nil, width: width,
            allowsUnseen: false)
        if let reference, reference.count != width {
            problems.add(
                "\(edges.count) edges for \(reference.count) counts: expected \(edges.count - 1) counts (every bin lies "
                    + "between two edges) or \(edges.count + 1) (the outer bins are open)",
                at: mapping["reference"]?.place ?? value.place)
            return nil
        }
        return withReference(column, mapping, &problems)
    }

    private func categorical(
        _ value: YAMLValue, _ mapping: YAMLMapping, _ problems: inout ProblemCollector
    ) -> RuleTest.Column? {
        guard let names = value.strings(&problems) else { return nil }
        if names.isEmpty || Set(names).count != names.count || names.count > 1_000 {
            problems.add("expected from 1 to 1000 categories, none of them twice", at: value.place)
            return nil
        }
        let column = RuleTest.Column(
            bins: .categorical(CategoryBins(categories: names)), cuts: [], reference: nil, width: names.count,
            allowsUnseen: true)
        return withReference(column, mapping, &problems)
    }

    private func withReference(
        _ column: RuleTest.Column, _ mapping: YAMLMapping, _ problems: inout ProblemCollector
    ) -> RuleTest.Column {
        RuleTest.Column(
            bins: column.bins, cuts: column.cuts,
            reference: RuleTestSeriesReader.reference(mapping, column, nil, &problems), width: column.width,
            allowsUnseen: column.allowsUnseen)
    }
}

extension RuleTest.Column {
    /// A profile of these counts: as many as the column has bins, or one more where values can be unseen.
    func profile(_ counts: [UInt64], nulls: UInt64) -> ColumnProfile {
        switch bins {
        case .numeric(let bins, _):
            // Bins between two edges each lie inside the open tails, which stay empty.
            ColumnProfile(bins: counts.count == bins.count ? counts : [0] + counts + [0], null: nulls)
        case .categorical(let bins):
            ColumnProfile(
                bins: Array(counts.prefix(bins.categories.count)) + [0, counts.count > width ? counts[width] : 0],
                null: nulls)
        }
    }
}
