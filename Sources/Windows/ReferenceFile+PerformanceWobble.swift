import Events
import Statistics
import Values

/// The part of a reference file that says how much the model's figures differ between spans of time, beside each group's sketch: by
/// length of span, what is not zero of it. Files of before it was measured have none.
extension ReferenceFile {
    static func wobble(_ wobble: PerformanceWobble?) -> JSON? {
        guard let wobble, !wobble.isZero else { return nil }
        return .object(
            wobble.spans.map { spans in
                func number(_ value: Double) -> JSON? { value > 0 ? .number(value) : nil }
                return JSON.Member(
                    spans.length.description,
                    .members(
                        ("spans", .number(spans.count)), ("auroc", number(spans.figures.ranking)),
                        ("calibration", number(spans.figures.calibration)), ("accuracy", number(spans.figures.errors)),
                        ("mae", number(spans.figures.distance))))
            })
    }

    static func performanceWobble(_ item: JSON, of segment: Segment) throws(Failure) -> PerformanceWobble? {
        guard let members = item["wobble"]?.objectValue else { return nil }
        var spans: [PerformanceWobble.Spans] = []
        for member in members {
            func value(_ key: String) throws(Failure) -> Double {
                guard let number = member.value[key] else { return 0 }
                guard let value = number.numberValue, value.isFinite, value >= 0 else {
                    throw Failure(
                        description: "performance of \(segment): wobble \(key) must be a number of at least 0")
                }
                return value
            }
            guard let length = Span(parsing: member.key), length > .zero else {
                throw Failure(description: "performance of \(segment): wobble '\(member.key)' is no length of time")
            }
            var figures = PerformanceWobble.Figures()
            figures.ranking = try value("auroc")
            figures.calibration = try value("calibration")
            figures.errors = try value("accuracy")
            figures.distance = try value("mae")
            spans.append(.init(length: length, count: try value("spans"), figures: figures))
        }
        return PerformanceWobble(spans)
    }
}
