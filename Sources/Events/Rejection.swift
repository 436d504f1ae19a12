import Values

/// Why an event could not be used. The raw value is the `reason` of `holdfast_rejected_total` and of dead letters.
package enum RejectReason: String, CaseIterable, Sendable {
    case empty
    case tooLarge = "too_large"
    case malformed = "malformed_json"
    /// The data are not what their Avro schema says.
    case malformedAvro = "malformed_avro"
    /// The message has no Confluent frame, where its topic's format asks for one.
    case notFramed = "not_framed"
    /// The writer's schema cannot be read, or cannot carry events.
    case badSchema = "bad_schema"
    case notAnObject = "not_an_object"
    case noModel = "no_model"
    case unknownModel = "unknown_model"
    case unknownType = "unknown_type"
    case noTimestamp = "no_timestamp"
    case badTimestamp = "bad_timestamp"
    case future = "future_timestamp"
    case badField = "bad_field"
    /// The label is nothing that a label of the model can be.
    case badLabel = "bad_label"
    case noPrediction = "no_prediction"
    case noID = "no_id"
}

/// One refused event or message.
package struct Rejection: Sendable {
    package let reason: RejectReason
    /// What was wrong, with the byte it was found at where that says something: for the dead letter's header.
    package let detail: String
    /// Which part of the message: all of it, or one event of several.
    package let range: Range<Int>
    /// Number of the event within its message, from 0.
    package let index: Int

    package init(reason: RejectReason, detail: String, range: Range<Int>, index: Int) {
        self.reason = reason
        self.detail = detail
        self.range = range
        self.index = index
    }
}

/// How far ahead of the clock event time may run; later events are quarantined, so that one bad clock cannot close windows.
package struct FutureTolerance: Sendable {
    let span: Span
    let words: String

    package static let live = FutureTolerance(span: .minutes(10), words: "10 minutes")
    /// Of files, which may hold what is only planned, or made up.
    package static let replay = FutureTolerance(span: .days(366), words: "a year")
}

/// The kinds of event, as `holdfast_events_total` names them.
package enum EventKind: Int, CaseIterable, Sendable {
    case prediction, label, features

    package var name: String { String(describing: self) }
}

/// What a topic's configuration says of events that do not say it themselves.
package struct TopicDefaults: Sendable {
    package let model: String?
    package let version: String?

    package init(model: String? = nil, version: String? = nil) {
        self.model = model
        self.version = version
    }
}
