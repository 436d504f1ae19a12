import Statistics
import Values

enum PerformanceFixture {
    /// A binary model's performance on scored and labelled rows, its threshold one half.
    static func binary(_ rows: [(Double, Bool)]) -> PerformanceSketch {
        var sketch = PerformanceSketch(.binary)
        for (score, label) in rows { add(score, label, to: &sketch) }
        return sketch
    }

    static func add(_ score: Double, _ label: Bool, to sketch: inout PerformanceSketch, times: Int64 = 1) {
        sketch.add(prediction: score, times: times)
        sketch.add(
            PerformancePair(.binary(score: score, predicted: score >= 0.5, label: label), delay: .hours(1)),
            times: times)
    }
}

/// Whether two numbers agree to a relative tolerance. Below `absolute` what is left is rounding of either side.
func agree(_ a: Double?, _ b: Double?, relative: Double = 1e-9, absolute: Double = 1e-15) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return abs(a - b) <= max(relative * max(abs(a), abs(b)), absolute)
}
