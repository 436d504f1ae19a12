import StrictYAML
import Values
import Windows

/// What a model is compared with: a file, a version of the registry, its own past.
extension ConfigurationReader {
    struct ReferenceSource {
        var path = ""
        /// A version or an alias of the registry.
        var version: String?
        var moving: MovingReference?
    }

    /// `references/fraud.json` · `{registry: champion}` · `{rolling: 7d, bins: references/fraud.json}` ·
    /// `{same: hour-of-week, over: 4w, bins: …}`.
    mutating func readReference(_ map: YAMLMapping) -> ReferenceSource? {
        guard let value = map.required("reference", &problems) else { return nil }
        guard case .mapping = value.content else {
            return value.nonEmptyString(&problems).map { ReferenceSource(path: resolve($0)) }
        }
        guard let source = value.mapping(allowed: ["registry", "rolling", "same", "over", "bins"], &problems) else {
            return nil
        }
        if let version = source["registry"] {
            return version.nonEmptyString(&problems).map { ReferenceSource(version: $0) }
        }
        guard let moving = readMoving(source, value) else { return nil }
        guard let bins = source["bins"] else {
            problems.add(
                "a reference that moves needs bins to count in: build a reference file from some days of events with "
                    + "`holdfast reference build` and add `bins: FILE` here; until there is a past, the file is the reference",
                at: value.place)
            return nil
        }
        return bins.nonEmptyString(&problems).map { ReferenceSource(path: resolve($0), moving: moving) }
    }

    /// `against: [{rolling: 7d}, {same: hour-of-week, over: 4w}, {version: previous, over: 14d}]`.
    mutating func readAgainst(_ value: YAMLValue?) -> [MovingReference] {
        guard let value, let items = value.list(&problems) else { return [] }
        var out: [MovingReference] = []
        for item in items {
            guard let map = item.mapping(allowed: ["rolling", "same", "over", "version"], &problems),
                let reference = readMoving(map, item)
            else { continue }
            if out.contains(where: { $0.name == reference.name }) {
                problems.add("there is a `\(reference.name)` reference already", at: item.place)
            } else {
                out.append(reference)
            }
        }
        return out
    }

    private mutating func readMoving(_ map: YAMLMapping, _ value: YAMLValue) -> MovingReference? {
        let bounds = Span.hours(1)...Span.days(366)
        if let span = map["rolling"] { return span.duration(in: bounds, weeks: true, &problems).map { .rolling($0) } }
        if let season = map["same"] {
            guard season.nonEmptyString(&problems) == "hour-of-week" else {
                problems.add("expected `hour-of-week`", at: season.place)
                return nil
            }
            let over = map["over"]?.duration(in: Span.days(7)...Span.days(366), weeks: true, &problems) ?? .days(28)
            return .seasonal(over: over)
        }
        if let version = map["version"] {
            guard version.nonEmptyString(&problems) == "previous" else {
                problems.add("expected `previous`", at: version.place)
                return nil
            }
            return .previousVersion(over: map["over"]?.duration(in: bounds, weeks: true, &problems) ?? .days(14))
        }
        problems.add(
            "expected one of `{rolling: 7d}`, `{same: hour-of-week, over: 4w}`, `{version: previous}`, `{registry: champion}`",
            at: value.place)
        return nil
    }
}
