package import Values

/// One transition of one alert instance, complete: what `alerts.jsonl`, receivers and the API show.
package struct Alert: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable, Codable {
        case pending, firing, resolved
    }

    package var status: Status
    /// Event time of the transition: the end of the window that caused it.
    package var at: Timestamp
    /// Identity: `alertname`, `model`, `column`, segment dimensions, the rule's labels.
    package var labels: [String: String]
    package var annotations: [String: String]
    /// When the condition began to hold (pending), in event time.
    package var startsAt: Timestamp
    /// Only when resolved.
    package var endsAt: Timestamp?
    /// 16 hexadecimal digits of the labels.
    package var fingerprint: String
    package var segment: Segment
    /// Evidence, as rules.md section 3 describes it.
    package var context: JSON
    /// Counts the transitions and updates of this instance since it started; receivers drop lower ones.
    package var revision: Int

    package var model: String
    package var group: String
    package var rule: String
    /// Receivers by name; `nil` means every receiver.
    package var notify: [String]?
    /// What to do beyond telling people, when firing.
    package var actions: [ActionRequest]

    package init(
        status: Status, at: Timestamp, labels: [String: String], annotations: [String: String], startsAt: Timestamp,
        endsAt: Timestamp?, fingerprint: String, segment: Segment, context: JSON, revision: Int, model: String,
        group: String, rule: String, notify: [String]?, actions: [ActionRequest]
    ) {
        self.status = status
        self.at = at
        self.labels = labels
        self.annotations = annotations
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.fingerprint = fingerprint
        self.segment = segment
        self.context = context
        self.revision = revision
        self.model = model
        self.group = group
        self.rule = rule
        self.notify = notify
        self.actions = actions
    }

    /// The line of `alerts.jsonl`.
    package var json: JSON {
        .members(
            ("at", .time(at)), ("status", .string(status.rawValue)), ("labels", .sorted(labels)),
            ("annotations", .sorted(annotations)), ("startsAt", .time(startsAt)), ("endsAt", endsAt.map { .time($0) }),
            ("fingerprint", .string(fingerprint)), ("segment", segment.json), ("revision", .int(revision)),
            ("context", context))
    }
}

/// A rule's wish that something be done when it fires.
package enum ActionRequest: Sendable, Hashable {
    case rollback(Rollback)
    case retrain(Retrain)

    package struct Retrain: Sendable, Hashable {
        package var pipeline: String
        /// Where the order goes: a webhook that starts the pipeline.
        package var receiver: String

        package init(pipeline: String, receiver: String) {
            self.pipeline = pipeline
            self.receiver = receiver
        }
    }

    package struct Rollback: Sendable, Hashable {
        package enum Mode: String, Sendable, Hashable, CaseIterable {
            /// Decide and record, but do not act.
            case dryRun = "dry_run"
            /// Act only if every guard passes.
            case guarded
            /// Act without the guard that compares with the previous version.
            case auto
        }

        /// The alias to go back to, `champion-1` unless the rule says otherwise.
        package var to: String
        package var mode: Mode
        /// Rules whose firing says that the data is at fault, not the model.
        package var unless: [String]
        /// At most `maximum` rollbacks per `maximumPer`.
        package var maximum: Int
        package var maximumPer: Span
        package var cooldown: Span
        /// The champion must fail in so many windows in a row.
        package var windows: Int
        /// Fewer rows of a version in a window say nothing about it.
        package var minimumRows: Int64

        package init(
            to: String, mode: Mode, unless: [String], maximum: Int, maximumPer: Span, cooldown: Span, windows: Int = 2,
            minimumRows: Int64 = 30
        ) {
            self.to = to
            self.mode = mode
            self.unless = unless
            self.maximum = maximum
            self.maximumPer = maximumPer
            self.cooldown = cooldown
            self.windows = windows
            self.minimumRows = minimumRows
        }
    }
}
