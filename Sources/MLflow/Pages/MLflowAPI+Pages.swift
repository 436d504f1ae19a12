import Events
package import Values

/// What pages show of tracking: the answers that clients get, and what only pages want.
extension MLflowAPI {
    /// Asks one of the endpoints by its method and the end of its path, as a client would with this query.
    package func ask(_ method: String, _ path: String, _ query: [(name: String, value: String)]) async throws -> JSON {
        guard let endpoint = Endpoint.all.first(where: { $0.method == method && $0.path == "/api/2.0/mlflow/" + path })
        else { throw MLflowError(.endpointNotFound, "there is no endpoint \(method) \(path)") }
        let answer = try await answer(
            endpoint, MLflowCall(fields: try Fields(body: nil, query: query), actor: "page", mayPromote: false))
        guard let json = try? JSON(parsing: answer.bytes) else {
            throw MLflowError(.internalError, "the answer of \(path) is no JSON")
        }
        return json
    }
}
