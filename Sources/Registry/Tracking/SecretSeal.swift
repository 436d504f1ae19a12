import COpenSSL
import FoundationEssentials
package import Values

/// Secrets as they lie in a file: Fernet tokens (https://github.com/fernet/spec/blob/master/Spec.md: AES-128 in CBC mode, then
/// HMAC-SHA256 over all of it). MLflow keeps the secrets of its webhooks the same way, so that one key serves both.
///
/// The first key seals; all of them open, so that a key can be changed without losing what the old one sealed.
package struct SecretSeal: Sendable {
    private struct Key: Sendable {
        let signing: [UInt8]
        let encryption: [UInt8]
    }

    private let keys: [Key]
    private let now: @Sendable () -> Timestamp
    private let random: @Sendable (Int) -> [UInt8]

    package static let keyBytes = 32

    /// - Parameters:
    ///   - keys: each 32 bytes in URL-safe base64, as `Fernet.generate_key()` of Python's `cryptography` prints them; at least one.
    ///   - now: the time that a token says it was made at.
    ///   - random: gives so many bytes that nobody can foresee.
    package init(
        keys: [String], now: @escaping @Sendable () -> Timestamp, random: @escaping @Sendable (Int) -> [UInt8]
    ) throws(RegistryError) {
        var parsed: [Key] = []
        for text in keys {
            guard Self.isKey(text), let bytes = Self.bytes(text) else {
                throw RegistryError(
                    .invalid,
                    "the key for secrets of webhooks is no key: give 32 random bytes in URL-safe base64 (44 characters)"
                )
            }
            parsed.append(Key(signing: Array(bytes[..<16]), encryption: Array(bytes[16...])))
        }
        guard !parsed.isEmpty else { throw RegistryError(.invalid, "a key for secrets of webhooks is needed") }
        self.keys = parsed
        self.now = now
        self.random = random
    }

    package static func isKey(_ text: String) -> Bool { bytes(text)?.count == keyBytes }

    /// A new key, as `init` reads it.
    package static func makeKey(_ random: (Int) -> [UInt8]) -> String { text(random(keyBytes)) }

    /// The token of a secret.
    package func seal(_ secret: String) throws(RegistryError) -> String {
        let initial = random(16)
        let seconds = UInt64(max(0, now().microseconds / 1_000_000))
        guard
            let hidden = Self.crypt(Array(secret.utf8), keys[0].encryption, initial, encrypts: true)
        else { throw RegistryError(.unavailable, "the secret cannot be encrypted: OpenSSL has no AES-128-CBC") }
        var token: [UInt8] = [0x80]
        for shift in stride(from: 56, through: 0, by: -8) { token.append(UInt8(truncatingIfNeeded: seconds >> shift)) }
        token += initial + hidden
        return Self.text(token + Self.signature(token, keys[0].signing))
    }

    /// The secret of a token; `nil` where none of the keys sealed it, or somebody changed it.
    package func open(_ token: String) -> String? { opened(token)?.secret }

    /// Whether a token would be another one today, as an old key sealed it.
    func isStale(_ token: String) -> Bool { opened(token).map { $0.key > 0 } ?? false }

    private func opened(_ token: String) -> (secret: String, key: Int)? {
        // Version, time, initialization vector, at least one block, signature.
        guard let bytes = Self.bytes(token), bytes.count >= 1 + 8 + 16 + 16 + 32, bytes[0] == 0x80 else { return nil }
        let (body, given) = (Array(bytes.dropLast(32)), Array(bytes.suffix(32)))
        for (i, key) in keys.enumerated() {
            // Both are 32 bytes long and outlive the call.
            guard CRYPTO_memcmp(Self.signature(body, key.signing), given, 32) == 0,
                let plain = Self.crypt(Array(body[25...]), key.encryption, Array(body[9..<25]), encrypts: false),
                let secret = String(validating: plain, as: UTF8.self)
            else { continue }
            return (secret, i)
        }
        return nil
    }

    private static func signature(_ bytes: [UInt8], _ key: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        // All arrays outlive the call, and HMAC-SHA256 writes 32 bytes.
        HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, &digest, nil)
        return digest
    }

    private static func crypt(_ bytes: [UInt8], _ key: [UInt8], _ initial: [UInt8], encrypts: Bool) -> [UInt8]? {
        guard let context = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        // A block more than went in is the most that comes out; the arrays outlive the calls.
        var out = [UInt8](repeating: 0, count: bytes.count + 16)
        var (written, rest): (Int32, Int32) = (0, 0)
        guard EVP_CipherInit_ex(context, EVP_aes_128_cbc(), nil, key, initial, encrypts ? 1 : 0) == 1,
            EVP_CipherUpdate(context, &out, &written, bytes, Int32(bytes.count)) == 1
        else { return nil }
        let isFinal = out.withUnsafeMutableBufferPointer { buffer in
            EVP_CipherFinal_ex(context, buffer.baseAddress.map { $0 + Int(written) }, &rest) == 1
        }
        return isFinal ? Array(out[..<Int(written + rest)]) : nil
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(
            Data(bytes).base64EncodedString().map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        Data(base64Encoded: String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })).map { [UInt8]($0) }
    }
}

extension SecretSeal: CustomStringConvertible, CustomReflectable {
    package var description: String { "seal" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
