package import Sketches

/// Every metric of one column of a window against a reference, and the histograms behind the distances.
///
/// `cuts` are the reference group's (`Reference.Group.cuts`): ascending indices into the fine edges. Coarse bin i is
/// the sum of the fine bins after cut i − 1 up to and including cut i. Distances are absent where either side has no
/// valid value. O(fine bins).
package func columnMetrics(
    column: Layout.Column, cuts: [Int], reference: ColumnProfile, current: ColumnProfile, smoothing: Smoothing
) -> (metrics: MetricValues, comparison: Comparison) {
    let comparison = Comparison(column: column, cuts: cuts, reference: reference, current: current)
    var metrics = description(of: current, in: column, against: reference)
    histogramDistances(comparison, isCategorical: !column.bins.isNumeric, smoothing: smoothing, into: &metrics)
    if case .numeric(let bins, let exponent) = column.bins {
        if let ks = FineBins.ks(bins, reference.bins, current.bins) {
            metrics[.ks] = ks.distance
            metrics[.ks_error] = ks.error
            metrics[.ks_p] = Samples.asymptoticP(
                ks.distance, reference.bins.total, current.bins.total)
        }
        if let distance = wasserstein(bins, exponent, reference, current) {
            metrics[.wasserstein] = distance
            let sd = reference.moments?.standardDeviation(exponent: exponent) ?? 0
            metrics[.wasserstein_normed] = distance == 0 ? 0 : sd > 0 ? distance / sd : nil
        }
    }
    return (metrics, comparison)
}

/// W1 from the fine bins and the exact means.
///
/// The areas above and below differ by the shift of the mean, which `Moments` knows exactly and bins do not: a tail bin
/// far outside the reference can hold everything. So only the smaller area is taken from the bins. Where one
/// distribution lies wholly to one side of the other the result is exact.
private func wasserstein(
    _ bins: NumericBins, _ exponent: Int, _ reference: ColumnProfile, _ current: ColumnProfile
) -> Double? {
    guard let f = FineBins(bins, reference), let g = FineBins(bins, current) else { return nil }
    let (above, below) = FineBins.areas(f, g)
    guard above > 0 || below > 0 else { return 0 }
    let scale = Moments.scale(exponent: exponent)
    let magnitude = max(abs(f.minimum), abs(f.maximum), abs(g.minimum), abs(g.maximum))
    // Past this the sums are clamped and the means too near to zero.
    guard magnitude * scale < 0x1p48, let p = reference.moments?.mean(exponent: exponent),
        let q = current.moments?.mean(exponent: exponent)
    else { return above + below }
    return 2 * min(above, below) + abs(p - q)
}

/// What a column's rows are by themselves, for `reference(x)` in rules: everything that is not a distance.
package func columnDescription(column: Layout.Column, profile: ColumnProfile) -> MetricValues {
    description(of: profile, in: column, against: profile)
}

private func histogramDistances(
    _ bins: Comparison, isCategorical: Bool, smoothing: Smoothing, into metrics: inout MetricValues
) {
    let reference = bins.reference
    let current = bins.current
    metrics[.psi] = Distances.psi(reference, current, smoothing: smoothing)
    metrics[.psi_with_nulls] = Distances.psi(
        reference + [bins.referenceNulls], current + [bins.currentNulls], smoothing: smoothing)
    metrics[.kl] = Distances.kl(reference, current, smoothing: smoothing)
    metrics[.kl_reversed] = Distances.kl(current, reference, smoothing: smoothing)
    metrics[.js_divergence] = Distances.jsDivergence(reference, current)
    metrics[.js] = Distances.js(reference, current)
    metrics[.js_distance] = metrics[.js].map { $0.squareRoot() }
    metrics[.hellinger] = Distances.hellinger(reference, current)
    metrics[.tvd] = Distances.tvd(reference, current)
    metrics[.l_infinity] = Distances.lInfinity(reference, current)
    // Quantile bins hold equal reference mass by construction; only categories come arbitrarily thin.
    if let table = Contingency(reference, current, merging: isCategorical) {
        metrics[.chi2] = table.chi2
        metrics[.chi2_p] = table.chi2P
        metrics[.cramers_v] = table.cramersV
    }
    metrics[.psi_p] = Contingency(reference, current, merging: true)?.psiP
}

private let quantileMetrics: [(metric: Metric, probability: Double)] = [
    (.p01, 0.01), (.p05, 0.05), (.p10, 0.1), (.p25, 0.25), (.p50, 0.5), (.p75, 0.75), (.p90, 0.9), (.p95, 0.95),
    (.p99, 0.99),
]

private func description(
    of profile: ColumnProfile, in column: Layout.Column, against reference: ColumnProfile
) -> MetricValues {
    var metrics = MetricValues()
    let rows = Double(profile.rows)
    let valid = Double(profile.valid)
    metrics[.count] = rows
    if rows > 0 {
        metrics[.null_rate] = Double(profile.nulls) / rows
        metrics[.invalid_rate] = Double(profile.invalids) / rows
        metrics[.missing_rate] = Double(profile.missing) / rows
        metrics[.wrong_type_rate] = Double(profile.wrongType) / rows
    }
    guard valid > 0 else { return metrics }
    if profile.valid >= StuckValue.minimumRows {
        metrics[.stuck_rate] = StuckValue.find(column: column, reference: reference, current: profile)?.rate ?? 0
    }
    switch column.bins {
    case .numeric(let bins, let exponent):
        metrics[.out_of_range_rate] = outOfRange(bins, profile, reference).map { Double($0) / valid }
        if let moments = profile.moments, moments.count > 0 {
            metrics[.mean] = moments.mean(exponent: exponent)
            metrics[.sd] = moments.standardDeviation(exponent: exponent)
            metrics[.min] = moments.minimum
            metrics[.max] = moments.maximum
        }
        if let fine = FineBins(bins, profile) {
            for (target, value) in zip(quantileMetrics, fine.quantiles(quantileMetrics.map(\.probability))) {
                metrics[target.metric] = value
            }
        }
    case .categorical(let bins):
        metrics[.cardinality] = Double(profile.bins.count { $0 > 0 })
        if reference.valid > 0 {
            let collapsed = Comparison.collapse(bins, reference.bins, profile.bins)
            metrics[.new_category_rate] = Double(collapsed.current.last ?? 0) / valid
        }
    }
    return metrics
}

/// Values surely outside the reference's [minimum, maximum]: those in bins that lie wholly outside. The layout has
/// edges at the extremes of all traffic, so there the count is exact; for a segment, whose extremes may fall inside a
/// bin, it can be too low, never too high.
private func outOfRange(_ bins: NumericBins, _ profile: ColumnProfile, _ reference: ColumnProfile) -> UInt64? {
    guard let range = reference.moments, range.count > 0 else { return nil }
    var outside: UInt64 = 0
    for (bin, count) in profile.bins.enumerated() where count > 0 {
        let (lower, upper) = bins.bounds(of: bin)
        if upper < range.minimum || lower >= range.maximum { outside &+= count }
    }
    return outside
}
