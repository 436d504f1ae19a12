/// The bins of a categorical column: one per listed category, one for the known but rare ones together (`rest`), and
/// one for every value the reference never had (`unseen`).
package struct CategoryBins: Sendable, Hashable {
    /// Categories with a bin of their own, most frequent in the reference first.
    package let categories: [String]
    /// Known categories without a bin of their own.
    package let rare: [String]

    package init(categories: [String], rare: [String] = []) {
        self.categories = categories
        self.rare = rare
    }

    package var count: Int { categories.count + 2 }
    package var rest: Int { categories.count }
    package var unseen: Int { categories.count + 1 }

    /// From a category's text to its bin, for decoders to look up. Absent values are `unseen`.
    package var dictionary: [String: Int] {
        var map = [String: Int](minimumCapacity: categories.count + rare.count)
        for (i, name) in categories.enumerated() { map[name] = i }
        for name in rare { map[name] = rest }
        return map
    }

    package func name(of bin: Int) -> String {
        bin < categories.count ? categories[bin] : bin == rest ? "(rare)" : "(unseen)"
    }
}
