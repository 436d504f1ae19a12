import HTTPTypes
import Hummingbird
import MLflow
import Registry

/// The pages that the links lead to which MLflow's client prints.
extension Routes {
    static func tracking(_ backend: Backend) -> [Route] {
        let registry = [
            page("/registry", "The registered models") { _ in
                .html(try await RegistryPages.models(backend.registry))
            },
            page("/registry/{model}", "The versions of a registered model") { call in
                .html(try await RegistryPages.model(try call.named("model"), backend.registry))
            },
        ]
        guard let api = backend.mlflow else { return registry }
        func tracked(
            _ path: String, _ summary: String, _ body: @escaping @Sendable (Call) async throws -> Response
        ) -> Route {
            page(path, summary) { call in try await answering(call, backend) { try await body(call) } }
        }
        return registry + [
            tracked("/experiments", "All experiments") { call in
                .html(try await ExperimentsPage(token: call.query["page_token"] ?? "", api).document)
            },
            tracked("/experiments/{id}", "An experiment and its runs, in the order that the query names") { call in
                let query = call.query
                let page = try await ExperimentPage(
                    try call.named("id"), order: query["order"] ?? "", filter: query["filter"] ?? "",
                    token: query["page_token"] ?? "", api)
                return .html(page.document)
            },
            tracked("/runs/{run}", "A run: its metrics, params, artifacts and what came of it") { call in
                .html(try await RunPage(try call.named("run"), path: call.query["path"] ?? "", api).document)
            },
            tracked("/logged-models/{id}", "Leads to the run that made a logged model") { call in
                let run = try await api.run(ofLoggedModel: try call.named("id"))
                return Response(
                    status: .seeOther, headers: [.location: run.map { RunPage.address($0) } ?? "/experiments"])
            },
        ]
    }

    private static func page(
        _ path: String, _ summary: String, _ handle: @escaping @Sendable (Call) async throws -> Response
    ) -> Route {
        Route(
            method: .get, path: path, summary: summary,
            answers: [
                .init(status: 200, about: "A page", type: "text/html"), .init(status: 404, about: "It is not there"),
            ], handle: handle)
    }
}
