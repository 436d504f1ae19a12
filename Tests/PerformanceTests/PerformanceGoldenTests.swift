import Sketches
import Statistics
import TestSupport
import Testing
import Values

struct PerformanceGoldenTests {
    @Test(arguments: PerformanceGolden.loaded.binary)
    func `a binary model's metrics are scikit-learn's, or absent where those are undefined`(
        _ golden: PerformanceGolden.Binary
    ) {
        let sketch = PerformanceFixture.binary(Array(zip(golden.scores, golden.labels.map { $0 == 1 })))
        let ours = sketch.metrics
        let theirs = golden.metrics
        for (metric, value) in [
            (Metric.auroc, theirs.auroc), (.aupr, theirs.aupr), (.accuracy, theirs.accuracy),
            (.precision, theirs.precision), (.recall, theirs.recall), (.f1, theirs.f1), (.log_loss, theirs.log_loss),
            (.brier, theirs.brier), (.ece, theirs.ece), (.lift, theirs.lift), (.base_rate, theirs.base_rate),
            (.mean_score, theirs.mean_score),
        ] {
            #expect(agree(ours[metric], value, relative: 1e-9, absolute: 2e-12), "\(metric): \(golden.name)")
        }
        let binary = sketch.binary
        #expect(
            [binary.truePositives, binary.falsePositives, binary.trueNegatives, binary.falseNegatives]
                == theirs.confusion)
        #expect(ours[.auroc_error] == (theirs.auroc == nil ? nil : 0), "few scores are kept apart")
    }

    @Test(arguments: PerformanceGolden.loaded.regression)
    func `a regression model's metrics are scikit-learn's`(_ golden: PerformanceGolden.Regression) {
        let magnitude = (golden.labels + golden.values).map(abs).max() ?? 1
        var sketch = PerformanceSketch(.regression, exponent: Moments.exponent(forMagnitude: magnitude))
        for (value, label) in zip(golden.values, golden.labels) {
            sketch.add(prediction: value)
            sketch.add(PerformancePair(.regression(value: value, label: label), delay: .zero))
        }
        let ours = sketch.metrics
        let theirs = golden.metrics
        for (metric, value) in [
            (Metric.mae, theirs.mae), (.rmse, theirs.rmse), (.r2, theirs.r2), (.mape, theirs.mape),
            (.bias, theirs.bias),
        ] {
            // Values are rounded to 2^−41 of the largest.
            #expect(
                agree(ours[metric], value, relative: 1e-6, absolute: magnitude * 1e-11), "\(metric): \(golden.name)")
        }
    }

    @Test(arguments: PerformanceGolden.loaded.classes)
    func `a classifier's macro and micro averages are scikit-learn's`(_ golden: PerformanceGolden.Classes) {
        var sketch = PerformanceSketch(.multiclass)
        for (predicted, label) in zip(golden.predicted, golden.labels) {
            sketch.add(prediction: nil)
            sketch.add(PerformancePair(.classes(predicted: predicted, label: label), delay: .zero))
        }
        let ours = sketch.metrics
        let theirs = golden.metrics
        for (metric, value) in [
            (Metric.accuracy, theirs.accuracy), (.precision, theirs.precision), (.recall, theirs.recall),
            (.f1, theirs.f1), (.f1_micro, theirs.f1_micro),
        ] {
            #expect(agree(ours[metric], value, relative: 1e-12), "\(metric): \(golden.name)")
        }
    }

    @Test(arguments: PerformanceGolden.loaded.ndcg)
    func `NDCG at k is scikit-learn's, ties included`(_ golden: PerformanceGolden.Ranked) {
        var query = RankedOutcomes(cutoff: golden.k ?? golden.scores.count)
        for (score, relevance) in zip(golden.scores, golden.relevance) {
            query.add(query: 0, score: score, relevance: relevance)
        }
        #expect(agree(query.ndcg?.value, golden.ndcg, relative: 1e-12))
        #expect(query.ndcg?.error == 0 && query.ndcg?.queries == 1)
    }

    @Test(arguments: PerformanceGolden.loaded.large)
    func
        `of a hundred thousand different scores AUROC and AUPR are right within the stated error, which is below 0.002`(
            _ golden: PerformanceGolden.Large
        ) async throws
    {
        try await blocking {
            let sketch = PerformanceFixture.binary(golden.pairs)
            #expect(!sketch.scores.isExact)
            let ours = sketch.metrics
            let auroc = try #require(ours[.auroc])
            let aupr = try #require(ours[.aupr])
            let errors = (try #require(ours[.auroc_error]), try #require(ours[.aupr_error]))
            #expect(errors.0 < 0.002 && errors.1 < 0.002, "\(errors)")
            #expect(abs(auroc - (golden.metrics.auroc ?? 0)) <= errors.0 + 1e-12)
            #expect(abs(aupr - (golden.metrics.aupr ?? 0)) <= errors.1 + 1e-12)
            #expect(agree(ours[.log_loss], golden.metrics.log_loss, relative: 1e-9))
            #expect(agree(ours[.brier], golden.metrics.brier, relative: 1e-9))
            #expect(agree(ours[.ece], golden.metrics.ece, relative: 1e-9, absolute: 1e-10))
        }
    }
}
