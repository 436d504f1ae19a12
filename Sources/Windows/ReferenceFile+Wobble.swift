import Events
import Sketches
import Values

/// The part of a reference file that says how much spans of time differ; files of before it was measured have none of it.
extension ReferenceFile {
    /// By length of span, what is not zero of it: `{}` was looked at, and is.
    static func wobble(_ wobbles: SpanWobbles) -> JSON? {
        guard wobbles.spans.contains(where: { !$0.wobble.isZero }) else { return nil }
        return .object(
            wobbles.spans.map { length, wobble in
                func number(_ value: Double) -> JSON? { value > 0 ? .number(value) : nil }
                return JSON.Member(
                    length.description,
                    .members(
                        ("shift", number(wobble.shift)), ("null", number(wobble.null)),
                        ("novelty", number(wobble.novelty.share)),
                        ("novelty_wobble", number(wobble.novelty.wobble)),
                        ("standing", number(wobble.standing)), ("spans", number(wobble.spans))))
            })
    }

    static func addWobbles(to group: inout Reference.Group, _ item: JSON, _ layout: Layout) throws(Failure) {
        var found: [SpanWobbles] = []
        for column in layout.columns {
            var spans: [(length: Span, wobble: Wobble)] = []
            for member in item["columns"]?[column.name]?["wobble"]?.objectValue ?? [] {
                func value(_ key: String) throws(Failure) -> Double {
                    guard let number = member.value[key] else { return 0 }
                    guard let value = number.numberValue, value.isFinite, value >= 0 else {
                        throw Failure(
                            description:
                                "group \(group.segment), column '\(column.name)': wobble \(key) must be a number of at least 0"
                        )
                    }
                    return value
                }
                guard let length = Span(parsing: member.key), length > .zero else {
                    throw Failure(
                        description:
                            "group \(group.segment), column '\(column.name)': wobble '\(member.key)' is no length of time"
                    )
                }
                let novelty = Wobble.Novelty(
                    share: min(1, try value("novelty")), wobble: min(1, try value("novelty_wobble")))
                spans.append(
                    (
                        length,
                        Wobble(
                            shift: try value("shift"), null: min(1, try value("null")), novelty: novelty,
                            standing: min(1, try value("standing")), spans: try value("spans"))
                    ))
            }
            found.append(SpanWobbles(spans))
        }
        if found.contains(where: { !$0.spans.isEmpty }) { group.wobbles = found }
    }
}
