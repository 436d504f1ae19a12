import Dispatch
import Events
import Foundation
import Ledger
import Server
import Synchronization
import Values

/// Events posted over HTTP: counted on a queue of their own and durable before the request is answered.
final class PostedEvents: Sendable {
    private static let source = "http"
    /// Bodies that wait to be counted; more are refused until some are done.
    private static let waitingBytesMaximum = 64 << 20
    /// Refused events that one answer names.
    private static let namedRejections = 1_000

    /// Too much is waiting: the caller should come back.
    struct Busy: Error, CustomStringConvertible {
        let description = "too many events are waiting to be written; try again in a moment"
    }

    private let waitingBytes = Mutex(0)

    private let queue = DispatchQueue(label: "holdfast-http-events")
    /// Only touched on `queue`, which is what makes this sound.
    private nonisolated(unsafe) var intake: Intake
    private let route: Int
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
        var intake = Intake(models, limitsWholeMessages: false)
        let clocks = engine.clocks().map { $0[Self.source] }
        for (model, clock) in clocks.enumerated() { intake.setClock(Self.source, model: model, clock) }
        route = intake.route(source: Self.source, topic: Self.source, defaults: defaults)
        self.intake = intake
        tracker = SourceTracker(idle: models.map(\.configuration.idle))
        tracker.isHeld = false
        if isUsed { tracker.add(Self.source, clocks: clocks, at: clock.now()) }
    }

    /// Returns once the events are durable.
    func ingest(_ body: [UInt8]) async throws -> IngestResult {
        let fits = waitingBytes.withLock { bytes in
            guard bytes + body.count <= Self.waitingBytesMaximum else { return false }
            bytes += body.count
            return true
        }
        guard fits else { throw Busy() }
        defer { waitingBytes.withLock { $0 -= body.count } }
        return try await withCheckedThrowingContinuation { continuation in
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
        var rejectedTotal = 0
        body.withUnsafeBytes { bytes in
            intake.add(bytes, route: route, offset: nextOffset, now: now) {
                rejectedTotal += 1
                guard rejected.count < Self.namedRejections else { return }
                rejected.append(.init(index: $0.index, reason: $0.reason.rawValue, detail: $0.detail))
            }
        }
        nextOffset += 1
        let accepted = try submit()
        return IngestResult(accepted: accepted, rejected: rejected, rejectedTotal: rejectedTotal)
    }

    @discardableResult
    private func submit() throws -> Int {
        let delta = intake.take()
        let now = clock.now()
        // A request is all there is of it.
        tracker.reachedEnd(Self.source)
        tracker.take(delta.models, at: now)
        try engine.submit(delta, from: Self.source, activity: tracker.activity(at: now), now: now)
        return Int(delta.events.values.reduce(0, +))
    }
}
