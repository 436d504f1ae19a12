import GRDB

/// A search as one SQL statement: conditions, joins for the order, and their arguments in the order they appear.
struct SearchQuery {
    let target: SearchTarget
    private var conditions: [String] = []
    private var conditionArguments: StatementArguments = []
    private var joins: [String] = []
    private var joinKeys: [String] = []
    private var order: [String] = []
    private var orderArguments: StatementArguments = []
    /// The metric that comes first in the order: there is an index for that.
    private var leadingMetric: (key: String, isAscending: Bool)?

    /// Whether the filter asks for what MLflow keeps as models but are prompts.
    private(set) var isForPrompts = false

    init(_ target: SearchTarget) { self.target = target }

    mutating func require(_ sql: String, _ arguments: StatementArguments = []) {
        conditions.append(sql)
        conditionArguments += arguments
    }

    mutating func filter(_ text: String?) throws(MLflowError) {
        guard let text, !text.isEmpty else { return }
        for clause in try Filter.parse(text) {
            try add(clause)
            if clause.entity == .tag, clause.key == Prompt.tag {
                isForPrompts = [.equal: .text("true"), .notEqual: .text("false")][clause.comparator] == clause.value
            }
        }
    }

    mutating func sort(_ items: [String]) throws(MLflowError) {
        var seen: Set<OrderItem> = []
        for text in items {
            let item = try Filter.order(text)
            guard seen.insert(OrderItem(entity: item.entity, key: item.key, isAscending: true)).inserted else {
                throw .invalid("`order_by` contains duplicate fields: \(items)")
            }
            try add(item)
        }
    }

    private mutating func add(_ clause: Clause) throws(MLflowError) {
        switch clause.entity {
        case .attribute:
            let attribute = try target.attribute(clause.key)
            let (sql, arguments) = try compare(attribute.column, clause, attribute)
            require(sql, arguments)
        case .dataset: try addDataset(clause)
        case .metric: try addLinked(clause, target.metrics, "metric")
        case .parameter: try addLinked(clause, target.params, "parameter")
        case .tag: try addLinked(clause, target.tags, "tag")
        }
    }

    private mutating func addLinked(
        _ clause: Clause, _ table: SearchTarget.Table?, _ what: String
    ) throws(MLflowError) {
        guard let table else { throw .invalid("Invalid entity type '\(what)': what is searched here has none") }
        let found = "SELECT 1 FROM \(table.name) x WHERE x.\(table.link) = \(target.id) AND x.key = ?"
        if clause.comparator == .isNull || clause.comparator == .isNotNull {
            guard clause.entity != .metric else {
                throw .invalid("IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric'")
            }
            require("\(clause.comparator == .isNull ? "NOT " : "")EXISTS (\(found))", [clause.key])
            return
        }
        let isMetric = clause.entity == .metric
        let (sql, arguments) = try compare("x.value", clause, .init(column: "x.value", isNumeric: isMetric))
        let exists = "EXISTS (\(found)\(isMetric ? " AND x.is_nan = 0" : "") AND \(sql))"
        // Plain models have no such tag, and clients ask for them by what it is not.
        if clause.key == Prompt.tag,
            (clause.comparator == .notEqual && clause.value == .text("true"))
                || (clause.comparator == .equal && clause.value == .text("false"))
        {
            require("(\(exists) OR NOT EXISTS (\(found)))", [clause.key] + arguments + [clause.key])
        } else {
            require(exists, [clause.key] + arguments)
        }
    }

    private mutating func addDataset(_ clause: Clause) throws(MLflowError) {
        guard target.hasDatasets else {
            throw .invalid("Invalid entity type 'dataset': what is searched here has none")
        }
        let attribute = SearchTarget.Attribute(column: "", takesLists: true)
        switch clause.key {
        case "name", "digest":
            let (sql, arguments) = try compare("d.\(clause.key)", clause, attribute)
            require(
                """
                EXISTS (SELECT 1 FROM run_input i JOIN dataset d ON d.id = i.dataset_id
                WHERE i.run_id = \(target.id) AND \(sql))
                """, arguments)
        case "context":
            let (sql, arguments) = try compare("x.value", clause, attribute)
            require(
                """
                EXISTS (SELECT 1 FROM run_input_tag x
                WHERE x.run_id = \(target.id) AND x.key = 'mlflow.data.context' AND \(sql))
                """, arguments)
        default:
            throw .invalid(
                "Invalid dataset key '\(clause.key)' specified. Valid keys are '['name', 'digest', 'context']'")
        }
    }

    private func compare(
        _ column: String, _ clause: Clause, _ attribute: SearchTarget.Attribute
    ) throws(MLflowError) -> (String, StatementArguments) {
        if attribute.isNumeric {
            switch clause.value {
            case .number(let number) where Clause.Comparator.numeric.contains(clause.comparator):
                return ("\(column) \(clause.comparator.rawValue) ?", [number])
            case .list(let items) where attribute.takesLists:
                return try among(column, clause, items)
            case .text(let text) where clause.entity == .attribute && attribute.takesLists:
                // Identifiers that are numbers here are text to clients.
                guard Clause.Comparator.text.contains(clause.comparator) else { throw wrongComparator(clause) }
                return try compare(
                    "CAST(\(column) AS TEXT)",
                    Clause(
                        entity: .attribute, key: clause.key, comparator: clause.comparator, value: .text(text),
                        place: clause.place), .init(column: column))
            case .number, .nothing, .list: throw wrongComparator(clause)
            case .text(let text):
                let what =
                    clause.entity == .metric ? "metric" : "numeric attribute: \(clause.key)"
                throw .invalid(
                    "Expected numeric value type for \(what). Found '\(text)' in the clause at character \(clause.place)"
                )
            }
        }
        switch (clause.comparator, clause.value) {
        case (.equal, .text(let text)): return ("\(column) = ?", [text])
        case (.notEqual, .text(let text)): return ("\(column) <> ?", [text])
        case (.like, .text(let text)): return ("\(column) GLOB ?", [Self.glob(try Self.checked(text))])
        case (.ilike, .text(let text)): return ("\(column) LIKE ?", [try Self.checked(text)])
        case (.isIn, .list(let items)), (.notIn, .list(let items)):
            guard attribute.takesLists else { throw wrongComparator(clause) }
            return try among(column, clause, items)
        case (_, .number(_)):
            throw .invalid(
                "Expected a quoted string value for \(clause.entity.rawValue) (e.g. 'my-value') in the clause at "
                    + "character \(clause.place)")
        default: throw wrongComparator(clause)
        }
    }

    private func among(
        _ column: String, _ clause: Clause, _ items: [String]
    ) throws(MLflowError) -> (String, StatementArguments) {
        guard items.count <= 1_000 else { throw .invalid("A list of a filter holds 1000 values at most") }
        let marks = Array(repeating: "?", count: items.count).joined(separator: ", ")
        return ("\(column) \(clause.comparator.rawValue) (\(marks))", StatementArguments(items))
    }

    private func wrongComparator(_ clause: Clause) -> MLflowError {
        guard clause.comparator != .isNull, clause.comparator != .isNotNull else {
            return .invalid("IS NULL / IS NOT NULL is only supported for tags and params, not for '\(clause.key)'")
        }
        return .invalid(
            "Invalid comparator '\(clause.comparator.rawValue)' for \(clause.entity.rawValue) '\(clause.key)' in the "
                + "clause at character \(clause.place)")
    }

    /// Matching takes the length of the value to the power of the wildcards.
    private static let wildcards = 8

    private static func checked(_ pattern: String) throws(MLflowError) -> String {
        guard pattern.utf8.count(where: { $0 == UInt8(ascii: "%") }) <= wildcards else {
            throw .invalid("A pattern of a filter holds \(wildcards) `%` at most")
        }
        return pattern
    }

    /// SQLite's LIKE looks away from case, its GLOB does not; what is special to one is quoted for the other.
    static func glob(_ pattern: String) -> String {
        var out = ""
        for c in pattern {
            switch c {
            case "%": out += "*"
            case "_": out += "?"
            case "*", "?", "[": out += "[\(c)]"
            default: out.append(c)
            }
        }
        return out
    }

    /// Logged models name fields alone, with `metrics.` before those of metrics.
    mutating func add(loggedModelOrder field: String, isAscending: Bool) throws(MLflowError) {
        let halves = field.split(separator: ".", maxSplits: 1).map(String.init)
        if halves.count == 2, halves[0] == "metrics" || halves[0] == "metric" {
            try add(OrderItem(entity: .metric, key: halves[1], isAscending: isAscending))
        } else {
            guard target.attributes[field] != nil else { throw .invalid("Invalid order by field name: \(field)") }
            try add(OrderItem(entity: .attribute, key: field, isAscending: isAscending))
        }
    }

    private mutating func add(_ item: OrderItem) throws(MLflowError) {
        let direction = item.isAscending ? "ASC" : "DESC"
        func join(_ table: SearchTarget.Table?, _ what: String) throws(MLflowError) -> String {
            guard let table else { throw .invalid("Invalid order_by entity: \(what)") }
            let name = "o\(joins.count)"
            joins.append("LEFT JOIN \(table.name) \(name) ON \(name).\(table.link) = \(target.id) AND \(name).key = ?")
            joinKeys.append(item.key)
            return name
        }
        switch item.entity {
        case .attribute:
            let column = try target.attribute(item.key).column
            order.append("\(column) IS NULL, \(column) \(direction)")
        case .metric where target.metrics?.name == "logged_model_metric":
            // A logged model has a value per run and dataset; its last one counts.
            order.append(
                """
                (SELECT x.value FROM logged_model_metric x WHERE x.model_id = \(target.id) AND x.key = ? AND x.is_nan = 0
                ORDER BY x.timestamp DESC, x.step DESC LIMIT 1) \(direction) NULLS LAST
                """)
            orderArguments += [item.key]
        case .metric:
            if order.isEmpty, target.metrics?.name == "latest_metric" { leadingMetric = (item.key, item.isAscending) }
            let name = try join(target.metrics, "metric")
            order.append(
                "CASE WHEN \(name).key IS NULL THEN 2 WHEN \(name).is_nan THEN 1 ELSE 0 END, \(name).value \(direction)"
            )
        case .parameter:
            let name = try join(target.params, "parameter")
            order.append("\(name).value IS NULL, \(name).value \(direction)")
        case .tag:
            let name = try join(target.tags, "tag")
            order.append("\(name).value IS NULL, \(name).value \(direction)")
        case .dataset: throw .invalid("Invalid order_by entity: dataset")
        }
    }

    /// The row ids of one page, and one more where there are more.
    func ids(_ db: Database, _ page: Page) throws -> [Int64] {
        if let leadingMetric, let ids = try indexed(db, page, leadingMetric) { return ids }
        let sql = """
            SELECT \(target.id) FROM \(target.from) \(joins.joined(separator: " "))
            WHERE \(conditions.isEmpty ? "1" : conditions.joined(separator: " AND "))
            ORDER BY \((order + [target.ties]).joined(separator: ", ")) LIMIT ? OFFSET ?
            """
        // Clients shape this text, and a cache of statements has no end.
        return try Int64.fetchAll(
            db.makeStatement(sql: sql),
            arguments: StatementArguments(joinKeys) + conditionArguments + orderArguments
                + [page.limit + 1, page.offset])
    }

    /// Walks the index of latest metrics in the order asked for. Only runs that have the metric are in it, and they come
    /// first; `nil` where they do not fill the page.
    private func indexed(
        _ db: Database, _ page: Page, _ leading: (key: String, isAscending: Bool)
    ) throws -> [Int64]? {
        guard let metrics = target.metrics else { return nil }
        let rest = order.dropFirst() + [target.ties]
        let sql = """
            SELECT \(target.id) FROM \(metrics.name) o0 CROSS JOIN \(target.from) ON \(target.id) = o0.\(metrics.link)
            \(joins.dropFirst().joined(separator: " "))
            WHERE o0.key = ? AND o0.is_nan = 0 AND \(conditions.isEmpty ? "1" : conditions.joined(separator: " AND "))
            ORDER BY o0.value \(leading.isAscending ? "ASC" : "DESC"), \(rest.joined(separator: ", ")) LIMIT ? OFFSET ?
            """
        let ids = try Int64.fetchAll(
            db.makeStatement(sql: sql),
            arguments: StatementArguments(joinKeys.dropFirst()) + [leading.key] + conditionArguments
                + [page.limit + 1, page.offset])
        return ids.count > page.limit ? ids : nil
    }
}
