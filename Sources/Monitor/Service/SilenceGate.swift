import Events
import Ledger
import Logging
import Rules
import ServiceLifecycle
import Values

/// Stands between the outbox and the receivers: what a silence covers is held back and told when the silence ends, if it still fires then.
/// That an alert is over is told to whoever was told that it fires; an alert that a receiver knows of is not told again meanwhile.
struct SilenceGate: Service {
    let ledger: Ledger
    let bells: ReceiverBells
    let clock: WallClock
    let log: Logger

    private static let pause = Duration.seconds(1)

    /// What of a delivery may go now; `nil` where nothing is left, which ends the entry.
    func pass(_ stored: StoredOutboxEntry) async throws -> StoredOutboxEntry? {
        guard let body = try? JSON(parsing: stored.entry.body), let alerts = body["alerts"]?.arrayValue else {
            return stored
        }
        var silencer = try await activeSilencer()
        let held = try await ledger.held(to: stored.entry.target)
        if silencer == nil, held.isEmpty { return stored }
        let known = try await ledger.told(to: stored.entry.target)
        var kept: [JSON] = []
        var holding: [HeldDelivery] = []
        var told: [String] = []
        for alert in alerts {
            let fingerprint = alert["fingerprint"]?.stringValue ?? ""
            let isKnown = known[fingerprint] != nil && known[fingerprint] == alert["startsAt"]?.stringValue
            if alert["status"]?.stringValue == "resolved" {
                if !held.contains(fingerprint) || isKnown { kept.append(alert) }
            } else if silencer?.silences(for: Self.labels(alert)).isEmpty == false {
                // One the receiver knows of is there for the company of another; holding it would swallow its end.
                guard !isKnown else { continue }
                holding.append(
                    HeldDelivery(fingerprint: fingerprint, entry: Self.entry(stored.entry, body, [alert])))
            } else {
                kept.append(alert)
                if held.contains(fingerprint) { told.append(fingerprint) }
            }
        }
        guard kept.count < alerts.count || !told.isEmpty else { return stored }
        try await ledger.hold(
            holding, telling: told, to: stored.entry.target, finishing: kept.isEmpty ? stored.id : nil)
        guard !kept.isEmpty else {
            log.info("silenced", metadata: ["receiver": "\(stored.entry.target)", "id": "\(stored.entry.key)"])
            return nil
        }
        return StoredOutboxEntry(
            id: stored.id, entry: Self.entry(stored.entry, body, kept), progress: stored.progress, due: stored.due)
    }

    /// What a delivery tells its receiver; nothing where it is about something else than alerts.
    static func told(_ entry: OutboxEntry) -> [ToldAlert] {
        let alerts = (try? JSON(parsing: entry.body))?["alerts"]?.arrayValue ?? []
        return alerts.compactMap { alert in
            alert["fingerprint"]?.stringValue.map {
                ToldAlert(
                    fingerprint: $0, startsAt: alert["startsAt"]?.stringValue ?? "",
                    isOver: alert["status"]?.stringValue == "resolved")
            }
        }
    }

    private func activeSilencer() async throws -> Silencer? {
        let now = clock.now()
        let active = try await ledger.silences().filter { $0.state(at: now) == .active }
        return active.isEmpty ? nil : Silencer(active)
    }

    private static func labels(_ alert: JSON) -> [String: String] {
        Dictionary(
            (alert["labels"]?.objectValue ?? []).map { ($0.key, $0.value.stringValue ?? "") },
            uniquingKeysWith: { first, _ in first })
    }

    /// The same delivery with these of its alerts. What they have in common they have with fewer too.
    private static func entry(_ entry: OutboxEntry, _ body: JSON, _ alerts: [JSON]) -> OutboxEntry {
        let members = (body.objectValue ?? []).map { member in
            member.key == "alerts" ? JSON.Member("alerts", .array(alerts)) : member
        }
        return OutboxEntry(
            kind: entry.kind, key: entry.key, target: entry.target, lane: entry.lane, body: JSON.object(members).bytes,
            at: entry.at)
    }

    /// Looks for what no silence holds back any more.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            let bell = Doorbell()
            while !Task.isCancelled {
                do {
                    try await release()
                } catch is CancellationError {
                    return
                } catch {
                    log.warning("silences cannot be looked at", metadata: ["reason": "\(error)"])
                }
                await bell.wait(atMost: Self.pause)
            }
        }
    }

    private func release() async throws {
        let held = try await ledger.heldDeliveries()
        guard !held.isEmpty else { return }
        var silencer = try await activeSilencer()
        let free = held.filter { delivery in
            guard let body = try? JSON(parsing: delivery.entry.body), let alert = body["alerts"]?.arrayValue?.first
            else {
                return true
            }
            return silencer?.silences(for: Self.labels(alert)).isEmpty ?? true
        }
        guard !free.isEmpty else { return }
        if try await ledger.release(free, at: clock.now()) > 0 { bells.ring() }
    }
}
