import GRDB
import Registry
import Values

extension Endpoint {
    static let experiments: [Endpoint] = [
        Endpoint("POST", "experiments/create", "Creates an experiment") { try await $0.createExperiment($1.fields) },
        Endpoint("GET", "experiments/get", "One experiment") { api, call in
            let id = try Experiment.id(try call.fields.required("experiment_id"))
            return .members(("experiment", try await api.read { try Experiment.view($0, try Experiment.find($0, id)) }))
        },
        Endpoint("GET", "experiments/get-by-name", "One experiment by its name") { api, call in
            let name = try call.fields.required("experiment_name")
            return try await api.read { db in
                guard
                    let row = try Row.fetchOne(db, sql: "SELECT * FROM experiment WHERE name = ?", arguments: [name])
                else { throw MLflowError.missing("Could not find experiment with name '\(name)'") }
                return .members(("experiment", try Experiment.view(db, row)))
            }
        },
        Endpoint("POST", "experiments/search", "Searches experiments", changes: false) {
            try await $0.searchExperiments($1.fields)
        },
        Endpoint("GET", "experiments/search", "Searches experiments") { try await $0.searchExperiments($1.fields) },
        Endpoint("POST", "experiments/update", "Renames an experiment") { api, call in
            let id = try Experiment.id(try call.fields.required("experiment_id"))
            guard let name = try call.fields.text("new_name") else { return [:] }
            try Experiment.check(name: name)
            let now = api.milliseconds
            return try await api.write { db in
                let row = try Experiment.find(db, id)
                guard row["lifecycle"] == "active" else {
                    throw MLflowError(.invalidState, "Cannot rename a non-active experiment.")
                }
                try Experiment.checkFree(name, db, except: id)
                try db.execute(
                    sql: "UPDATE experiment SET name = ?, updated_at = ? WHERE id = ?", arguments: [name, now, id])
                return [:]
            }
        },
        Endpoint("POST", "experiments/delete", "Deletes an experiment; it can be restored") {
            try await $0.setLifecycle($1.fields, to: "deleted")
        },
        Endpoint("POST", "experiments/restore", "Restores a deleted experiment") {
            try await $0.setLifecycle($1.fields, to: "active")
        },
        Endpoint("POST", "experiments/set-experiment-tag", "Sets a tag of an experiment") { api, call in
            let id = try Experiment.id(try call.fields.required("experiment_id"))
            let key = try call.fields.required("key")
            let value = try call.fields.text("value") ?? ""
            try Check.key(key)
            try Check.length(value, Limit.experimentTag, "value")
            return try await api.write { db in
                try Experiment.checkActive(try Experiment.find(db, id))
                try Tags.set(db, "experiment_tag", "experiment_id", id, key, value)
                return [:]
            }
        },
        Endpoint("POST", "experiments/delete-experiment-tag", "Removes a tag of an experiment") { api, call in
            let id = try Experiment.id(try call.fields.required("experiment_id"))
            let key = try call.fields.required("key")
            return try await api.write { db in
                try Experiment.checkActive(try Experiment.find(db, id))
                guard try Tags.remove(db, "experiment_tag", "experiment_id", id, key) else {
                    throw MLflowError.missing("No tag with name: \(key) in experiment with id \(id)")
                }
                return [:]
            }
        },
    ]
}

extension MLflowAPI {
    fileprivate func createExperiment(_ fields: Fields) async throws -> JSON {
        guard let name = try fields.text("name") else { throw Fields.absent("name") }
        try Experiment.check(name: name)
        let location = try fields.text("artifact_location") ?? ""
        try Location.check(location, "artifact_location")
        let tags = try fields.pairs("tags")
        for tag in tags {
            try Check.key(tag.key)
            try Check.length(tag.value, Limit.experimentTag, "value")
        }
        let now = milliseconds
        return try await write { db in
            try Experiment.checkFree(name, db, except: nil)
            try db.execute(
                sql: "INSERT INTO experiment (name, artifact_location, created_at, updated_at) VALUES (?, ?, ?, ?)",
                arguments: [name, location, now, now])
            let id = db.lastInsertedRowID
            if location.isEmpty {
                try db.execute(
                    sql: "UPDATE experiment SET artifact_location = ? WHERE id = ?",
                    arguments: ["\(ArtifactLocation.scheme)/\(id)", id])
            }
            for tag in tags { try Tags.set(db, "experiment_tag", "experiment_id", id, tag.key, tag.value) }
            return .members(("experiment_id", .string(String(id))))
        }
    }

    fileprivate func searchExperiments(_ fields: Fields) async throws -> JSON {
        var query = SearchQuery(.experiments)
        try query.filter(try fields.text("filter"))
        let order = try fields.texts("order_by")
        try query.sort(order.isEmpty ? ["creation_time DESC", "experiment_id DESC"] : order)
        try query.require(view: try fields.text("view_type"), "e.lifecycle")
        let page = try Page(fields, default: 1_000, maximum: 50_000)
        let search = query
        return try await read { db in
            let (ids, next) = page.cut(try search.ids(db, page))
            let found = try ids.map { try Experiment.view(db, try Experiment.find(db, $0)) }
            return .members(("experiments", .array(found)), ("next_page_token", next))
        }
    }

    /// Its runs go and come with it.
    fileprivate func setLifecycle(_ fields: Fields, to lifecycle: String) async throws -> JSON {
        let id = try Experiment.id(try fields.required("experiment_id"))
        let now = milliseconds
        return try await write { db in
            let row = try Experiment.find(db, id)
            guard row["lifecycle"] != lifecycle else {
                let state = lifecycle == "active" ? "deleted" : "active"
                throw MLflowError.missing("No Experiment with id=\(id) in the \(state) state exists")
            }
            if lifecycle == "deleted" { try Experiment.checkServesNothing(db, id) }
            try db.execute(
                sql: "UPDATE experiment SET lifecycle = ?, updated_at = ? WHERE id = ?",
                arguments: [lifecycle, now, id])
            try db.execute(
                sql: "UPDATE run SET lifecycle = ?, deleted_at = ? WHERE experiment_id = ?",
                arguments: [lifecycle, lifecycle == "deleted" ? now : nil, id])
            return [:]
        }
    }
}

/// Rows of `experiment`.
enum Experiment {
    static func id(_ text: String) throws(MLflowError) -> Int64 {
        guard let id = Int64(text) else {
            throw .invalid("Invalid experiment ID '\(text)'. Experiment ID must be a valid integer.")
        }
        return id
    }

    /// Its runs would go with it, and those that champions were made from stay.
    static func checkServesNothing(_ db: Database, _ id: Int64) throws {
        let serving = try Registry.servingVersions(db, from: .experiment(id))
        guard serving.isEmpty else {
            throw MLflowError.invalid(
                "The experiment \(id) cannot be deleted: \(serving.joined(separator: ", ")) was made in it and is kept to "
                    + "serve. Promote other versions first.")
        }
    }

    static func check(name: String) throws(MLflowError) {
        guard !name.isEmpty else { throw .invalid("Invalid experiment name: ''") }
        try Check.length(name, Limit.experimentName, "name")
    }

    static func checkFree(_ name: String, _ db: Database, except id: Int64?) throws {
        let taken = try Row.fetchOne(
            db, sql: "SELECT id, lifecycle FROM experiment WHERE name = ?", arguments: [name])
        guard let taken, taken["id"] != id else { return }
        throw MLflowError(
            .resourceAlreadyExists,
            "Experiment(name=\(name)) already exists."
                + (taken["lifecycle"] == "deleted"
                    ? " It is in deleted state: restore it, or delete it for good to create a new one." : ""))
    }

    static func checkActive(_ row: Row) throws(MLflowError) {
        guard row["lifecycle"] == "active" else {
            let (id, state): (Int64, String) = (row["id"], row["lifecycle"])
            throw .invalid(
                "The experiment \(id) must be in the 'active' state. Current state is \(state).")
        }
    }

    static func find(_ db: Database, _ id: Int64) throws -> Row {
        guard
            let row = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT * FROM experiment WHERE id = ?"), arguments: [id])
        else { throw MLflowError.missing("No Experiment with id=\(id) exists") }
        return row
    }

    static func view(_ db: Database, _ row: Row) throws -> JSON {
        let id: Int64 = row["id"]
        let tags = try Tags.view(db, "experiment_tag", "experiment_id", id)
        return .members(
            ("experiment_id", .string(String(id))), ("name", .string(row["name"])),
            ("artifact_location", .string(row["artifact_location"])), ("lifecycle_stage", .string(row["lifecycle"])),
            ("last_update_time", .integer(row["updated_at"])), ("creation_time", .integer(row["created_at"])),
            ("tags", tags))
    }
}

extension SearchQuery {
    /// Active ones unless told otherwise.
    mutating func require(view: String?, _ column: String) throws(MLflowError) {
        switch view {
        case nil, "ACTIVE_ONLY", "": require("\(column) = 'active'")
        case "DELETED_ONLY": require("\(column) = 'deleted'")
        case "ALL": break
        case .some(let other): throw .invalid("Invalid view type '\(other)': use ACTIVE_ONLY, DELETED_ONLY or ALL")
        }
    }
}

/// Tables of keys and values.
enum Tags {
    static func set(
        _ db: Database, _ table: String, _ link: String, _ id: Int64, _ key: String, _ value: String
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO \(table) (\(link), key, value) VALUES (?, ?, ?)
                ON CONFLICT (\(link), key) DO UPDATE SET value = excluded.value
                """
        ).execute(arguments: [id, key, value])
    }

    /// `false` where there was none.
    static func remove(_ db: Database, _ table: String, _ link: String, _ id: Int64, _ key: String) throws -> Bool {
        try db.execute(sql: "DELETE FROM \(table) WHERE \(link) = ? AND key = ?", arguments: [id, key])
        return db.changesCount > 0
    }

    /// `[{key, value}]`, `nil` where there are none: MLflow leaves empty lists out.
    static func view(_ db: Database, _ table: String, _ link: String, _ id: Int64) throws -> JSON? {
        let statement = try db.cachedStatement(sql: "SELECT key, value FROM \(table) WHERE \(link) = ? ORDER BY key")
        let rows = try Row.fetchCursor(statement, arguments: [id])
        var items: [JSON] = []
        while let row = try rows.next() {
            items.append(.members(("key", .string(row[0])), ("value", .string(row[1]))))
        }
        return items.isEmpty ? nil : .array(items)
    }
}

/// Addresses of artifacts that clients choose.
enum Location {
    /// What a client says where its things are is text that nothing here ever opens; still, an address of this machine's
    /// own files is refused, so that no program that reads it is tempted.
    static func check(_ text: String, _ what: String) throws(MLflowError) {
        guard !text.isEmpty else { return }
        try Check.length(text, 2_048, what)
        let lowered = text.lowercased()
        guard !lowered.hasPrefix("runs:") else {
            throw .invalid("Artifact location cannot be a runs:/ URI. Given: '\(text)'")
        }
        try ArtifactPath.checkAddress(text, what)
    }
}
