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
                method: .get, path: "/favicon.svg", summary: "The icon of the dashboard",
                answers: [.init(status: 200, about: "An image", type: ContentType.svg)]
            ) { _ in
                var response = Response(PageAssets.icon.utf8, type: ContentType.svg)
                response.headers[.cacheControl] = "max-age=86400"
                return response
            },
        ]
    }
}
