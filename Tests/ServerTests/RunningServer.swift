import Foundation
import Logging
import MLflow
import Registry
import Server
import ServiceLifecycle

/// A server on a port of its own for the length of a test.
func withServer<T: Sendable>(
    _ state: sending FixtureService.State = Fixture.incident(), tokens: [String] = [],
    roles: [String: Role] = [:], names: [String: String] = [:], servesMLflow: Bool = false, log given: Logger? = nil,
    _ body: @Sendable (Client, FixtureService, Registry) async throws -> T
) async throws -> T {
    let service = FixtureService(state)
    let registry = try await Fixture.registry()
    var log = given ?? Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    if given == nil { log.logLevel = .critical }
    let artifacts = FileManager.default.temporaryDirectory.appending(path: "holdfast-server-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: artifacts) }
    let mlflow = MLflowAPI(
        registry: registry, artifacts: artifacts.path, now: { Fixture.now },
        newID: { UUID().uuidString.replacing("-", with: "").lowercased() })
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let server = makeServer(
        configuration: try ServerConfiguration(host: "127.0.0.1", port: 0, tokens: tokens, roles: roles, names: names),
        service: service,
        registry: registry, mlflow: servesMLflow ? mlflow : nil, log: log, onRunning: { port.yield($0) })
    let group = ServiceGroup(configuration: .init(services: [server], logger: log))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            // Without this a server that could not start would be waited for without end.
            defer { port.finish() }
            try await group.run()
        }
        var iterator = ports.makeAsyncIterator()
        guard let bound = await iterator.next() else {
            try await tasks.waitForAll()
            throw FixtureService.Broken(description: "the server ended before it listened")
        }
        let result: T
        do {
            result = try await body(Client(port: bound), service, registry)
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}
