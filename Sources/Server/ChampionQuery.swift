import Values

/// What a reader of `GET /v1/models/{m}/champion` asks for.
///
/// Without `wait` it is answered at once: 200, or 304 where `If-None-Match` names the present sequence. With `wait` it
/// is answered as soon as the sequence is above a base: `after`, else the number in `If-None-Match`, else the one at
/// the time of asking. Where nothing changed in time: 304 to `If-None-Match`, 204 otherwise.
struct ChampionQuery: Hashable, Sendable {
    /// Longer waits are cut to this; proxies end silent connections at about that time.
    static let waitMaximum = Span.seconds(60)

    let wait: Span?
    let after: Int64?
    /// The sequences in `If-None-Match`.
    let known: [Int64]

    init(_ query: Query, ifNoneMatch: String?) throws(Failure) {
        if let text = query["wait"] {
            guard
                let wait = Span(parsing: text)
                    ?? Int64(text).flatMap({ (0...86_400).contains($0) ? .seconds($0) : nil })
            else { throw .invalid("parameter 'wait' is '\(text)': give a duration such as 30s, at most 60s") }
            self.wait = min(wait, Self.waitMaximum)
        } else {
            wait = nil
        }
        if let text = query["after"] {
            guard let after = Int64(text), after >= 0 else {
                throw .invalid("parameter 'after' is '\(text)': give the sequence of the last answer")
            }
            guard wait != nil else {
                throw .invalid("parameter 'after' needs 'wait': add wait=30s, or leave it out")
            }
            self.after = after
        } else {
            after = nil
        }
        known = (ifNoneMatch ?? "").split(separator: ",").compactMap { EntityTag.text($0).flatMap { Int64($0) } }
    }
}
