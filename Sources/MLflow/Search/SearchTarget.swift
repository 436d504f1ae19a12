/// What a search goes over, in SQL: the columns that attributes are, and the tables of its tags, params and metrics.
///
/// Everything here is a constant of the program. What clients send goes into statements as arguments only.
struct SearchTarget: Sendable {
    struct Attribute: Sendable {
        let column: String
        var isNumeric = false
        var takesLists = false
    }

    /// `table.key`, `table.value` by `table.link` = `id`.
    struct Table: Sendable {
        let name: String
        let link: String
    }

    /// With its alias: `run r`.
    let from: String
    /// The row id that the tables link to.
    let id: String
    let attributes: [String: Attribute]
    var tags: Table?
    var params: Table?
    var metrics: Table?
    var hasDatasets = false
    /// The attributes an order may name; all where `nil`.
    var orderable: Set<String>?
    /// What breaks ties at the end of every order.
    let ties: String

    static let runs = SearchTarget(
        from: "run r", id: "r.id",
        attributes: [
            "run_id": Attribute(column: "r.uuid", takesLists: true), "run_uuid": Attribute(column: "r.uuid"),
            "run_name": Attribute(column: "r.name", takesLists: true), "run name": Attribute(column: "r.name"),
            "Run name": Attribute(column: "r.name"), "Run Name": Attribute(column: "r.name"),
            "status": Attribute(column: "r.status", takesLists: true),
            "user_id": Attribute(column: "r.user_id", takesLists: true),
            "User": Attribute(column: "r.user_id"), "user": Attribute(column: "r.user_id"),
            "artifact_uri": Attribute(column: "r.artifact_uri", takesLists: true),
            "start_time": Attribute(column: "r.start_time", isNumeric: true),
            "created": Attribute(column: "r.start_time", isNumeric: true),
            "Created": Attribute(column: "r.start_time", isNumeric: true),
            "Start Time": Attribute(column: "r.start_time", isNumeric: true),
            "end_time": Attribute(column: "r.end_time", isNumeric: true),
        ],
        tags: Table(name: "run_tag", link: "run_id"), params: Table(name: "param", link: "run_id"),
        metrics: Table(name: "latest_metric", link: "run_id"), hasDatasets: true, ties: "r.start_time DESC, r.uuid")

    static let experiments = SearchTarget(
        from: "experiment e", id: "e.id",
        attributes: [
            "name": Attribute(column: "e.name"),
            "experiment_id": Attribute(column: "e.id", isNumeric: true, takesLists: true),
            "creation_time": Attribute(column: "e.created_at", isNumeric: true),
            "last_update_time": Attribute(column: "e.updated_at", isNumeric: true),
        ],
        tags: Table(name: "experiment_tag", link: "experiment_id"), ties: "e.id")

    static let models = SearchTarget(
        from: "registered_model m", id: "m.id",
        attributes: [
            "name": Attribute(column: "m.name"),
            "creation_timestamp": Attribute(column: "m.created_at / 1000", isNumeric: true),
            "last_updated_timestamp": Attribute(column: "m.updated_at / 1000", isNumeric: true),
            "timestamp": Attribute(column: "m.updated_at / 1000", isNumeric: true),
        ],
        tags: Table(name: "registered_model_tag", link: "model_id"), ties: "m.name")

    static let versions = SearchTarget(
        from: "model_version v JOIN registered_model m ON m.id = v.model_id", id: "v.id",
        attributes: [
            "name": Attribute(column: "m.name"),
            "version_number": Attribute(column: "v.number", isNumeric: true),
            "run_id": Attribute(column: "v.run_id", takesLists: true),
            "source_path": Attribute(column: "v.source"),
            "creation_timestamp": Attribute(column: "v.created_at / 1000", isNumeric: true),
            "last_updated_timestamp": Attribute(column: "v.updated_at / 1000", isNumeric: true),
        ],
        tags: Table(name: "model_version_tag", link: "version_id"), ties: "m.name, v.number DESC")

    static let loggedModels = SearchTarget(
        from: "logged_model l", id: "l.id",
        attributes: [
            "name": Attribute(column: "l.name", takesLists: true),
            "model_id": Attribute(column: "l.uuid", takesLists: true),
            "model_type": Attribute(column: "l.model_type", takesLists: true),
            "status": Attribute(column: "l.status", takesLists: true),
            "source_run_id": Attribute(column: "l.source_run_id", takesLists: true),
            "experiment_id": Attribute(column: "CAST(l.experiment_id AS TEXT)", takesLists: true),
            "creation_timestamp": Attribute(column: "l.created_at", isNumeric: true),
            "creation_time": Attribute(column: "l.created_at", isNumeric: true),
            "last_updated_timestamp": Attribute(column: "l.updated_at", isNumeric: true),
            "last_updated_time": Attribute(column: "l.updated_at", isNumeric: true),
        ],
        tags: Table(name: "logged_model_tag", link: "model_id"),
        params: Table(name: "logged_model_param", link: "model_id"),
        metrics: Table(name: "logged_model_metric", link: "model_id"), ties: "l.created_at DESC, l.uuid")

    func attribute(_ key: String) throws(MLflowError) -> Attribute {
        if let attribute = attributes[key] { return attribute }
        throw .invalid(
            "Invalid attribute key '\(key)' specified. Valid keys are '\(attributes.keys.sorted())'")
    }
}
