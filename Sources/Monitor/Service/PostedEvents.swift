import Dispatch
import Events
import Foundation
import Ledger
import Server
import Values

/// Events posted over HTTP: counted on a queue of their own and durable before the request is answered.
final class PostedEvents: Sendable {
    private static let source = "http"

    private let queue = DispatchQueue(label: "holdfast-http-events")
    /// Only touched on `queue`, which is what makes this sound.
    private nonisolated(unsafe) var intake: Intake
    private nonisolated(unsafe) var tracker: SourceTracker
    private nonisolated(unsafe) var nextOffset: Int64
    private nonisolated(unsafe) var isUsed: Bool

    private let engine: Engine
    private let clock: WallClock
    private let defaults: TopicDefaults
    private let models: Int

    init(models: [MonitoredModel], engine: Engine, ledger: Ledger, clock: WallClock) throws {
        self.engine = engine
        self.clock = clock
        self.models = models.count
        defaults = TopicDefaults(model: models.count == 1 ? models[0].name : nil)
        nextOffset = try ledger.offsets()[Self.source] ?? 0
        isUsed = nextOffset > 0
        var intake = Intake(models)
        let clocks = engine.clocks().map { $0[Self.source] }
        for (model, clock) in clocks.enumerated() { intake.setClock(Self.source, model: model, clock) }
        self.intake = intake
        tracker = SourceTracker(idle: models.map(\.configuration.idle))
        tracker.isHeld = false
        if isUsed { tracker.add(Self.source, clocks: clocks, at: clock.now()) }
    }

    /// Returns once the events are durable.
    func ingest(_ body: [UInt8]) async throws -> IngestResult {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in continuation.resume(with: Result { try take(body) }) }
        }
    }

    /// Lets time pass for posted events when none come; nothing where none ever came.
    func tick() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            queue.async { [self] in
                if isUsed { _ = try? submit() }
                continuation.resume()
            }
        }
    }

    private func take(_ body: [UInt8]) throws -> IngestResult {
        let now = clock.now()
        if !isUsed {
            isUsed = true
            tracker.add(Self.source, clocks: Array(repeating: nil, count: models), at: now)
        }
        var rejected: [IngestResult.Rejected] = []
        body.withUnsafeBytes { bytes in
            intake.add(bytes, source: Self.source, offset: nextOffset, topic: Self.source, defaults: defaults, now: now)
            {
                rejected.append(.init(index: $0.index, reason: $0.reason.rawValue, detail: $0.detail))
            }
        }
        nextOffset += 1
        let accepted = try submit()
        return IngestResult(accepted: accepted, rejected: rejected)
    }

    @discardableResult
    private func submit() throws -> Int {
        let delta = intake.take()
        let now = clock.now()
        tracker.take(delta.models, at: now)
        tracker.reachedEnd(Self.source, at: now)
        try engine.submit(delta, from: Self.source, activity: tracker.activity(at: now), now: now)
        return Int(delta.events.values.reduce(0, +))
    }
}
