/// What a person probably meant by a name nobody knows.
package enum Nearest {
    /// The known name with the fewest edits from `word`, the earlier one of equals; `nil` where none is known.
    package static func to(_ word: String, among known: some Sequence<String>) -> (name: String, distance: Int)? {
        var best: (name: String, distance: Int)?
        for name in known {
            let d = distance(word, name)
            if best.map({ d < $0.distance }) ?? true { best = (name, d) }
        }
        return best
    }

    /// ` (did you mean `x`?)` where a name is near, else the known ones, shortened, to append to a message.
    package static func hint(for word: String, among known: [String]) -> String {
        guard let best = to(word, among: known) else { return "" }
        if isNear(best.distance, to: word) { return ": did you mean `\(best.name)`?" }
        let shown = known.prefix(12).map { "`\($0)`" }.joined(separator: ", ")
        let more = known.count > 12 ? ", … (nearest is `\(best.name)`)" : ""
        return "; known are \(shown)\(more)"
    }

    /// Whether a word is probably one of the known names, mistyped.
    package static func isMistyped(_ word: String, among known: some Sequence<String>) -> Bool {
        to(word, among: known).map { isNear($0.distance, to: word) } ?? false
    }

    private static func isNear(_ distance: Int, to word: String) -> Bool { distance <= max(2, word.count / 3) }

    /// Edits (insert, delete, replace, swap neighbours) from `a` to `b`, ignoring case: optimal string alignment.
    /// O(|a|·|b|), on the first 64 scalars of each.
    package static func distance(_ a: String, _ b: String) -> Int {
        let x = Array(a.lowercased().unicodeScalars.prefix(64))
        let y = Array(b.lowercased().unicodeScalars.prefix(64))
        if x.isEmpty || y.isEmpty { return max(x.count, y.count) }
        var rows = [[Int]](repeating: [Int](repeating: 0, count: y.count + 1), count: x.count + 1)
        for i in 0...x.count { rows[i][0] = i }
        for j in 0...y.count { rows[0][j] = j }
        for i in 1...x.count {
            for j in 1...y.count {
                let cost = x[i - 1] == y[j - 1] ? 0 : 1
                var d = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
                if i > 1, j > 1, x[i - 1] == y[j - 2], x[i - 2] == y[j - 1] { d = min(d, rows[i - 2][j - 2] + 1) }
                rows[i][j] = d
            }
        }
        return rows[x.count][y.count]
    }
}
