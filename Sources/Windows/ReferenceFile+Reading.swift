import Events
package import Sketches
import Values

extension ReferenceFile {
    /// Reads what `encode` wrote; a file that was damaged or edited into nonsense is refused with the place.
    package static func decode(_ bytes: [UInt8]) throws(Failure) -> Reference {
        let document: JSON
        do throws(JSONError) {
            document = try JSON(parsing: bytes)
        } catch {
            throw Failure(description: "not JSON: \(error.reason) at byte \(error.offset)")
        }
        guard document["format"]?.stringValue == format else {
            throw Failure(
                description: "not a reference file of format \(format); build one with 'holdfast reference build'")
        }
        let layout = try layout(document)
        guard let model = document["model"]?.stringValue, let bins = document["bins"]?.integerValue,
            (2...1000).contains(bins)
        else { throw Failure(description: "model or bins is missing") }
        let segmentations = (document["segments"]?.arrayValue ?? []).map { cross in
            (cross.arrayValue ?? []).compactMap(\.stringValue)
        }
        if let wrong = ReferenceBuilder.problem(ofSegmentations: segmentations) { throw Failure(description: wrong) }
        let seasons = try Self.seasons(document, layout)
        let weekTimes = (document["week_times"]?.arrayValue ?? []).compactMap(\.numberValue)
        var groups: [Reference.Group] = []
        var known: Set<Segment> = []
        for item in document["groups"]?.arrayValue ?? [] {
            var group = try group(item, layout)
            try Self.addTimes(to: &group, item, layout, seasons, weekTimes, all: groups.first)
            try Self.addWobbles(to: &group, item, layout)
            guard known.insert(group.segment).inserted else {
                throw Failure(description: "group \(group.segment) stands twice")
            }
            groups.append(group)
        }
        guard groups.first?.segment.isAll == true else {
            throw Failure(description: "groups must begin with all traffic (segment {})")
        }
        return Reference(
            model: model, version: document["version"]?.stringValue, period: period(document), layout: layout,
            segmentations: segmentations, bins: Int(bins), seasons: seasons, groups: groups)
    }

    private static func period(_ document: JSON) -> TimeRange? {
        guard let start = document["period"]?["start"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let end = document["period"]?["end"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        return TimeRange(start: start, end: end)
    }

    private static func layout(_ document: JSON) throws(Failure) -> Layout {
        var columns: [(name: String, bins: ColumnBins)] = []
        for item in document["columns"]?.arrayValue ?? [] {
            guard let name = item["name"]?.stringValue else { throw Failure(description: "a column without a name") }
            guard !columns.contains(where: { $0.name == name }) else {
                throw Failure(description: "column '\(name)' stands twice")
            }
            switch item["kind"]?.stringValue {
            case "numeric":
                let written = item["edges"]?.arrayValue ?? []
                let edges = written.compactMap(\.numberValue).filter(\.isFinite)
                guard edges.count == written.count, edges.count <= NumericBins.maximumEdges,
                    zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 }),
                    let exponent = item["exponent"]?.integerValue, Moments.exponents.contains(Int(exponent))
                else { throw Failure(description: "column '\(name)': edges must ascend and exponent be a number") }
                columns.append((name, .numeric(NumericBins(edges: edges), exponent: Int(exponent))))
            case "categorical":
                guard let categories = texts(item["categories"]), let rare = texts(item["rare"]) else {
                    throw Failure(description: "column '\(name)': categories must be texts")
                }
                guard Set(categories + rare).count == categories.count + rare.count, categories.count < 60_000 else {
                    throw Failure(description: "column '\(name)': a category stands twice")
                }
                columns.append((name, .categorical(CategoryBins(categories: categories, rare: rare))))
            default: throw Failure(description: "column '\(name)': kind must be numeric or categorical")
            }
        }
        guard !columns.isEmpty else { throw Failure(description: "columns is missing or empty") }
        return Layout(columns: columns)
    }

    /// Empty where the list is absent, `nil` where it holds anything but texts.
    private static func texts(_ list: JSON?) -> [String]? {
        let items = list?.arrayValue ?? []
        let texts = items.compactMap(\.stringValue)
        return texts.count == items.count ? texts : nil
    }

    private static func group(_ item: JSON, _ layout: Layout) throws(Failure) -> Reference.Group {
        let members = item["segment"]?.objectValue ?? []
        let parts = members.compactMap { member in member.value.stringValue.map { Segment.Part(member.key, $0) } }
        let segment = Segment(parts)
        guard parts.count == members.count else {
            throw Failure(description: "group \(segment): segment must hold texts")
        }
        guard let rows = item["rows"]?.integerValue, rows >= 0 else {
            throw Failure(description: "group \(segment): rows is missing")
        }
        var profile = Profile(layout)
        profile.rows = UInt64(rows)
        var cuts: [[Int]] = []
        for column in layout.columns {
            func fail(_ what: String) -> Failure {
                Failure(description: "group \(segment), column '\(column.name)': \(what)")
            }
            guard let entry = item["columns"]?[column.name] else { throw fail("missing") }
            guard let counts = entry["counts"]?.stringValue.flatMap(ReferenceFile.counts),
                counts.count == column.bins.count
            else { throw fail("counts must be \(column.bins.count) numbers") }
            profile.counts.replaceSubrange(column.offset..<column.offset + counts.count, with: counts)
            for (key, code) in [
                ("null", SpecialCode.null), ("missing", .missing), ("invalid", .invalid), ("wrong_type", .wrongType),
            ] {
                let count = entry[key]?.integerValue ?? 0
                guard count >= 0 else { throw fail("\(key) is negative") }
                profile.counts[column.offset + column.code(code)] = UInt64(count)
            }
            guard holds(profile.column(column), atMost: profile.rows) else { throw fail("more values than rows") }
            guard case .numeric(let bins, _) = column.bins else {
                cuts.append([])
                continue
            }
            if let m = column.momentsIndex, let stored = entry["moments"] {
                guard let moments = moments(stored, count: counts.reduce(0, &+)) else {
                    throw fail("moments cannot be read")
                }
                profile.moments[m] = moments
            }
            let values = (entry["cuts"]?.arrayValue ?? []).compactMap(\.numberValue)
            let indices = ReferenceBuilder.indices(of: values, in: bins.edges)
            guard indices.count == values.count else { throw fail("a cut is not one of the column's edges") }
            cuts.append(indices)
        }
        return Reference.Group(segment: segment, profile: profile, cuts: cuts)
    }

    /// Whether a column's counts add up to no more than the group's rows; a sum may be past 64 bits in an edited file.
    private static func holds(_ column: ColumnProfile, atMost rows: UInt64) -> Bool {
        var left = rows
        for count in column.bins + [column.null, column.missing, column.invalid, column.wrongType] {
            guard count <= left else { return false }
            left -= count
        }
        return true
    }

    private static func moments(_ stored: JSON, count: UInt64) -> Moments? {
        guard let minimum = stored["min"]?.numberValue, let maximum = stored["max"]?.numberValue,
            let sum = stored["sum"]?.stringValue.flatMap({ Int128($0) }),
            let squares = stored["squares"]?.stringValue.flatMap({ Int128($0) }),
            minimum.isFinite, maximum.isFinite, minimum <= maximum, squares >= 0
        else { return nil }
        var moments = Moments()
        moments.count = count
        moments.sum = sum
        moments.sumOfSquares = squares
        moments.minimum = minimum
        moments.maximum = maximum
        return moments
    }
}
