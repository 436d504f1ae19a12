import Foundation
import GRDB
import Registry
import Testing
import Values

/// Secrets of webhooks as they lie in the file.
struct SecretSealTests {
    private static let key = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="

    private static func seal(_ keys: String...) throws -> SecretSeal {
        try SecretSeal(keys: keys, now: { Timestamp(microseconds: 499_162_800_000_000) }) { count in
            (0..<count).map { UInt8($0) }
        }
    }

    /// generate.json and verify.json of https://github.com/fernet/spec.
    @Test func `a token is what Fernet's specification says`() throws {
        let token =
            "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
        let seal = try Self.seal(Self.key)
        #expect(try seal.seal("hello") == token)
        #expect(seal.open(token) == "hello")
    }

    @Test func `any text comes back, and one that was changed does not`() throws {
        let seal = try Self.seal(Self.key)
        for text in ["", "a", "exactly 16 bytes", "ünïcödé 🔑", String(repeating: "x", count: 1_000)] {
            let token = try seal.seal(text)
            #expect(seal.open(token) == text)
            var bytes = Array(token.utf8)
            for i in stride(from: 0, to: bytes.count - 2, by: 7) {
                let kept = bytes[i]
                bytes[i] = kept == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
                #expect(seal.open(String(decoding: bytes, as: UTF8.self)) == nil)
                bytes[i] = kept
            }
        }
        for junk in ["", "gAAAAA", "not base64!", String(repeating: "A", count: 200)] {
            #expect(seal.open(junk) == nil)
        }
        let other = SecretSeal.makeKey { Array(repeating: 3, count: $0) }
        #expect(try Self.seal(other).open(seal.seal("hello")) == nil)
        #expect(try Self.seal(other, Self.key).open(seal.seal("hello")) == "hello")
        #expect(!"\(seal)".contains("cw_0x"))
    }

    @Test(arguments: ["", "short", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e", "!!!"])
    func `what is no key is refused without being told`(key: String) {
        #expect(throws: RegistryError.self) { try Self.seal(key) }
        #expect(!SecretSeal.isKey(key))
    }

    private static func add(_ registry: Registry, _ id: String, secret: String?) async throws {
        try await registry.add(
            StoredWebhook(
                id: id, name: id, url: "https://example.com", secret: secret, events: ["model_version.created"],
                at: Fixture.time(0)), actor: "ann")
    }

    private static func holds(_ path: String, _ text: String) -> Bool {
        ["", "-wal"].contains { suffix in
            (try? Data(contentsOf: URL(filePath: path + suffix)))?.range(of: Data(text.utf8)) != nil
        }
    }

    @Test func `no file holds a secret, and with another key it stays locked until it is set anew`() async throws {
        try await Fixture.withFile { path in
            func open(_ keys: String...) async throws -> Registry {
                try await Registry(
                    path: path,
                    seal: try SecretSeal(keys: keys, now: { Fixture.time(0) }) { Array(repeating: 5, count: $0) })
            }
            let other = SecretSeal.makeKey { Array(repeating: 3, count: $0) }
            try await Self.add(try await open(Self.key), "hook", secret: "very-secret-text")
            #expect(!Self.holds(path, "very-secret-text"))
            #expect(try await open(Self.key).webhook("hook")?.secret == "very-secret-text")
            for registry in [try await open(other), try await Registry(path: path)] {
                let locked = try await registry.webhook("hook")
                #expect(locked?.isLocked == true && locked?.secret == nil)
            }
            // What does not name the secret leaves it as it is.
            _ = try await open(other).changeWebhook("hook", actor: "ann", at: Fixture.time(1)) { $0.name = "renamed" }
            #expect(try await open(Self.key).webhook("hook")?.secret == "very-secret-text")
            // A new key before the old one seals again with itself.
            #expect(try await open(other, Self.key).webhook("hook")?.secret == "very-secret-text")
            #expect(try await open(other).webhook("hook")?.isLocked == false)
            _ = try await open(Self.key).changeWebhook("hook", actor: "ann", at: Fixture.time(2)) { $0.secret = "new" }
            #expect(try await open(Self.key).webhook("hook")?.secret == "new")
        }
    }

    @Test func `secrets that older versions kept as text are sealed when the registry is opened with a key`()
        async throws
    {
        try await Fixture.withFile { path in
            try await Self.add(try await Registry(path: path), "hook", secret: nil)
            try await DatabaseQueue(path: path).write { db in
                try db.execute(sql: "UPDATE webhook SET secret = 'very-plain-text'")
            }
            #expect(Self.holds(path, "very-plain-text"))
            let registry = try await Registry(path: path, seal: try Self.seal(Self.key))
            #expect(try await registry.webhook("hook")?.secret == "very-plain-text")
            #expect(!Self.holds(path, "very-plain-text"))
        }
    }

    @Test func `without a key no secret is taken`() async throws {
        let registry = try await Registry.inMemory()
        let error = await refusal { try await Self.add(registry, "hook", secret: "s") }
        #expect(error?.code == .unavailable)
        try await Self.add(registry, "hook", secret: nil)
        #expect(try await registry.webhook("hook")?.isLocked == false)
    }
}
