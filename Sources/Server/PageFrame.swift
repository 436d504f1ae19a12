import Mustache

/// What every page is written in: one head, one bar, one place for what it shows.
enum PageFrame {
    /// A link in the bar.
    struct Link: Sendable {
        let text: String
        let href: String
    }

    /// A page under the bar, around its content, which is markup made in this module.
    ///
    /// - Parameter kind: classes of the style sheet for the content: `one` for a single column, `tracking` for tables.
    static func page(_ title: String, kind: String = "", links: [Link], content: String) -> String {
        var dots: [[String: Any]] = links.map { ["text": $0.text, "href": $0.href, "more": true] }
        if !dots.isEmpty { dots[dots.count - 1]["more"] = false }
        let values: [String: Any] = ["links": dots, "kind": kind, "content": content]
        return document(title, body: underBar.render(values))
    }

    /// A page with a bar of its own, which its script keeps up to date; without scripts it is loaded anew.
    static func document(_ title: String, body: String, script: String? = nil) -> String {
        var values: [String: Any] = ["title": title, "style": PageStyle.text, "body": body]
        values["script"] = script
        return whole.render(values)
    }

    private static let whole = Markup.template(
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{{title}}</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml">
        {{#script}}<noscript><meta http-equiv="refresh" content="10"></noscript>
        {{/script}}<style>{{{style}}}</style>
        </head>
        <body>
        {{{body}}}
        {{#script}}<script>{{{.}}}</script>
        {{/script}}</body>
        </html>
        """)

    private static let underBar = Markup.template(
        """
        <header class="top"><div class="wide">
        \(brand)
        <nav class="now">{{#links}}<a href="{{href}}">{{text}}</a>{{#more}} · {{/more}}{{/links}}</nav>
        </div></header>
        <main class="wide {{kind}}">
        {{{content}}}
        </main>
        """)

    /// The name at the left of the bar.
    static let brand =
        #"<a class="brand" href="/"><img src="/favicon.svg" alt="" width="26" height="26"><b>Holdfast</b></a>"#
}
