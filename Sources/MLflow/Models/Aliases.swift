import GRDB
import Registry
import Values

extension Endpoint {
    static let aliases: [Endpoint] = [
        .comparing(
            "POST", "registered-models/alias", "Points an alias at a version", refusal: .permissionDenied
        ) { api, call in
            let name = try call.fields.required("name")
            let alias = try call.fields.required("alias")
            try Check.alias(alias)
            try Check.aliasIsFree(alias)
            let label = try await api.label(name, try call.fields.required("version"))
            let sequence = try await api.registry.pointAlias(
                model: name, alias: alias, version: label, expecting: call.expecting, mayPromote: call.mayPromote,
                actor: call.actor, reason: "alias set by an MLflow client", at: api.now())
            return Answer([:], tag: String(sequence))
        },
        .comparing("GET", "registered-models/alias", "The version an alias points at") { api, call in
            let name = try call.fields.required("name")
            let alias = try call.fields.required("alias")
            return try await api.repeatedAnswer("alias\n\(name)\n\(alias)") { db in
                let row = try Row.fetchOne(
                    db.cachedStatement(
                        sql: """
                            SELECT v.*, m.name AS model, a.seq AS moved FROM registered_model m
                            JOIN alias a ON a.model_id = m.id JOIN model_version v ON v.id = a.version_id
                            WHERE m.name = ? AND a.alias = ?
                            """), arguments: [name, alias])
                guard let row else {
                    _ = try RegisteredModelRow.find(db, name)
                    if alias.lowercased() == "latest",
                        let newest = try ModelVersionRow.newest(db, RegisteredModelRow.find(db, name)["id"])
                    {
                        return Answer(
                            .members(("model_version", try ModelVersionRow.view(db, newest, withAliases: true))))
                    }
                    throw MLflowError.invalid("Registered model alias \(alias) not found.")
                }
                return Answer(
                    .members(("model_version", try ModelVersionRow.view(db, row, withAliases: true))),
                    sequence: row["moved"])
            }
        },
        .comparing(
            "DELETE", "registered-models/alias", "Removes an alias", refusal: .permissionDenied
        ) { api, call in
            let name = try call.fields.required("name")
            let alias = try call.fields.required("alias")
            try Check.alias(alias)
            _ = try await api.read { try RegisteredModelRow.find($0, name)["id"] as Int64 }
            if (try? Check.aliasIsFree(alias)) == nil { return Answer([:]) }
            try await api.registry.dropAlias(
                model: name, alias: alias, expecting: call.expecting, actor: call.actor, at: api.now())
            return Answer([:])
        },
    ]
}
