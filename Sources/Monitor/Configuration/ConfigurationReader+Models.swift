import Statistics
import StrictYAML
import Values
import Windows

extension ConfigurationReader {
    private static let modelKeys = [
        "name", "task", "positive", "reference", "against", "columns", "segments", "statistics", "threshold",
        "timezone", "window",
        "labels", "ranking", "promotion",
    ]

    /// What only makes sense of models of a kind.
    private static let taskKeys = ["task", "positive", "threshold", "ranking"]

    mutating func readModels(_ map: YAMLMapping) -> [Configuration.Model] {
        // `models: []` watches none: the registry and tracking alone.
        guard let items = map.required("models", &problems)?.list(&problems) else { return [] }
        var models: [Configuration.Model] = []
        for item in items {
            guard let model = readModel(item) else { continue }
            if models.contains(where: { $0.name == model.name }) {
                problems.add("model `\(model.name)` stands twice", at: item.place)
            }
            models.append(model)
        }
        return models
    }

    private mutating func readModel(_ value: YAMLValue) -> Configuration.Model? {
        guard let map = value.mapping(allowed: Self.modelKeys, &problems) else { return nil }
        let name = map.required("name", &problems)?.nonEmptyString(&problems)
        let task = map["task"]?.enumeration(Configuration.Model.Task.self, &problems) ?? .binary
        let performance = readPerformance(map, task)
        var columns: [String: ReferenceBuilder.Override] = [:]
        for entry in map["columns"]?.anyMapping(&problems)?.entries ?? [] {
            columns[entry.key] = entry.value.enumeration(ReferenceBuilder.Override.self, &problems)
        }
        var bins = 10
        var smoothing = Smoothing.jeffreys
        if let statistics = map["statistics"]?.mapping(allowed: ["bins", "smoothing"], &problems) {
            bins = statistics["bins"]?.int(in: 2...100, &problems) ?? 10
            if let value = statistics["smoothing"] { smoothing = readSmoothing(value) }
        }
        let timezone = map["timezone"]?.nonEmptyString(&problems) ?? "UTC"
        let reference = readReference(map)
        let promotion = readPromotion(map["promotion"])
        let (window, idle) = readWindow(map["window"], timezone, map)
        guard let name, let reference else { return nil }
        return Configuration.Model(
            name: name, task: task, performance: performance,
            asksPerformance: ["task", "positive", "threshold", "labels", "ranking"].contains { map[$0] != nil },
            namesTask: Self.taskKeys.contains { map[$0] != nil },
            performancePlaces: Self.taskKeys.reduce(into: [:]) { $0[$1] = map[$1]?.place },
            referencePath: reference.path, referenceVersion: reference.version, moving: reference.moving,
            against: readAgainst(map["against"]), promotion: promotion, columns: columns,
            segments: readSegments(map["segments"]),
            bins: bins, smoothing: smoothing, window: window, timezone: timezone, idle: idle, place: value.place)
    }

    private mutating func readPerformance(
        _ map: YAMLMapping, _ task: Configuration.Model.Task
    ) -> PerformanceSettings? {
        let positive = map["positive"]?.nonEmptyString(&problems)
        let threshold = map["threshold"]?.double(in: 0...1, &problems)
        var horizon = Span.days(30)
        var sample = 1.0
        var coverage: Double?
        var drift = DriftMethod.sequential
        if let labels = map["labels"]?.mapping(allowed: ["horizon", "sample", "coverage", "drift"], &problems) {
            horizon = labels["horizon"]?.duration(in: Span.seconds(1)...Span.days(3_650), &problems) ?? horizon
            sample = labels["sample"]?.double(in: 1e-6...1, &problems) ?? sample
            drift = labels["drift"]?.enumeration(DriftMethod.self, &problems) ?? drift
            coverage = labels["coverage"]?.double(in: 0...1, &problems)
        }
        guard let task = PerformanceTask(rawValue: task.rawValue) else { return nil }
        var settings = PerformanceSettings(task: task)
        if let positive { settings.positives = [positive] }
        settings.threshold = threshold ?? settings.threshold
        settings.horizon = horizon
        settings.sample = sample
        settings.coverage = coverage
        settings.drift = drift
        readRanking(map["ranking"], task, &settings)
        return settings
    }

    private mutating func readRanking(
        _ value: YAMLValue?, _ task: PerformanceTask, _ settings: inout PerformanceSettings
    ) {
        guard let value, let map = value.mapping(allowed: ["at", "separator"], &problems) else { return }
        if task != .ranking { problems.add("only a model of `task: ranking` has queries", at: value.place) }
        settings.cutoff = map["at"]?.int(in: 1...10_000, &problems) ?? settings.cutoff
        guard let separator = map["separator"], let text = separator.nonEmptyString(&problems) else { return }
        if let byte = text.utf8.first, text.utf8.count == 1 {
            settings.querySeparator = byte
        } else {
            problems.add("the separator between query and item is one ASCII character", at: separator.place)
        }
    }

    private mutating func readSmoothing(_ value: YAMLValue) -> Smoothing {
        guard let text = value.nonEmptyString(&problems) else { return .jeffreys }
        do throws(SmoothingError) {
            return try Smoothing(parsing: text)
        } catch {
            problems.add("\(error)", at: value.place)
            return .jeffreys
        }
    }

    private mutating func readSegments(_ value: YAMLValue?) -> [[String]]? {
        guard let value, let items = value.list(&problems) else { return nil }
        var segments: [[String]] = []
        for item in items {
            guard let dimensions = item.strings(&problems) else { continue }
            if dimensions.isEmpty {
                problems.add("a cross needs at least one dimension", at: item.place)
                continue
            }
            if Set(dimensions).count != dimensions.count {
                problems.add("a cross names a dimension twice", at: item.place)
            } else if dimensions.count > 4 {
                problems.add("a cross may have four dimensions at most", at: item.place)
            } else if segments.contains(dimensions) {
                problems.add("this segmentation stands twice", at: item.place)
            } else {
                segments.append(dimensions)
            }
        }
        return segments
    }

    private mutating func readWindow(
        _ value: YAMLValue?, _ timezone: String, _ model: YAMLMapping
    ) -> (WindowSettings, idle: Span) {
        var settings = WindowSettings.standard
        var idle = Span.seconds(30)
        if let calendar = WindowCalendar(timezone: timezone) {
            settings.calendar = calendar
        } else {
            problems.add(
                "`\(timezone)` is no time zone of the IANA database; write `UTC` or a name such as `Europe/Berlin`",
                at: model["timezone"]?.place ?? model.place)
        }
        guard let value, let map = value.mapping(allowed: ["pane", "size", "every", "lateness", "idle"], &problems)
        else {
            return (settings, idle)
        }
        let pane = map["pane"]?.duration(&problems)
        let size = map["size"]?.duration(&problems)
        let every = map["every"]?.duration(&problems)
        settings.size = size ?? settings.size
        // What is left out follows from what is said: windows tumble, and a window is one pane.
        settings.every = every ?? (size == nil && pane == nil ? settings.every : settings.size)
        settings.pane = pane ?? (size == nil && every == nil ? settings.pane : settings.every)
        settings.lateness = map["lateness"]?.duration(&problems) ?? settings.lateness
        idle = map["idle"]?.duration(in: Span.seconds(1)...Span.days(1), &problems) ?? idle
        for problem in settings.problems { problems.add(problem, at: value.place) }
        return (settings, idle)
    }
}
