package import Statistics
package import StrictYAML
package import Values

/// What a configuration has, for rules to be checked against.
package struct ModelCatalog: Sendable {
    package let name: String
    /// Features and `prediction`.
    package let columns: [(name: String, kind: String)]
    package let segmentations: [[String]]
    /// The references a rule may name in `against`.
    package let references: [FurtherReference]
    /// Size of its own windows; `nil` where that is not known.
    package let window: Span?
    package let labels: Labels

    /// What its labels are.
    package enum Labels: Sendable, Hashable {
        case unknown
        /// Nothing of it is joined with labels.
        case none
        case of(PerformanceTask)

        fileprivate func have(_ metric: Metric) -> Bool {
            switch self {
            case .unknown: true
            case .none: !metric.isPerformance
            case .of(let task): task.has(metric)
            }
        }
    }

    package init(
        name: String, columns: [(name: String, kind: String)], segmentations: [[String]],
        references: [FurtherReference] = [], window: Span? = nil, labels: Labels = .unknown
    ) {
        self.labels = labels
        self.window = window
        self.references = references
        self.name = name
        self.columns = columns
        self.segmentations = segmentations
    }

    var columnNames: [String] {
        let names = columns.map(\.name)
        return (names.contains("prediction") ? names : names + ["prediction"])
            + [SnapshotRow.performanceColumn, SnapshotRow.volumeColumn, SnapshotRow.schemaColumn]
    }

    var dimensions: [String] {
        segmentations.flatMap { $0 }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}

extension RuleSet {
    /// What rules name that the configuration does not have. A rule that would be silent for a reason its author did
    /// not mean is a problem; a rule for every model may be silent for some, but not for all.
    ///
    /// - Parameters:
    ///   - receivers: names of receivers, `nil` where they are not known.
    ///   - starters: those of them that can start a pipeline, `nil` for all.
    package func check(
        against catalog: [ModelCatalog], receivers: [String]? = nil, starters: [String]? = nil
    ) -> [Problem] {
        var problems = ProblemCollector()
        let alerts = alertNames
        for group in groups {
            let models = catalog.filter { group.holds(for: $0.name) }
            if let model = group.model, models.isEmpty {
                let hint = Nearest.hint(for: model, among: catalog.map(\.name))
                problems.add("unknown model `\(model)`\(hint)", at: group.modelPlace ?? group.place)
            }
            for rule in group.rules {
                if !models.isEmpty {
                    for selector in rule.expression.selectors { Self.check(selector, rule, models, &problems) }
                }
                Self.checkReference(rule, models, &problems)
                Self.checkConceptDrift(rule, models, &problems)
                Self.checkNames(rule, alerts, receivers, starters, &problems)
            }
        }
        return problems.problems.list
    }

    /// What of a rule's expression a model does not have, and is silent for.
    package func missing(for alert: String, in model: ModelCatalog) -> [Problem] {
        var problems = ProblemCollector()
        for group in groups where group.holds(for: model.name) {
            for rule in group.rules where rule.name == alert {
                for selector in rule.expression.selectors { Self.check(selector, rule, [model], &problems) }
            }
        }
        return problems.list
    }

    private var alertNames: [String] {
        rules.map(\.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Guards of rollbacks that no rule raises. Rule files are shared, and the alert may be one of a file that is not loaded here, so this
    /// is told and no mistake; a name that is nearly that of a rule is one, and `check(against:)` says so.
    package var absentGuards: [Problem] {
        let alerts = alertNames
        var notes = ProblemCollector()
        for rule in rules {
            for (name, place) in rule.places.unless
            where !alerts.contains(name) && !Nearest.isMistyped(name, among: alerts) {
                notes.add(
                    "no rule here raises `\(name)`, so it never keeps `\(rule.name)` from rolling back"
                        + Nearest.hint(for: name, among: alerts), at: place)
            }
        }
        return notes.list
    }

    /// Where a rule for every model is silent on some of them: what `check` tells, though nothing is wrong.
    package func silences(against catalog: [ModelCatalog]) -> [Problem] {
        var notes = ProblemCollector()
        for group in groups {
            for rule in group.rules {
                for model in catalog.filter({ group.holds(for: $0.name) }) {
                    var missing = ProblemCollector()
                    for selector in rule.expression.selectors {
                        if group.model == nil, catalog.count > 1 { Self.check(selector, rule, [model], &missing) }
                    }
                    Self.checkLabels(rule, model, &missing)
                    for problem in missing.list {
                        notes.add("`\(rule.name)` is silent there: \(problem.message)", at: problem.place)
                    }
                }
            }
        }
        return notes.list
    }

    /// Figures of performance of which no row of the model can have one.
    private static func checkLabels(_ rule: Rule, _ model: ModelCatalog, _ problems: inout ProblemCollector) {
        let selectors = rule.expression.selectors
        guard let selector = selectors.first, selectors.allSatisfy({ !model.labels.have($0.metric) }) else { return }
        let name = "`\(selector.metric.name)`"
        let place = rule.places.expression.place(ofCharacter: selector.offset)
        switch model.labels {
        case .unknown: break
        case .none:
            problems.add(
                "\(name) needs labels, which model `\(model.name)` does not join: say its `task`, or build its reference "
                    + "from labelled rows", at: place)
        case .of(let task):
            problems.add(
                "\(name) does not exist for model `\(model.name)`, whose task is \(task.rawValue)", at: place)
        }
    }

    private static func checkReference(
        _ rule: Rule, _ models: [ModelCatalog], _ problems: inout ProblemCollector
    ) {
        guard let against = rule.against, !models.isEmpty, !models.contains(where: { $0.references.contains(against) })
        else { return }
        let names = models.map { "`\($0.name)`" }.joined(separator: ", ")
        problems.add(
            "no such reference of \(names): add `\(against.rawValue)` to the model's `against`",
            at: rule.places.against ?? rule.places.name)
    }

    private static func checkConceptDrift(
        _ rule: Rule, _ models: [ModelCatalog], _ problems: inout ProblemCollector
    ) {
        guard let size = rule.window, !models.isEmpty, models.allSatisfy({ $0.window != nil && $0.window != size }),
            let selector = rule.expression.selectors.first(where: { $0.metric == .concept_drift })
        else { return }
        problems.add(
            "`concept_drift` is concluded from the model's own windows, one after the other: leave `window: \(size)` out",
            at: rule.places.expression.place(ofCharacter: selector.offset))
    }

    private static func checkNames(
        _ rule: Rule, _ alerts: [String], _ receivers: [String]?, _ starters: [String]?,
        _ problems: inout ProblemCollector
    ) {
        if let receivers {
            for (name, place) in zip(rule.notify ?? [], rule.places.receivers) where !receivers.contains(name) {
                problems.add("unknown receiver `\(name)`\(Nearest.hint(for: name, among: receivers))", at: place)
            }
        }
        for (name, place) in rule.places.starters where receivers?.contains(name) == false {
            problems.add(
                "unknown receiver `\(name)` to start the pipeline: give a `webhook` or `cloudevents` of `receivers` that name, "
                    + "or name one with `receiver`\(Nearest.hint(for: name, among: receivers ?? []))", at: place)
        }
        for (name, place) in rule.places.starters
        where receivers?.contains(name) == true && starters?.contains(name) == false {
            problems.add(
                "receiver `\(name)` takes alerts only; a pipeline is started by a `webhook` or `cloudevents`", at: place
            )
        }
        for (name, place) in rule.places.unless
        where !alerts.contains(name) && Nearest.isMistyped(name, among: alerts) {
            let hint = Nearest.hint(for: name, among: alerts)
            problems.add("unknown alert `\(name)`, a guard that could never hold\(hint)", at: place)
        }
    }

    private static func check(
        _ selector: Selector, _ rule: Rule, _ models: [ModelCatalog], _ problems: inout ProblemCollector
    ) {
        let scope = models.count == 1 ? "model `\(models[0].name)`" : "any model"
        let place = { (offset: Int) in rule.places.expression.place(ofCharacter: offset) }
        for matcher in selector.matchers where matcher.label == "column" {
            let columns = models.flatMap(\.columnNames)
            var compiled = CompiledMatcher(matcher)
            if !columns.contains(where: { compiled.passes($0) }) {
                let hint = matcher.comparison.isRegex ? "" : Nearest.hint(for: matcher.text, among: columns)
                let what = matcher.comparison.isRegex ? "no column matches" : "unknown column"
                problems.add("\(what) `\(matcher.text)` of \(scope)\(hint)", at: place(matcher.textOffset))
            }
        }
        checkKinds(selector, models, scope, place, &problems)
        guard let wanted = selector.dimensions, !wanted.isEmpty else { return }
        let known = models.flatMap(\.dimensions)
        var isKnown = true
        for name in wanted where !known.contains(name.text) {
            isKnown = false
            let own = selector.matchers.contains { $0.label == name.text } ? Selector.ownLabels.prefix(2) : []
            let hint = Nearest.hint(for: name.text, among: known + own)
            problems.add("unknown segment `\(name.text)` of \(scope)\(hint)", at: place(name.offset))
        }
        guard isKnown else { return }
        let set = Set(wanted.map(\.text))
        if !models.contains(where: { $0.segmentations.contains { Set($0) == set } }) {
            let list = wanted.map(\.text).joined(separator: ", ")
            problems.add(
                "\(scope) is not segmented by [\(list)] together: add it to its `segments`", at: place(wanted[0].offset)
            )
        }
    }

    /// A metric no selected column can have would be silent.
    private static func checkKinds(
        _ selector: Selector, _ models: [ModelCatalog], _ scope: String, _ place: (Int) -> Place,
        _ problems: inout ProblemCollector
    ) {
        var matchers = selector.matchers.filter { $0.label == "column" }.map(CompiledMatcher.init)
        var kinds: Set<String> = []
        for column in models.flatMap(\.columns) {
            var passes = true
            for i in matchers.indices { passes = matchers[i].passes(column.name) && passes }
            if passes { kinds.insert(column.kind) }
        }
        guard !matchers.isEmpty, !kinds.isEmpty, !kinds.contains(where: { selector.metric.applies(toKind: $0) }) else {
            return
        }
        let list = kinds.sorted().joined(separator: " and ")
        problems.add(
            "`\(selector.metric.name)` does not exist for \(list) columns of \(scope)", at: place(selector.offset))
    }
}
