package import Statistics

/// What it takes to believe that a distance over a rule's number is a shift and not noise of a small segment.
///
/// Only distances are judged: a rate or a count describes the window itself. The p-values come with the snapshot:
/// `psi_p` is the two-sample null law of PSI, `PSI / (1/n + 1/m) ~ χ²(B−1)`, with Jeffreys smoothing and bins of fewer
/// than five expected rows merged; `ks_p` and `chi2_p` are those of their tests.
///
/// All but `edetector` are pure functions of one window. The detector gathers evidence over windows: `TargetDetector`, a
/// value the alert state carries. What it cannot watch (an aggregate) it judges like `p(0.001)`.
package enum Significance: Sendable, Hashable {
    /// Believe what the evidence of all windows so far says, within the group's budget of false alerts.
    case edetector
    /// The number alone decides.
    case none
    /// Believe a distance whose p-value is below this.
    case p(Double)
    /// Benjamini and Hochberg (1995): of the distances believed at one evaluation at most this share is expected to be
    /// noise.
    case fdr(Double)

    /// Where a rule says nothing.
    package static let standard = Significance.edetector

    /// The p-value that judges `metric` in a row: `nil` where there is nothing to judge because it is no distance, or
    /// where these rows cannot tell.
    package static func pValue(of metric: Metric, in values: MetricValues) -> Double? {
        metric.isDistance ? values[test(of: metric)] : nil
    }

    /// The test whose p-value judges a distance.
    package static func test(of metric: Metric) -> Metric {
        switch metric {
        case .ks: .ks_p
        case .chi2, .cramers_v: .chi2_p
        default: .psi_p
        }
    }

    /// Which of the instances a rule looks at together are believed. Pass all of them, not only those over the rule's
    /// number: a false discovery rate is a property of everything that was looked at. `nil` is always believed.
    /// O(n log n).
    package func keep(_ pValues: [Double?]) -> [Bool] {
        switch self {
        case .none: return pValues.map { _ in true }
        case .edetector: return Significance.p(0.001).keep(pValues)
        case .p(let alpha): return pValues.map { $0.map { $0 < alpha } ?? true }
        case .fdr(let q):
            let judged = pValues.compactMap { $0 }.sorted()
            var limit = -1.0
            for (i, p) in judged.enumerated() where p <= q * Double(i + 1) / Double(judged.count) { limit = p }
            return pValues.map { $0.map { $0 <= limit } ?? true }
        }
    }
}

extension Significance: CustomStringConvertible {
    package var description: String {
        switch self {
        case .none: "none"
        case .edetector: "edetector"
        case .p(let alpha): "p(\(alpha))"
        case .fdr(let q): "fdr(\(q))"
        }
    }

    /// Why a text is not a policy, in words for the author of a rule file.
    package struct NotUnderstood: Error, Sendable {
        package let message: String
    }

    /// Reads `edetector`, `none`, `p(0.001)` or `fdr(0.01)`.
    package init(parsing text: String) throws(NotUnderstood) {
        let compact = text.filter { $0 != " " }
        if compact == "none" {
            self = .none
            return
        }
        if compact == "edetector" {
            self = .edetector
            return
        }
        for name in ["p", "fdr"] where compact.hasPrefix(name + "(") && compact.hasSuffix(")") {
            guard let level = Double(compact.dropFirst(name.count + 1).dropLast()), level > 0, level < 1 else {
                throw NotUnderstood(message: "the level of `\(name)` must be a number between 0 and 1")
            }
            self = name == "p" ? .p(level) : .fdr(level)
            return
        }
        throw NotUnderstood(message: "expected `edetector`, `none`, `p(0.001)` or `fdr(0.01)`, found `\(text)`")
    }
}
