import Events
import Kafka
import Ledger
import Logging
import Values

/// What a consumer's handlers and its loop share: counts not yet handed over, offsets, what is known of the brokers. All of it is touched
/// on the worker's thread alone; a step, which may wait for a disk or a broker, runs on a thread of its own, one at a time.
final class KafkaProgress {
    static let stepInterval = Span.seconds(1)
    /// A step is followed by so many times its own length without one: with many groups, or on a busy machine, it costs more than the
    /// counting, and what comes meanwhile costs the next one nothing.
    private static let stepPause = 20
    /// But steps are never further apart than this.
    private static let stepIntervalMaximum = Span.seconds(4)
    /// A step that takes longer stops the reading: what has been read lately would be read again after a crash.
    static let stepPatience = Span.seconds(2)

    /// Held partitions that the service's health names.
    private static let heldShown = 3

    let parts: KafkaWorker.Parts
    private let isStopping: @Sendable () -> Bool
    let runner: StepRunner<KafkaStep.Outcome>
    var intake: Intake
    var deadLetters: DeadLetters
    var tracker: SourceTracker
    var lanes = Lanes()
    /// What the step in hand covers, and what those before it did.
    private var flying: [String: Int64] = [:]
    private var stored: [String: Int64] = [:]
    private var stepBegan = Timestamp.distantPast
    private var nextStep: Timestamp
    /// No more messages are taken until the step in hand is done.
    private(set) var isWaiting = false
    /// Lanes were held when this was last looked at.
    private var hasHeld = false
    /// A step was stored since this was last asked.
    private var hasStored = false
    /// The group has said what is ours since it last took something away.
    private var isAssigned = false
    /// The brokers are away; only they can say when they are back.
    private var isUnreachable = false
    /// Something was wrong since messages came last.
    private var isTroubled = false
    /// This session can do no more: the client gave up, or what was counted does not fit the ledger any more.
    private(set) var isOver = false
    /// The last step was not made and will not be.
    private var hasGivenUp = false
    /// A lane began to pass messages over since this was last looked at.
    var hasPassedOver = false
    /// CPU time not told yet.
    private var times = WorkTimes()

    init(_ parts: KafkaWorker.Parts, _ deadLetters: DeadLetters, isStopping: @escaping @Sendable () -> Bool) {
        self.parts = parts
        self.deadLetters = deadLetters
        self.isStopping = isStopping
        intake = Intake(parts.models)
        tracker = SourceTracker(idle: parts.models.map(\.configuration.idle))
        runner = StepRunner(name: "holdfast-\(parts.name)-step")
        nextStep = parts.clock.now() + Self.stepInterval
    }

    /// For the broker's display of lag, when there is news; `nil` otherwise.
    func takeCommittable() -> [TopicPartition: Int64]? {
        guard hasStored else { return nil }
        hasStored = false
        return lanes.all.reduce(into: [:]) { $0[$1.key] = stored[$1.value.source] }
    }

    func assign(_ partitions: [TopicPartition]) -> [TopicPartition: StartPosition] {
        let now = parts.clock.now()
        // What the ledger holds now, not what it held when this worker began: a sibling may have read them since.
        let known = parts.engine.take(partitions.map(Lane.source), by: parts.name, at: now)
        var starts: [TopicPartition: StartPosition] = [:]
        for partition in partitions {
            let name = Lane.source(partition)
            let start = known[name] ?? SourceBook.Start(offset: nil, clocks: parts.models.map { _ in nil })
            lanes.add(lane(partition, position: start.offset))
            for (model, clock) in start.clocks.enumerated() { intake.setClock(name, model: model, clock) }
            tracker.add(name, clocks: start.clocks, at: now)
            stored[name] = start.offset
            // Not what the group committed: without a ledger everything is counted again.
            let fresh: StartPosition = parts.kafka.resetPolicy == .latest ? .latest : .earliest
            starts[partition] = start.offset.map { .offset($0) } ?? fresh
        }
        // An assignment comes from the broker; an empty one says that there is nothing to wait for.
        isAssigned = true
        isUnreachable = false
        tracker.isHeld = false
        parts.health.set(parts.name, nil)
        parts.log.info(
            "partitions assigned",
            metadata: ["worker": "\(parts.name)", "partitions": "\(partitions.map(\.description).sorted())"])
        return starts
    }

    private func lane(_ partition: TopicPartition, position: Int64?) -> Lane {
        let topic = topic(partition.topic)
        let route = intake.route(
            source: Lane.source(partition), topic: partition.topic, defaults: topic.defaults)
        return Lane(partition, topic, route: route, position: position)
    }

    /// The configured topic of that name, else the one whose pattern fits.
    private func topic(_ name: String) -> Configuration.Topic {
        parts.topics.first { $0.name == name } ?? parts.topics.first { $0.matches(name) }
            ?? Configuration.Topic(name: name, format: .json, defaults: TopicDefaults())
    }

    func revoke(_ partitions: [TopicPartition]) {
        finishStep()
        makeStep(leaving: partitions, &intake)
        finishStep()
        for partition in partitions {
            guard let lane = lanes.remove(partition) else { continue }
            tracker.remove(lane.source)
            stored[lane.source] = nil
            if !hasGivenUp { intake.close(route: lane.route) }
        }
        if hasHeld { showHeld() }
        isAssigned = false
        if lanes.all.isEmpty, !isStopping() { parts.health.set(parts.name, "waiting for partitions") }
    }

    func take(_ event: KafkaEvent) {
        switch event {
        case .endOfPartition(let partition, let offset):
            // Of a lane that passes messages over it is not the end of what was read.
            if let lane = lanes[partition], !lane.isPassedOver {
                lane.isAtEnd = true
                lane.start = lane.start ?? offset
                tracker.reachedEnd(lane.source)
            }
            reached()
        case .offsetOutOfRange(let gap):
            parts.log.error(
                "messages were deleted at the broker before they were read",
                metadata: [
                    "partition": "\(gap.partition)", "missing": "\(gap.missing)", "resumed_at": "\(gap.resumedAt)",
                ])
            parts.metrics.lost(gap)
            if gap.wentBack { lanes[gap.partition]?.due = gap.expected }
        case .committed: reached()
        case .commitFailed(let error):
            parts.log.debug("commit for lag display failed", metadata: ["reason": "\(error)"])
        case .error(let error, let partition):
            failed(error, partition)
        }
    }

    private func failed(_ error: KafkaError, _ partition: TopicPartition?) {
        let place = partition.map { " \($0)" } ?? ""
        parts.log.warning(
            "Kafka", metadata: ["worker": "\(parts.name)", "error": "\(error)", "partition": "\(place)"])
        isOver = isOver || error.isFatal
        // Without partitions nothing would ever say that the trouble is over; those who have some will tell.
        if isAssigned, lanes.all.isEmpty { return }
        if error.kind == .brokersUnreachable {
            isUnreachable = true
            tracker.isHeld = true
        }
        isTroubled = true
        parts.health.set(parts.name, "\(error)\(place)")
    }

    /// The brokers are there: messages or the end of a partition came.
    func reached() {
        guard isTroubled || isUnreachable, !lanes.all.isEmpty else { return }
        isUnreachable = false
        isTroubled = false
        tracker.isHeld = false
        parts.health.set(parts.name, nil)
    }

    private var isFull: Bool { intake.isFull || deadLetters.isFull }

    /// Sees to the steps, after each poll: fetches the outcome of the one in hand, begins the next when it is due.
    func work() {
        if let outcome = runner.fetch() { ended(outcome) }
        let now = parts.clock.now()
        if runner.isBusy {
            isWaiting = isFull || now - stepBegan >= Self.stepPatience
        } else {
            isWaiting = false
            if now >= nextStep || isFull { makeStep(&intake) }
        }
    }

    /// The last step of the session; waits for it.
    func finish() {
        finishStep()
        makeStep(&intake)
        finishStep()
    }

    /// A message of the lane, and so all after it, waits for a schema. Its event times are not known: the lane holds the watermark.
    func hold(_ lane: Lane, at offset: Int64, for schema: UInt32) {
        hasPassedOver = true
        lane.held = Lane.Held(offset: offset, schema: schema)
        lane.start = lane.start ?? offset
        tracker.wait(lane.source, true)
        parts.schemas?.ask(schema)
        parts.log.warning(
            "a partition waits for a schema",
            metadata: ["partition": "\(lane.partition)", "offset": "\(offset)", "schema": "\(schema)"])
    }

    /// Sees to the lanes that passed messages over, after each poll. Nothing was counted of these messages, so it is enough to go back.
    func settle(_ consumer: KafkaConsumer) {
        guard hasHeld || hasPassedOver else { return }
        hasPassedOver = false
        let waiting = lanes.all.values.filter(\.isPassedOver)
        do throws(KafkaError) {
            let stopped = waiting.filter { $0.held?.isPaused == false }
            if !stopped.isEmpty { try consumer.pause(stopped.map(\.partition)) }
            // After the pause, which would itself set where to go on. Of a held lane now rather than later, so that its lag is right.
            try consumer.seek(
                waiting.reduce(into: [:]) { offsets, lane in
                    if let held = lane.held, held.isPaused { return }
                    offsets[lane.partition] = lane.held?.offset ?? lane.putBack
                })
            for lane in waiting {
                lane.putBack = nil
                lane.held?.isPaused = true
            }
            for lane in waiting {
                guard let held = lane.held, let text = parts.schemas?.schema(held.schema) else { continue }
                intake.setSchema(held.schema, text)
                try consumer.resume([lane.partition])
                lane.held = nil
                tracker.wait(lane.source, false)
                parts.log.info(
                    "a partition goes on: its schema is there",
                    metadata: ["partition": "\(lane.partition)", "schema": "\(held.schema)"])
            }
        } catch {
            beginAnew("messages cannot be read again: \(error)")
        }
        showHeld()
    }

    private func showHeld() {
        let held = lanes.all.values.filter { $0.held != nil }.sorted { $0.partition < $1.partition }
        hasHeld = !held.isEmpty
        let words = held.prefix(Self.heldShown).compactMap { lane in
            lane.held.map {
                "\(lane.partition) waits at offset \($0.offset) for schema \($0.schema): \(parts.schemas?.reason($0.schema) ?? "")"
            }
        }
        let more = held.count > Self.heldShown ? ["and \(held.count - Self.heldShown) more"] : []
        parts.health.set("\(parts.name) schemas", held.isEmpty ? nil : (words + more).joined(separator: "; "))
        parts.metrics.held(held.count, worker: parts.name)
    }

    /// Ends the session, after a last step. The next one goes on where the ledger stands.
    private func beginAnew(_ reason: String) {
        isOver = true
        parts.log.warning("Kafka is joined anew", metadata: ["worker": "\(parts.name)", "reason": "\(reason)"])
    }

    /// Hands over what was counted.
    /// - Parameter leaving: partitions that are read no more after this.
    func makeStep(leaving: [TopicPartition] = [], _ intake: inout Intake) {
        guard !hasGivenUp else { return }
        stepBegan = parts.clock.now()
        let now = stepBegan
        var delta = intake.take()
        tracker.take(delta.models, at: now)
        var report = IntakeReport(activity: [], reading: [], leaving: leaving.map(Lane.source))
        for lane in lanes.all.values {
            // Whoever reads on begins there too, though nothing was counted yet.
            if delta.offsets[lane.source] == nil, lane.position == nil { delta.offsets[lane.source] = lane.start }
            guard let next = delta.offsets[lane.source] else { continue }
            report.began.updateValue(lane.position, forKey: lane.source)
            lane.position = next
        }
        for source in report.leaving { tracker.remove(source) }
        report.activity = tracker.activity(at: now)
        report.reading = tracker.names
        flying = delta.offsets
        nextStep = now + Self.stepInterval
        let step = KafkaStep(letters: deadLetters.take(), delta: delta, report: report)
        runner.start { [parts, isStopping] in step.run(parts, isStopping: isStopping) }
    }

    private func finishStep() {
        if let outcome = runner.wait() { ended(outcome) }
    }

    /// - Parameter stage: what CPU time went to that is not the intake's own.
    func worked(_ nanoseconds: Int64, _ stage: WorkStage) { times[stage] &+= nanoseconds }

    private func ended(_ outcome: KafkaStep.Outcome) {
        times.add(intake.takeTimes())
        parts.metrics.worked(times, worker: parts.name)
        times = WorkTimes()
        let length = parts.clock.now() - stepBegan
        let pause = min(Self.stepIntervalMaximum.microseconds, length.microseconds * Int64(Self.stepPause))
        nextStep = max(nextStep, stepBegan + Span(microseconds: pause))
        switch outcome {
        case .stored:
            stored.merge(flying) { _, new in new }
            hasStored = true
        case .refused(let stale):
            hasGivenUp = true
            beginAnew("\(stale)")
        case .givenUp:
            hasGivenUp = true
            isOver = true
        }
    }
}
