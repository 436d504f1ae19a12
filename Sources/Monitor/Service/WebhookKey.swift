import Foundation
import Registry
import Values

/// The key that the secrets of clients' webhooks are sealed with: the configured one, or one that is made beside the registry.
enum WebhookKey {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let fileName = "webhook.key"

    /// A configured key seals, and the file's opens what was sealed before there was one.
    ///
    /// - Parameters:
    ///   - configured: as `SecretSeal` reads it; `nil` has one made.
    ///   - folder: the state folder.
    static func seal(_ configured: String?, folder: String, clock: WallClock) throws -> SecretSeal {
        let path = "\(folder)/\(fileName)"
        let kept = try read(path)
        let keys = [configured, kept].compactMap(\.self)
        do {
            return try SecretSeal(
                keys: keys.isEmpty ? [try make(path)] : keys, now: { clock.now() }, random: random)
        } catch let error as RegistryError {
            throw Failure(
                description: "\(configured == nil ? path : "registry.client_webhooks.key"): \(error.message)")
        }
    }

    private static func read(_ path: String) throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        } catch {
            throw Failure(description: "\(path): the key cannot be read: \(error.localizedDescription)")
        }
    }

    /// Nobody else may read it, from its first moment on.
    private static func make(_ path: String) throws -> String {
        let key = SecretSeal.makeKey(random)
        let file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw Failure(description: "\(path): the key cannot be made: \(String(cString: strerror(errno)))")
        }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        try handle.write(contentsOf: Data("\(key)\n".utf8))
        try handle.synchronize()
        return key
    }

    private static func random(_ count: Int) -> [UInt8] {
        // The system's generator, which is made for keys.
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
