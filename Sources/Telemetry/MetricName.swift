/// The metrics that are promised to users (docs, section "Prometheus metrics"): renaming one breaks their dashboards.
package enum MetricName: String, CaseIterable, Sendable {
    case events = "holdfast_events_total"
    case rejected = "holdfast_rejected_total"
    case consumerLag = "holdfast_consumer_lag"
    case watermark = "holdfast_watermark_seconds"
    case drift = "holdfast_drift"
    case reference = "holdfast_reference"
    case performance = "holdfast_performance"
    case alerts = "holdfast_alerts"
    case notifications = "holdfast_notifications_total"
    case windowClose = "holdfast_window_close_seconds"
    case passedOverWindows = "holdfast_performance_windows_passed_over_total"
    case joins = "holdfast_joins_total"
    case joinWaiting = "holdfast_join_waiting"
    case joinBytes = "holdfast_join_bytes"
    case lateEvents = "holdfast_late_events_total"
    case unknownKeys = "holdfast_unknown_keys_total"
    case segmentOverflow = "holdfast_segment_overflow_total"
    case lostMessages = "holdfast_lost_messages_total"
    case stepSeconds = "holdfast_step_seconds"
    case pausedSeconds = "holdfast_paused_seconds_total"
    case workerCPU = "holdfast_worker_cpu_seconds_total"
    case refusedSteps = "holdfast_refused_steps_total"
    case heldPartitions = "holdfast_held_partitions"
    case reloads = "holdfast_config_reloads_total"
    case reloadSuccessful = "holdfast_config_last_reload_successful"
    case reloadTime = "holdfast_config_last_reload_success_timestamp_seconds"
    case schemaRequests = "holdfast_schema_requests_total"
    case fleetShare = "holdfast_fleet_share"
    case mlflowAgrees = "holdfast_mlflow_agrees"
    /// Our own health: series that were not kept.
    case seriesRefused = "holdfast_series_refused_total"

    package var kind: MetricKind {
        switch self {
        case .events, .rejected, .notifications, .lateEvents, .passedOverWindows, .unknownKeys, .lostMessages,
            .seriesRefused, .joins,
            .pausedSeconds, .workerCPU, .refusedSteps, .schemaRequests, .segmentOverflow, .reloads:
            .counter
        case .consumerLag, .watermark, .drift, .reference, .performance, .alerts, .heldPartitions, .reloadSuccessful,
            .reloadTime, .fleetShare, .mlflowAgrees, .joinWaiting, .joinBytes:
            .gauge
        case .windowClose, .stepSeconds: .histogram
        }
    }

    package var help: String {
        switch self {
        case .events: "Events taken in, by topic and type."
        case .rejected: "Messages that could not be used, by topic and reason."
        case .consumerLag: "Messages between the ledger's position and the end of the partition."
        case .watermark: "Event time up to which a model's events are complete, in seconds since 1970."
        case .drift: "Distance of the last closed window from the reference."
        case .reference: "What the reference has, of the metrics that rules compare with it."
        case .reloads: "Reloads of the rules by outcome (loaded, refused)."
        case .reloadSuccessful: "1 where the last reload of the rules was taken, 0 where it was refused."
        case .reloadTime: "When rules were last loaded, in seconds since 1970."
        case .performance: "Performance of the model in the last judged window."
        case .alerts: "Alert instances by state."
        case .notifications: "Delivery attempts by receiver and outcome."
        case .passedOverWindows:
            "Windows whose performance was not judged, because their labels came after those of younger windows."
        case .joins: "Predictions and labels by what became of them in the join."
        case .joinWaiting: "Predictions whose label may still come, and labels without a prediction."
        case .joinBytes: "What the join keeps of predictions and labels, in memory and on disk."
        case .lateEvents: "Events that came later than the model's lateness allows."
        case .unknownKeys: "Feature values without a column in the reference."
        case .segmentOverflow: "Rows counted under (other) because their segment dimension has too many values."
        case .lostMessages: "Messages the broker deleted before they were read."
        case .stepSeconds: "Seconds a worker's step took: dead letters confirmed, counts and offsets on disk."
        case .pausedSeconds: "Seconds a worker took no messages because its step before was not done."
        case .workerCPU: "CPU seconds of a worker by stage (consume, decode, count, pack, step)."
        case .refusedSteps: "Steps that were dropped because they did not go on where the ledger stands."
        case .heldPartitions: "Partitions that wait for a schema."
        case .schemaRequests: "Requests to the schema registry by outcome (found, unknown, failed)."
        case .fleetShare: "Share of the reporting instances that serve the champion, by model."
        case .mlflowAgrees: "1 where the external MLflow server and the registry name the same champion, 0 where not."
        case .windowClose: "Seconds from the end of a window in event time to its verdict."
        case .seriesRefused: "Series that were not kept, by metric and reason (limit, type)."
        }
    }

    /// Upper bounds of the buckets, for histograms whose values the defaults do not suit.
    package var buckets: [Double]? {
        // A window waits for its lateness, so minutes to hours are the ordinary case.
        self == .windowClose
            ? [1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400] : nil
    }
}

/// How a family of series is rendered.
package enum MetricKind: String, Sendable {
    case counter, gauge, histogram
}
