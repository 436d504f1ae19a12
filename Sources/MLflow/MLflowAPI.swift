import GRDB
package import Registry
package import Values

/// MLflow's REST interface over the registry's store: tracking, registered models and artifacts, without HTTP.
///
/// What it answers and how it refuses follows MLflow's own server (3.17), because its clients look at both. Changes of runs
/// and artifacts are committed in groups; changes of registered models go through the registry, with its audit trail.
package final class MLflowAPI: Sendable {
    let registry: Registry
    let commits: GroupCommit
    let blobs: BlobStore
    private let cache: ReadCache<Answer>?
    let now: @Sendable () -> Timestamp
    let newID: @Sendable () -> String
    let webhooks: WebhookGate?

    /// - Parameters:
    ///   - folder: where artifacts are kept; made when the first one comes.
    ///   - webhooks: what sends to webhooks that clients make; without it none can be made.
    ///   - newID: gives 32 hexadecimal digits that nobody can foresee, new ones each time.
    package init(
        registry: Registry, artifacts folder: String, webhooks: WebhookGate? = nil,
        now: @escaping @Sendable () -> Timestamp, newID: @escaping @Sendable () -> String
    ) {
        self.registry = registry
        self.now = now
        self.newID = newID
        self.webhooks = webhooks
        commits = GroupCommit(registry.database)
        cache = ReadCache(database: registry.database.path)
        blobs = BlobStore(folder: folder, newName: newID)
    }

    /// Answers one call of an endpoint; every error is an `MLflowError`, or `CancellationError`.
    package func answer(_ endpoint: Endpoint, _ call: MLflowCall) async throws -> Answer {
        try await Self.translating(refusal: endpoint.refusal) { try await endpoint.handle(self, call) }
    }

    /// The newest client that the tests run against this.
    package static let testedVersion = "3.17.2"

    /// The name of what an address of this kind of server stands for; `nil` for other addresses.
    package func path(ofAddress address: String) -> String? { ArtifactLocation.path(address) }

    var milliseconds: Int64 { now().microseconds / 1_000 }

    func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await registry.database.read(body)
    }

    /// A read that clients repeat: from memory while nothing was committed since.
    func repeated(
        _ question: String, _ body: @escaping @Sendable (Database) throws -> JSON
    ) async throws -> Answer {
        try await repeatedAnswer(question) { Answer(try body($0)) }
    }

    /// The same for an answer that carries more than its bytes.
    func repeatedAnswer(
        _ question: String, _ body: @escaping @Sendable (Database) throws -> Answer
    ) async throws -> Answer {
        guard let cache else { return try await read(body) }
        return try await cache.value(question) { try await read(body) }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await commits.write(body)
    }

    /// - Parameter refusal: how a guard of the registry is told to the client.
    static func translating<T>(
        refusal: MLflowError.Code = .invalidParameterValue, _ body: () async throws -> T
    ) async throws -> T {
        do {
            return try await body()
        } catch let error as RegistryError {
            throw MLflowError(error, refusal: refusal)
        } catch let error as DatabaseError {
            if error.isInterruptionError, Task.isCancelled { throw CancellationError() }
            throw MLflowError(RegistryError(error, path: nil), refusal: refusal)
        }
    }
}

extension MLflowError {
    init(_ error: RegistryError, refusal: Code) {
        let code: Code =
            switch error.code {
            case .notFound: .resourceDoesNotExist
            case .alreadyExists: .resourceAlreadyExists
            case .conflict: .resourceConflict
            case .invalid: .invalidParameterValue
            case .refused: refusal
            case .unavailable: .temporarilyUnavailable
            }
        self.init(code, error.message)
    }
}

/// One call of an endpoint.
package struct MLflowCall: Sendable {
    package let fields: Fields
    /// What the parts of the path in braces stand for.
    package let path: [String: String]
    /// For the audit trail.
    package let actor: String
    /// Who the client says it is, for people to read; empty where it says nothing.
    package let user: String
    /// Whether the caller may move the champion of a protected model.
    package let mayPromote: Bool
    /// What must be so of what the call changes; for endpoints that compare.
    package let expecting: SequenceCondition?

    package init(
        fields: Fields, path: [String: String] = [:], actor: String, user: String = "", mayPromote: Bool = true,
        expecting: SequenceCondition? = nil
    ) {
        self.fields = fields
        self.path = path
        self.actor = actor
        self.user = user
        self.mayPromote = mayPromote
        self.expecting = expecting
    }
}

/// What a client is answered: one JSON object, as text.
package struct Answer: Sendable, Hashable {
    package let bytes: [UInt8]
    /// The entity tag, without quotes: the sequence by which changes compare, and after a `-` what tells these bytes from
    /// others of the same sequence.
    package let tag: String?

    init(_ json: JSON, tag: String? = nil) {
        bytes = json.bytes
        self.tag = tag
    }

    init(_ json: JSON, sequence: Int64) {
        bytes = json.bytes
        tag = "\(sequence)-\(Manifest.digest(of: bytes).prefix(16))"
    }

    /// - Parameter members: writes them.
    init(_ members: (inout JSONWriter) throws -> Void) rethrows {
        var json = JSONWriter()
        try json.object(members)
        bytes = json.bytes
        tag = nil
    }
}

/// One of MLflow's endpoints that take and give JSON.
package struct Endpoint: Sendable {
    package let method: String
    /// With `{name}` for parts that vary.
    package let path: String
    package let summary: String
    /// Whether it changes anything: what a viewer may not ask.
    package let changes: Bool
    /// Whether only admins may ask it: it shows or sets what others must not know.
    package let administers: Bool
    /// Whether it has entity tags, and changes by comparing them.
    package private(set) var compares = false
    var refusal = MLflowError.Code.invalidParameterValue
    private(set) var handle: @Sendable (MLflowAPI, MLflowCall) async throws -> Answer

    init(
        _ method: String, _ path: String, _ summary: String, changes: Bool? = nil,
        administers: Bool = false, refusal: MLflowError.Code = .invalidParameterValue,
        _ handle: @escaping @Sendable (MLflowAPI, MLflowCall) async throws -> JSON
    ) {
        self.method = method
        self.path = "/api/2.0/mlflow/" + path
        self.summary = summary
        self.changes = changes ?? (method != "GET")
        self.administers = administers
        self.refusal = refusal
        self.handle = { Answer(try await handle($0, $1)) }
    }

    /// One that writes its answer itself.
    static func encoding(
        _ method: String, _ path: String, _ summary: String, changes: Bool? = nil,
        _ handle: @escaping @Sendable (MLflowAPI, MLflowCall) async throws -> Answer
    ) -> Endpoint {
        var endpoint = Endpoint(method, path, summary, changes: changes) { _, _ in [:] }
        endpoint.handle = handle
        return endpoint
    }

    /// One that writes its answer itself, and heeds `If-Match` and `If-None-Match`.
    static func comparing(
        _ method: String, _ path: String, _ summary: String, refusal: MLflowError.Code = .invalidParameterValue,
        _ handle: @escaping @Sendable (MLflowAPI, MLflowCall) async throws -> Answer
    ) -> Endpoint {
        var endpoint = encoding(method, path, summary, handle)
        endpoint.refusal = refusal
        endpoint.compares = true
        return endpoint
    }

    /// All of them.
    package static let all: [Endpoint] =
        experiments + runs + logging + inputs + loggedModels + registeredModels + aliases + modelVersions + listings
        + webhooks
}
