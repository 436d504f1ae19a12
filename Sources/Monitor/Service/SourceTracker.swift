import Values
import Windows

/// Which sources of one intake still hold the watermark back. Pure: time is a parameter.
///
/// A source is idle for a model when it has been read to its end since the model's newest row came, and that is longer ago than
/// the model's `idle` setting. A source read to its end that never had a row of the model does not count at all.
struct SourceTracker {
    private struct Source {
        let since: Timestamp
        /// The step in which the end was last reached, and whether no message came after it.
        var endStep: Int?
        var isAtEnd = false
        /// A message of it waits and cannot be counted yet.
        var isWaiting = false
        /// For each model, when a row last moved the event clock: wall clock and step.
        var advanced: [(at: Timestamp, step: Int)?]
        var clocks: [Timestamp?]

        func wasRead(since step: Int) -> Bool {
            guard let endStep else { return false }
            return endStep > step || (endStep == step && isAtEnd)
        }
    }

    private let idle: [Span]
    private var sources: [String: Source] = [:]
    private var step = 1
    /// Nothing is known of what may still come.
    var isHeld = true

    init(idle: [Span]) { self.idle = idle }

    /// A source begins; `clocks` are the event times it reached before, by model.
    mutating func add(_ name: String, clocks: [Timestamp?], at now: Timestamp) {
        sources[name] = Source(since: now, advanced: clocks.map { $0 == nil ? nil : (now, 0) }, clocks: clocks)
    }

    mutating func remove(_ name: String) { sources[name] = nil }

    mutating func reachedEnd(_ name: String) {
        sources[name]?.endStep = step
        sources[name]?.isAtEnd = true
    }

    mutating func leftEnd(_ name: String) { sources[name]?.isAtEnd = false }

    /// A message of the source waits for something: however long that takes, the source is not idle and rows of any model may come.
    mutating func wait(_ name: String, _ isWaiting: Bool) { sources[name]?.isWaiting = isWaiting }

    /// Every source, the silent ones too.
    var names: [String] { sources.keys.sorted() }

    /// Notes the clocks that a step's deltas bring.
    mutating func take(_ deltas: [PaneDelta], at now: Timestamp) {
        for (model, delta) in deltas.enumerated() {
            for (name, clock) in delta.clocks where clock > sources[name]?.clocks[model] ?? .distantPast {
                sources[name]?.clocks[model] = clock
                sources[name]?.advanced[model] = (now, step)
            }
        }
        step += 1
    }

    func activity(at now: Timestamp) -> [SourceActivity] {
        idle.indices.map { model in
            var result = SourceActivity(isHeld: isHeld)
            var newest = Timestamp.distantPast
            for (name, source) in sources {
                guard let advanced = source.advanced[model] else {
                    // Not read to its end yet: its backlog may hold the model's oldest rows.
                    if source.endStep == nil || source.isWaiting { result.active.append(name) }
                    newest = max(newest, source.since)
                    continue
                }
                newest = max(newest, advanced.at)
                if source.isWaiting || !source.wasRead(since: advanced.step) || now - advanced.at < idle[model] {
                    result.active.append(name)
                }
            }
            result.active.sort()
            if result.active.isEmpty, !sources.isEmpty { result.idle = max(.zero, now - newest) }
            return result
        }
    }
}
