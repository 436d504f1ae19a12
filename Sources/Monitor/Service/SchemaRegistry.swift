import AsyncHTTPClient
import Events
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import Values

/// Schemas by their number, from a registry that speaks Confluent's HTTP interface. A number always means the same schema, so that an
/// answer is kept for ever; one request at a time is made for each number, until it is answered.
///
/// `ask` and `schema` return at once and may be called from any thread.
final class SchemaRegistry: Sendable {
    /// When the next attempt is made.
    struct Pace: Sendable {
        /// The longest wait after the first failure; it doubles with each further one.
        var failed = Span.milliseconds(500)
        /// The same where the registry knows no such number: it may be behind the writer, but rarely is.
        var unknown = Span.seconds(5)
        var longest = Span.seconds(30)
        /// How long one attempt may take.
        var timeout = Span.seconds(10)

        /// Between half and all of the doubled wait, so that many who fail together do not come back together.
        /// - Parameter random: in 0..<1.
        func wait(after outcome: Outcome, attempts: Int, random: Double) -> Span {
            let first = outcome == .unknown ? unknown : failed
            // 2^16 half seconds are past any limit; the bound keeps the shift defined.
            let doubled = min(longest, first * (1 << Int64(min(max(0, attempts - 1), 16))))
            return Span(microseconds: Int64(Double(doubled.microseconds) * (0.5 + random / 2)))
        }
    }

    /// What came of one request, as `holdfast_schema_requests_total` names it.
    enum Outcome: String, Sendable {
        case found, unknown, failed
    }

    private enum Entry {
        /// Being asked for; why the last attempt brought nothing.
        case asked(String?)
        case known([UInt8])
    }

    private struct State {
        var entries: [UInt32: Entry] = [:]
        var isClosed = false
        var tasks: [UInt32: Task<Void, Never>] = [:]
    }

    private let settings: Configuration.SchemaRegistry
    private let pace: Pace
    private let count: @Sendable (Outcome) -> Void
    private let log: Logger
    private let state = Mutex(State())

    /// - Parameter count: told the outcome of each request.
    init(
        _ settings: Configuration.SchemaRegistry, pace: Pace = Pace(), log: Logger,
        count: @escaping @Sendable (Outcome) -> Void
    ) {
        self.settings = settings
        self.pace = pace
        self.log = log
        self.count = count
    }

    deinit { close() }

    /// The schema's text, `nil` where it has not been answered yet.
    func schema(_ id: UInt32) -> [UInt8]? {
        state.withLock { state in
            if case .known(let text)? = state.entries[id] { text } else { nil }
        }
    }

    /// Why a schema that was asked for is not there.
    func reason(_ id: UInt32) -> String {
        state.withLock { state in
            if case .asked(let reason?)? = state.entries[id] { reason } else { "not answered yet" }
        }
    }

    /// Asks for a schema until it is answered, unless that is under way.
    func ask(_ id: UInt32) {
        state.withLock { state in
            guard state.entries[id] == nil, !state.isClosed else { return }
            state.entries[id] = .asked(nil)
            state.tasks[id] = Task { [weak self] in
                var attempts = 0
                while !Task.isCancelled, let wait = await self?.attempt(id, &attempts) {
                    try? await Task.sleep(for: .microseconds(wait.microseconds))
                }
            }
        }
    }

    /// Ends all requests.
    func close() {
        let tasks = state.withLock { state in
            state.isClosed = true
            defer { state.tasks = [:] }
            return state.tasks.values.map(\.self)
        }
        for task in tasks { task.cancel() }
    }

    /// - Returns: how long to wait for the next attempt, `nil` where none is needed.
    private func attempt(_ id: UInt32, _ attempts: inout Int) async -> Span? {
        attempts += 1
        let (outcome, text) = await request(id)
        guard !Task.isCancelled else { return nil }
        count(outcome)
        if outcome == .found {
            state.withLock { state in
                state.entries[id] = .known(text)
                state.tasks[id] = nil
            }
            return nil
        }
        let reason = String(decoding: text, as: UTF8.self)
        state.withLock { $0.entries[id] = .asked(reason) }
        let wait = pace.wait(after: outcome, attempts: attempts, random: Double.random(in: 0..<1))
        log.warning(
            "a schema is not there yet, the registry is asked again",
            metadata: ["schema": "\(id)", "reason": "\(reason)", "in": "\(wait)"])
        return wait
    }

    /// One request.
    /// - Returns: the schema's text where it was found, else words for people, which hold neither user nor password.
    private func request(_ id: UInt32) async -> (Outcome, [UInt8]) {
        var request = HTTPClientRequest(url: "\(settings.url)/schemas/ids/\(id)")
        request.headers.add(name: "accept", value: "application/vnd.schemaregistry.v1+json")
        request.headers.add(name: "user-agent", value: "Holdfast")
        if let user = settings.username { request.setBasicAuth(username: user, password: settings.password ?? "") }
        let answer: SchemaAnswer
        do {
            answer = try await SchemaAnswer.fetch(request, timeout: pace.timeout)
        } catch {
            return (.failed, Array("\(settings.url): \(SchemaAnswer.words(for: error))".utf8))
        }
        switch answer.read() {
        case .schema(let text): return (.found, text)
        case .unknown(let why): return (.unknown, Array("\(settings.url): \(why)".utf8))
        case .failure(let why): return (.failed, Array("\(settings.url): \(why)".utf8))
        }
    }
}
