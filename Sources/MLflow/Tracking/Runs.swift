import GRDB
import Registry
import Values

extension Endpoint {
    static let runs: [Endpoint] = [
        .encoding("POST", "runs/create", "Starts a run") { try await $0.createRun($1.fields, actor: $1.actor) },
        .encoding("GET", "runs/get", "One run with its latest metrics, params and tags") { api, call in
            let uuid = try Run.uuid(call.fields)
            return try await api.read { try Run.answer($0, try Run.find($0, uuid)["id"]) }
        },
        .encoding("POST", "runs/update", "Changes state, end or name of a run") { try await $0.updateRun($1.fields) },
        Endpoint("POST", "runs/delete", "Deletes a run; it can be restored") { api, call in
            let uuid = try Run.uuid(call.fields)
            let now = api.milliseconds
            return try await api.write { db in
                let id = try Run.find(db, uuid)["id"] as Int64
                let serving = try Registry.servingVersions(db, from: .run(uuid))
                guard serving.isEmpty else {
                    throw MLflowError.invalid(
                        "The run \(uuid) cannot be deleted: \(serving.joined(separator: ", ")) was made from it and is "
                            + "kept to serve. Promote other versions first.")
                }
                try db.execute(
                    sql: "UPDATE run SET lifecycle = 'deleted', deleted_at = ? WHERE id = ?", arguments: [now, id])
                return [:]
            }
        },
        Endpoint("POST", "runs/restore", "Restores a deleted run") { api, call in
            let uuid = try Run.uuid(call.fields)
            return try await api.write { db in
                let id = try Run.find(db, uuid)["id"] as Int64
                try db.execute(
                    sql: "UPDATE run SET lifecycle = 'active', deleted_at = NULL WHERE id = ?", arguments: [id])
                return [:]
            }
        },
        .encoding("POST", "runs/search", "Searches runs", changes: false) { try await $0.searchRuns($1.fields) },
    ]
}

extension MLflowAPI {
    fileprivate func createRun(_ fields: Fields, actor: String) async throws -> Answer {
        let experiment = try Experiment.id(try fields.text("experiment_id").flatMap { $0.isEmpty ? nil : $0 } ?? "0")
        let user = try fields.text("user_id") ?? ""
        let start = try fields.whole("start_time")
        var tags = try fields.pairs("tags")
        var name = try fields.text("run_name") ?? ""
        let tagged = tags.last { $0.key == "mlflow.runName" }?.value
        if let tagged, !name.isEmpty, tagged != name {
            throw MLflowError.invalid(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
                    + "(run_name='\(name)', mlflow.runName='\(tagged)').")
        }
        let uuid = newID()
        if name.isEmpty { name = tagged ?? RunName.make(from: uuid) }
        if tagged == nil { tags.append(("mlflow.runName", name)) }
        for tag in tags { try Check.key(tag.key) }
        let (runName, runTags) = (name, tags)
        return try await write { db in
            let row = try Experiment.find(db, experiment)
            try Experiment.checkActive(row)
            let location: String = row["artifact_location"]
            try db.cachedStatement(
                sql: """
                    INSERT INTO run (uuid, experiment_id, name, user_id, status, start_time, artifact_uri)
                    VALUES (?, ?, ?, ?, 'RUNNING', ?, ?)
                    """
            ).execute(
                arguments: [
                    uuid, experiment, runName, user, start,
                    ArtifactLocation.appending("\(uuid)/artifacts", to: location),
                ])
            let id = db.lastInsertedRowID
            for tag in runTags {
                try Tags.set(db, "run_tag", "run_id", id, tag.key, Check.cut(tag.value, Limit.tag))
            }
            return try Run.answer(db, id)
        }
    }

    fileprivate func updateRun(_ fields: Fields) async throws -> Answer {
        let uuid = try Run.uuid(fields)
        let status = try fields.text("status").flatMap { $0.isEmpty ? nil : $0 }
        if let status, !Run.statuses.contains(status) {
            throw MLflowError.invalid("Invalid value \"\(status)\" for parameter 'status' supplied.")
        }
        let end = try fields.whole("end_time")
        let name = try fields.text("run_name").flatMap { $0.isEmpty ? nil : $0 }
        return try await write { db in
            let id = try Run.active(db, uuid)
            try db.execute(
                sql: """
                    UPDATE run SET status = COALESCE(?, status), end_time = COALESCE(?, end_time),
                    name = COALESCE(?, name) WHERE id = ?
                    """, arguments: [status, end, name, id])
            if let name { try Tags.set(db, "run_tag", "run_id", id, "mlflow.runName", Check.cut(name, Limit.tag)) }
            return try Answer { json in
                json.key("run_info")
                try Run.writeInfo(db, id, into: &json)
            }
        }
    }

    fileprivate func searchRuns(_ fields: Fields) async throws -> Answer {
        var query = SearchQuery(.runs)
        try query.require(experiments: try fields.texts("experiment_ids"), "r.experiment_id")
        try query.filter(try fields.text("filter"))
        try query.sort(try fields.texts("order_by"))
        try query.require(view: try fields.text("run_view_type"), "r.lifecycle")
        let page = try Page(fields, default: 1_000, maximum: 50_000)
        let search = query
        return try await read { db in
            let (ids, next) = page.cut(try search.ids(db, page))
            return try Answer { json in
                if !ids.isEmpty {
                    json.key("runs")
                    try json.array { json in
                        for id in ids { try Run.write(db, id, into: &json) }
                    }
                }
                if let next {
                    json.key("next_page_token")
                    json.value(next)
                }
            }
        }
    }
}

extension SearchQuery {
    /// Nothing is found in no experiment.
    mutating func require(experiments: [String], _ column: String) throws(MLflowError) {
        guard experiments.count <= 10_000 else {
            throw .invalid("More than 10000 experiments cannot be searched at once")
        }
        var ids: [Int64] = []
        for text in experiments { ids.append(try Experiment.id(text)) }
        if ids.count == 1 {
            require("\(column) = ?", [ids[0]])
        } else {
            let marks = Array(repeating: "?", count: ids.count).joined(separator: ", ")
            require("\(column) IN (\(marks))", StatementArguments(ids))
        }
    }
}

/// Names for runs that were given none, made from their id.
enum RunName {
    private static let first = [
        "able", "bold", "brisk", "calm", "clever", "crisp", "eager", "fair", "gentle", "glad", "keen", "kind", "lively",
        "lucky", "merry", "neat", "nimble", "proud", "quick", "quiet", "rare", "sharp", "steady", "sunny", "swift",
        "tidy", "upbeat", "vivid", "warm", "wise", "witty", "young",
    ]
    private static let second = [
        "ant", "bat", "bear", "bee", "bird", "cod", "crane", "crow", "deer", "dove", "elk", "finch", "fox", "frog",
        "goat", "hare", "hawk", "heron", "ibex", "jay", "koala", "lark", "lynx", "mole", "moth", "newt", "otter", "owl",
        "panda", "seal", "swan", "wren",
    ]

    static func make(from uuid: String) -> String {
        let number = Int(uuid.prefix(6), radix: 16) ?? 0
        return "\(first[number % 32])-\(second[(number / 32) % 32])-\((number / 1_024) % 1_000)"
    }
}
