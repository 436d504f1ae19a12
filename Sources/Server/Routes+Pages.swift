import HTTPTypes
import Hummingbird

/// What people open in a browser.
extension Routes {
    static func pages(_ backend: Backend) -> [Route] {
        [
            Route(
                method: .get, path: "/", summary: "The dashboard",
                answers: [.init(status: 200, about: "A page", type: "text/html")]
            ) { _ in .html(await Page(backend).document) },
            Route(
                method: .get, path: "/fragment", summary: "The part of the dashboard that changes",
                answers: [.init(status: 200, about: "A part of a page", type: "text/html")]
            ) { _ in .html(await Page(backend).fragment) },
            Route(
                method: .get, path: "/models/{model}", summary: "The page of one model",
                answers: [
                    .init(status: 200, about: "A page", type: "text/html"), .init(status: 404, about: "No such model"),
                ]
            ) { call in .html(await ModelPage(try await watched(call, backend), backend).document) },
            Route(
                method: .get, path: "/models/{model}/alerts/{fingerprint}",
                summary: "The page of one alert, as its notifications link to it",
                answers: [
                    .init(status: 200, about: "A page", type: "text/html"), .init(status: 404, about: "No such alert"),
                ]
            ) { call in
                .html(try AlertPage(await history(call, backend)).orNotFound(call).document)
            },
            Route(
                method: .get, path: "/models/{model}/alerts/{fingerprint}/picture.svg",
                summary: "One alert as a picture that needs nothing else",
                answers: [
                    .init(status: 200, about: "An image", type: ContentType.svg),
                    .init(status: 404, about: "No such alert"),
                ]
            ) { call in
                let picture = try AlertPicture(await history(call, backend)).orNotFound(call)
                return Response(picture.svg.utf8, type: ContentType.svg)
            },
            Route(
                method: .get, path: "/favicon.svg", summary: "The icon of the dashboard",
                answers: [.init(status: 200, about: "An image", type: ContentType.svg)]
            ) { _ in
                var response = Response(PageAssets.icon.utf8, type: ContentType.svg)
                response.headers[.cacheControl] = "max-age=86400"
                return response
            },
        ]
    }

    private static func history(_ call: Call, _ backend: Backend) async throws -> AlertHistory {
        let history = try await backend.service.alert(
            model: try call.named("model"), fingerprint: try call.named("fingerprint"))
        return try history.orNotFound(call)
    }
}

extension Optional {
    /// What a request for one alert asked for.
    fileprivate func orNotFound(_ call: Call) throws -> Wrapped {
        guard let self else {
            throw Failure(
                .notFound, "not_found",
                "no alert '\(try call.named("fingerprint"))' of model '\(try call.named("model"))': "
                    + "it may be older than the retention")
        }
        return self
    }
}
