import Events
import Mustache
import Values

/// What the pages of experiments, runs and models have in common: how they are written, and small things they show.
enum TrackingView {
    /// A name with what is said of it.
    struct Fact: Sendable {
        let name: String
        let value: String
        var href: String?
    }

    /// A page around its content, which is markup made here.
    static func page(_ title: String, _ content: String) -> String {
        PageFrame.page("\(title) · Holdfast", kind: "tracking", links: links, content: content)
    }

    /// Milliseconds since 1970, as MLflow counts.
    static func time(_ milliseconds: JSON?) -> Timestamp? {
        guard let value = milliseconds?.integerValue, (1...253_402_300_799_000).contains(value) else { return nil }
        return Timestamp(microseconds: value * 1_000)
    }

    static func duration(_ start: Timestamp?, _ end: Timestamp?) -> String? {
        guard let start, let end, end >= start else { return nil }
        let span = end - start
        return span < .seconds(1) ? "\(span.microseconds / 1_000) ms" : Format.duration(span)
    }

    /// A class of the style sheet for a run's state.
    static func kind(ofStatus status: String) -> String {
        switch status {
        case "FINISHED": "champion"
        case "FAILED", "KILLED": "quarantined"
        default: ""
        }
    }

    /// What nobody reads to its end on a page is cut.
    static func cut(_ text: String, _ maximum: Int = 400) -> String {
        text.unicodeScalars.count <= maximum
            ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(maximum))) + "…"
    }

    /// `[{key, value}]` as MLflow writes params and tags.
    static func pairs(_ json: JSON?) -> [Fact] {
        (json?.arrayValue ?? []).map { pair in
            Fact(name: pair["key"]?.stringValue ?? "", value: cut(pair["value"]?.stringValue ?? ""))
        }
    }

    private static let links = [
        PageFrame.Link(text: "dashboard", href: "/"), .init(text: "experiments", href: "/experiments"),
        .init(text: "registry", href: "/registry"),
    ]
}
