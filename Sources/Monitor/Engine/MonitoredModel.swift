import Actions
package import Events
import Foundation
import Registry
import Rules
import Sketches
package import Statistics
package import StrictYAML
import Values
package import Windows

/// A model with everything its events need: schema, bins, windows. Made once, at start.
package struct MonitoredModel: Sendable {
    let configuration: Configuration.Model
    let reference: Reference
    package let schema: ModelSchema
    /// Which of its versions and segment values are told apart, for all who read its events.
    package let places: NamePlaces
    package let segmentations: [[String]]
    let shapes: [ModelWindows.Shape]
    package let plans: GroupPlans
    let snapshots: SnapshotBuilder
    /// How the model's labels are joined; `nil` where nobody asks.
    let performance: PerformanceSettings?
    package let performanceReference: PerformanceReference?
    /// What is allowed and yet hardly meant.
    package let warnings: [Problem]
    /// Names what stored predictions and performance mean; `nil` where there are none.
    package let joinStamp: JoinStamp?
    /// Names bins, panes and segmentations: counts stored under another name mean something else.
    let layoutName: String

    var name: String { configuration.name }
    package var window: WindowSettings { configuration.window }

    /// Loads the reference of every model; throws every problem.
    package static func load(_ configuration: Configuration) throws(Problems) -> [MonitoredModel] {
        var problems = ProblemCollector()
        let models = configuration.models.compactMap { MonitoredModel($0, configuration, &problems) }
        let catalog = models.map(\.catalog)
        if problems.isEmpty {
            problems.add(
                Problems(
                    configuration.rules.check(
                        against: catalog, receivers: configuration.receivers.map(\.name),
                        starters: configuration.receivers.filter(\.takesOrders).map(\.name))))
        }
        try problems.throwIfAny()
        return models
    }

    var catalog: ModelCatalog {
        ModelCatalog(
            name: name, columns: reference.layout.columns.map { ($0.name, $0.bins.kindName) },
            segmentations: segmentations,
            references: configuration.against.compactMap { FurtherReference(rawValue: $0.name) }, window: window.size,
            labels: performance.map { .of($0.task) } ?? .none)
    }

    /// How far back the model's moving references look; `nil` without any.
    var lookback: Span? { ((configuration.moving.map { [$0] } ?? []) + configuration.against).map(\.span).max() }

    private init?(
        _ model: Configuration.Model, _ all: Configuration, _ problems: inout ProblemCollector
    ) {
        guard let (loaded, known) = Self.reference(model, registry: all.statePath + "/registry.sqlite", &problems)
        else {
            return nil
        }
        configuration = model
        reference = loaded
        segmentations = model.segments ?? loaded.segmentations
        Self.checkSegments(model, loaded, &problems)
        let dimensions = segmentations.flatMap(\.self).reduce(into: [String]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        let labelled = Self.labelled(model, known, &problems)
        schema = ModelSchema(
            model: model.name,
            columns: loaded.layout.columns.map { column in
                switch column.bins {
                case .numeric: .init(name: column.name, kind: .numeric)
                case .categorical(let bins):
                    .init(name: column.name, kind: .categorical(codes: bins.dictionary, unseen: bins.unseen))
                }
            },
            dimensions: dimensions,
            knownValues: dimensions.map { Self.values(of: $0, in: loaded) },
            ignored: model.columns.filter { $0.value == .ignore }.map(\.key).sorted(),
            outcome: labelled.settings.map(\.outcome))
        places = NamePlaces(schema)
        shapes = Self.shapes(model, all.rules, &problems)
        plans = GroupPlans(loaded)
        snapshots = SnapshotBuilder(
            reference: loaded, plans: plans, smoothing: model.smoothing, calendar: model.window.calendar)
        performance = labelled.settings.map { Self.settings($0, loaded) }
        performanceReference = labelled.reference
        warnings = labelled.warnings
        let pane = model.window.performancePane(shapes)
        joinStamp = performance.map { [segmentations] in
            JoinStamp(
                $0, pane: pane, timezone: model.timezone, dimensions: dimensions, segmentations: segmentations)
        }
        layoutName = Self.layoutName(loaded, plans, model, segmentations)
    }

    /// A dimension nobody knows would be silent for ever.
    private static func checkSegments(
        _ model: Configuration.Model, _ reference: Reference, _ problems: inout ProblemCollector
    ) {
        let known = Set(reference.segmentations.flatMap(\.self) + reference.layout.columns.map(\.name))
        for name in Set((model.segments ?? []).flatMap(\.self)).sorted() where !known.contains(name) {
            let hint = Nearest.hint(for: name, among: known.sorted())
            problems.add(
                "model `\(model.name)`: the reference knows no segment dimension `\(name)`\(hint); build it with `--segment \(name)`",
                at: model.place)
        }
    }

    private static func values(of dimension: String, in reference: Reference) -> [String] {
        Set(reference.groups.compactMap { $0.segment[dimension] }).sorted()
    }

    private static func reference(
        _ model: Configuration.Model, registry: String, _ problems: inout ProblemCollector
    ) -> (Reference, PerformanceReference?)? {
        func fail(_ text: String) -> (Reference, PerformanceReference?)? {
            problems.add("model `\(model.name)`: \(text)", at: model.place)
            return nil
        }
        var path = model.referencePath
        let data: [UInt8]
        if let version = model.referenceVersion {
            path = "of \(version) in the registry"
            do throws(RegistryError) {
                data = try Registry.storedReference(path: registry, model: model.name, version: version)
            } catch {
                return fail("reference \(path): \(error.message)")
            }
        } else {
            guard let contents = FileManager.default.contents(atPath: path) else {
                return fail("reference \(path): there is no such file; build one with `holdfast reference build`")
            }
            data = [UInt8](contents)
        }
        let reference: Reference
        let performance: PerformanceReference?
        do throws(ReferenceFile.Failure) {
            reference = try ReferenceFile.decode(data)
            performance = try ReferenceFile.performance(data)
        } catch {
            return fail("reference \(path): \(error)")
        }
        if reference.model != model.name {
            return fail("reference \(path) is of model `\(reference.model)`")
        }
        if reference.bins != model.bins {
            return fail(
                "reference \(path) has \(reference.bins) bins, the configuration asks for \(model.bins): build it again"
            )
        }
        for (name, kind) in model.columns.sorted(by: { $0.key < $1.key }) where kind != .ignore {
            guard let index = reference.layout.index(of: name) else {
                return fail("columns: the reference has no column `\(name)`")
            }
            if reference.layout.columns[index].bins.kindName != kind.rawValue {
                return fail(
                    "columns: `\(name)` is not \(kind.rawValue) in the reference: build it again with this configuration"
                )
            }
        }
        return (reference.dropping(Set(model.columns.filter { $0.value == .ignore }.keys)), performance)
    }

    /// The configuration's settings, with the quantum that suits the reference's values.
    private static func settings(_ settings: PerformanceSettings, _ reference: Reference) -> PerformanceSettings {
        var settings = settings
        if let index = reference.layout.index(of: ModelSchema.predictionColumn),
            case .numeric(_, let exponent) = reference.layout.columns[index].bins
        {
            settings.exponent = exponent
        }
        return settings
    }

    /// The model's own windows, and those of other sizes that rules ask for, which slide by the model's own size.
    private static func shapes(
        _ model: Configuration.Model, _ rules: RuleSet, _ problems: inout ProblemCollector
    ) -> [ModelWindows.Shape] {
        var shapes = [ModelWindows.Shape(size: model.window.size, every: model.window.every)]
        for case .some(let size) in rules.windowSizes(model: model.name) where size != model.window.size {
            var settings = model.window
            settings.size = size
            settings.every = min(size, model.window.size)
            for problem in settings.problems {
                problems.add("model `\(model.name)`, a rule's window of \(size): \(problem)", at: model.place)
            }
            shapes.append(ModelWindows.Shape(size: settings.size, every: settings.every))
        }
        return shapes
    }

    private static func layoutName(
        _ reference: Reference, _ plans: GroupPlans, _ model: Configuration.Model, _ segmentations: [[String]]
    ) -> String {
        // FNV-1a, 64 bit: stable between runs and builds, which Hasher is not.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        func mix(_ text: String) {
            for byte in text.utf8 { mix(byte) }
            mix(0)
        }
        for column in reference.layout.columns {
            mix(column.name)
            switch column.bins {
            case .numeric(let bins, let exponent):
                mix("\(exponent)")
                for edge in bins.edges { mix(String(edge.bitPattern, radix: 16)) }
            case .categorical(let bins):
                for name in bins.categories + ["\u{0}"] + bins.rare { mix(name) }
            }
        }
        // How segments choose among the fine bins (`GroupPlan`); a new way of choosing needs a new number.
        mix("plan 3")
        for group in reference.groups {
            mix(group.segment.description)
            mix("\(group.profile.rows)")
            for column in plans.plan(for: group.segment).layout.columns {
                guard case .numeric(let bins, _) = column.bins else { continue }
                for edge in bins.edges {
                    for shift in stride(from: UInt64(0), to: 64, by: 8) {
                        mix(UInt8(truncatingIfNeeded: edge.bitPattern >> shift))
                    }
                }
            }
        }
        mix("\(model.window.pane)")
        mix(model.timezone)
        for cross in segmentations { mix(cross.joined(separator: "\u{1}")) }
        return String(hash, radix: 16)
    }
}
