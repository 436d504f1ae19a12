package import Values

/// A reference that moves with the stream: the model's own past, in the bins of its reference file.
package enum MovingReference: Sendable, Hashable {
    /// Everything of this long before the window.
    case rolling(Span)
    /// The same hours of earlier weeks; where those are too thin the same hours of weekdays or of weekends, then of all days,
    /// then everything.
    case seasonal(over: Span)
    /// What the version before the newest one saw.
    case previousVersion(over: Span)

    /// How far back it looks.
    package var span: Span {
        switch self {
        case .rolling(let span), .seasonal(let span), .previousVersion(let span): span
        }
    }

    /// What rules and files call it: the value of the label `reference`.
    package var name: String {
        switch self {
        case .rolling: "rolling"
        case .seasonal: "seasonal"
        case .previousVersion: "previous"
        }
    }

    /// As people read it.
    package var inWords: String {
        switch self {
        case .rolling(let span): "the \(span) before"
        case .seasonal(let span): "the same hours of the week over \(span)"
        case .previousVersion(let span): "the previous version over \(span)"
        }
    }
}
