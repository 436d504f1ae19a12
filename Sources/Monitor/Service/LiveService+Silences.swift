import Events
import Foundation
import Ledger
import Rules
import Server
import Values

extension LiveService {
    func silences() async throws -> [JSON] {
        let now = clock.now()
        return try await ledger.silences().map { silence in
            guard case .object(let members) = silence.json else { return silence.json }
            return .object(members + [.init("status", ["state": .string(silence.state(at: now).rawValue)])])
        }
    }

    func silence(_ body: JSON, by actor: String) async throws -> String {
        let now = clock.now()
        let silence: Silence
        do throws(SilenceProblem) {
            silence = try Silence(body, id: UUID().uuidString.lowercased(), createdBy: actor, at: now)
        } catch {
            throw SilenceRefused(.invalid, error.description)
        }
        guard silence.endsAt > now else { throw SilenceRefused(.invalid, "`endsAt` is in the past") }
        if body["id"]?.stringValue == silence.id {
            guard let old = try await ledger.silence(silence.id), old.state(at: now) != .expired else {
                throw SilenceRefused(
                    .notFound, "there is no silence `\(silence.id)` that has not expired: leave `id` out")
            }
        }
        let renewed = Silence(
            id: silence.id, matchers: silence.matchers, startsAt: silence.startsAt, endsAt: silence.endsAt,
            createdBy: silence.createdBy, comment: silence.comment, updatedAt: now)
        guard try await ledger.put(renewed, at: now) else {
            throw SilenceRefused(.tooMany, "there are \(Ledger.maximumSilences) silences already: end some first")
        }
        return silence.id
    }

    func endSilence(_ id: String) async throws {
        let now = clock.now()
        guard let silence = try await ledger.silence(id), silence.state(at: now) != .expired else {
            throw SilenceRefused(.notFound, "there is no silence `\(id)` that has not expired")
        }
        _ = try await ledger.put(
            Silence(
                id: silence.id, matchers: silence.matchers, startsAt: min(silence.startsAt, now), endsAt: now,
                createdBy: silence.createdBy, comment: silence.comment, updatedAt: now), at: now)
    }

    /// Alert lines, those that are silenced with `silencedBy`.
    func marked(_ lines: [String]) async throws -> [String] {
        let now = clock.now()
        let active = try await ledger.silences().filter { $0.state(at: now) == .active }
        guard !active.isEmpty else { return lines }
        var silencer = Silencer(active)
        return lines.map { line in
            guard let json = try? JSON(parsing: line.utf8), case .object(let members) = json else { return line }
            let labels = Dictionary(
                (json["labels"]?.objectValue ?? []).map { ($0.key, $0.value.stringValue ?? "") },
                uniquingKeysWith: { first, _ in first })
            let silences = silencer.silences(for: labels)
            guard !silences.isEmpty, json["status"]?.stringValue != "resolved" else { return line }
            return JSON.object(members + [.init("silencedBy", .array(silences.map { .string($0) }))]).text
        }
    }
}
