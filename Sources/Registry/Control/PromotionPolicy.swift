import Foundation
package import Values

/// What a version must show before it may become the champion of a model. Stored in the registry, so that every way to
/// promote passes the same gate.
package struct PromotionPolicy: Codable, Sendable, Hashable {
    /// A metric of the version within limits.
    package struct Requirement: Codable, Sendable, Hashable {
        package var metric: String
        /// Only the value measured on this data counts; empty for the one stored without a name.
        package var dataset: String
        package var minimum: Double?
        package var maximum: Double?

        package init(metric: String, dataset: String = "", minimum: Double? = nil, maximum: Double? = nil) {
            self.metric = metric
            self.dataset = dataset
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    /// Better than the champion on the same data, by a margin, with a one-sided confidence.
    package struct Comparison: Codable, Sendable, Hashable {
        package var metric: String
        package var dataset: String
        package var margin: Double
        package var confidence: Double
        /// Whether smaller values are the better ones, as for losses and latencies.
        package var lowerIsBetter: Bool

        package init(
            metric: String, dataset: String = "", margin: Double, confidence: Double, lowerIsBetter: Bool
        ) {
            self.metric = metric
            self.dataset = dataset
            self.margin = margin
            self.confidence = confidence
            self.lowerIsBetter = lowerIsBetter
        }
    }

    package var requirements: [Requirement]
    package var comparison: Comparison?
    /// People other than the one who promotes.
    package var approvals: Int

    package init(requirements: [Requirement] = [], comparison: Comparison? = nil, approvals: Int = 0) {
        self.requirements = requirements
        self.comparison = comparison
        self.approvals = approvals
    }

    package var isEmpty: Bool { requirements.isEmpty && comparison == nil && approvals == 0 }
}

/// A number measured of a version before it serves.
package struct VersionMetric: Codable, Sendable, Hashable {
    package var name: String
    /// What it was measured on; empty where that has no name.
    package var dataset: String
    package var value: Double
    /// Of the value, in its unit; what a comparison with confidence needs.
    package var standardError: Double?

    package init(name: String, dataset: String = "", value: Double, standardError: Double? = nil) {
        self.name = name
        self.dataset = dataset
        self.value = value
        self.standardError = standardError
    }
}

/// One condition of a gate and what came of it.
package struct GateCheck: Codable, Sendable, Hashable {
    /// `aupr >= 0.8 on holdout`.
    package let condition: String
    package let passed: Bool
    /// What was found, in words.
    package let found: String

    package var json: JSON {
        .members(("condition", .string(condition)), ("passed", .bool(passed)), ("found", .string(found)))
    }
}

extension PromotionPolicy {
    /// - Parameters:
    ///   - champion: metrics of the present champion; `nil` where there is none, which nothing need be better than.
    ///   - approvers: who approved the version, without the one who promotes.
    ///   - promoter: the one who promotes, where they approved it too.
    package func check(
        _ candidate: [VersionMetric], champion: [VersionMetric]?, approvers: [String], promoter: String? = nil
    ) -> [GateCheck] {
        var checks = requirements.map { Self.check($0, candidate) }
        if let comparison { checks.append(comparison.check(candidate, champion)) }
        if approvals > 0 {
            checks.append(
                GateCheck(
                    condition: "approvals >= \(approvals)", passed: approvers.count >= approvals,
                    found: Self.approval(approvers, promoter)))
        }
        return checks
    }

    private static func approval(_ approvers: [String], _ promoter: String?) -> String {
        let own = promoter.map { "\($0) promotes it, so that approval does not count" }
        guard approvers.isEmpty else {
            return "approved by \(approvers.joined(separator: ", "))" + (own.map { "; \($0)" } ?? "")
        }
        return own.map { "nobody else approved it: \($0)" } ?? "nobody approved it"
    }

    /// Why a number is missing: often it was stored under another name of its data.
    fileprivate static func missing(
        _ name: String, _ dataset: String, _ metrics: [VersionMetric], of whom: String
    ) -> String {
        let others = Set(metrics.filter { $0.name == name }.map { $0.dataset.isEmpty ? "no named data" : $0.dataset })
        let elsewhere = others.isEmpty ? "" : ", only on \(others.sorted().joined(separator: ", "))"
        return "it was not measured for \(whom)\(on(dataset))\(elsewhere): store it with `registry measure`"
    }

    private static func check(_ requirement: Requirement, _ metrics: [VersionMetric]) -> GateCheck {
        let limits = [
            requirement.minimum.map { ">= \(RollbackTrial.text($0))" },
            requirement.maximum.map { "<= \(RollbackTrial.text($0))" },
        ].compactMap(\.self).joined(separator: " and ")
        let condition = "\(requirement.metric) \(limits)\(on(requirement.dataset))"
        guard let metric = find(requirement.metric, requirement.dataset, metrics) else {
            return GateCheck(
                condition: condition, passed: false,
                found: missing(requirement.metric, requirement.dataset, metrics, of: "this version"))
        }
        let passed =
            (requirement.minimum.map { metric.value >= $0 } ?? true)
            && (requirement.maximum.map { metric.value <= $0 } ?? true)
        return GateCheck(condition: condition, passed: passed, found: RollbackTrial.text(metric.value))
    }

    fileprivate static func find(_ name: String, _ dataset: String, _ metrics: [VersionMetric]) -> VersionMetric? {
        metrics.first { $0.name == name && $0.dataset == dataset }
    }

    fileprivate static func on(_ dataset: String) -> String { dataset.isEmpty ? "" : " on \(dataset)" }
}

extension PromotionPolicy.Comparison {
    /// One-sided z-test of the difference beyond the margin. The errors are taken as independent; on the same rows they
    /// go together, so the test errs on the side of refusing (Casella & Berger, Statistical Inference, 10.3).
    fileprivate func check(_ candidate: [VersionMetric], _ champion: [VersionMetric]?) -> GateCheck {
        let condition = """
            \(metric)\(PromotionPolicy.on(dataset)) better than the champion's by \(RollbackTrial.text(margin)) \
            with confidence \(RollbackTrial.text(confidence))
            """
        func failed(_ found: String) -> GateCheck { GateCheck(condition: condition, passed: false, found: found) }
        guard let champion else {
            return GateCheck(condition: condition, passed: true, found: "there is no champion yet")
        }
        guard let new = PromotionPolicy.find(metric, dataset, candidate) else {
            return failed(PromotionPolicy.missing(metric, dataset, candidate, of: "this version"))
        }
        guard let old = PromotionPolicy.find(metric, dataset, champion) else {
            return failed(PromotionPolicy.missing(metric, dataset, champion, of: "the champion"))
        }
        guard let a = new.standardError, let b = old.standardError else {
            return failed("a standard error is missing, so nothing can be said with confidence: store both")
        }
        let gain = (lowerIsBetter ? old.value - new.value : new.value - old.value) - margin
        let error = (a * a + b * b).squareRoot()
        let p = error > 0 ? 0.5 * erfc(gain / error / 2.0.squareRoot()) : (gain > 0 ? 0 : 1)
        return GateCheck(
            condition: condition, passed: p <= 1 - confidence,
            found: """
                \(RollbackTrial.text(new.value)) against \(RollbackTrial.text(old.value)): \
                \(RollbackTrial.text(gain)) beyond the margin, confidence \(RollbackTrial.text(1 - p))
                """)
    }
}
