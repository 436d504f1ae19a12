import COpenSSL
import Foundation
package import Values

/// A key that signs deliveries, from the form it is configured in.
package struct SigningKey: Sendable {
    let bytes: [UInt8]

    /// `whsec_` and base64 as Standard Webhooks writes keys; any other text is the key itself, byte for byte.
    package init(parsing text: String) throws(ReceiverError) {
        let marker = "whsec_"
        if text.hasPrefix(marker) {
            guard let decoded = Data(base64Encoded: String(text.dropFirst(marker.count))) else {
                throw .invalidSecret
            }
            bytes = [UInt8](decoded)
        } else {
            bytes = [UInt8](text.utf8)
        }
        guard !bytes.isEmpty else { throw .emptySecret }
    }
}

extension SigningKey: CustomStringConvertible, CustomReflectable {
    package var description: String { "key of \(bytes.count) bytes" }
    package var customMirror: Mirror { Mirror(self, children: ["key": description]) }
}

/// Signs and checks deliveries as Standard Webhooks 1.0 does: `v1,` and the base64 of
/// HMAC-SHA256(key, `id.timestamp.body`), where `timestamp` is that of the attempt in Unix seconds.
package enum Signature {
    /// The value of `webhook-signature`: one signature per key, so that both sides of a rotation can verify.
    package static func header(id: String, timestamp: Timestamp, body: [UInt8], keys: [SigningKey]) -> String {
        let signed = signedBytes(id: id, seconds: unixSeconds(timestamp), body: body)
        return keys.map { "v1," + Data(hmac(signed, key: $0)).base64EncodedString() }.joined(separator: " ")
    }

    /// The value of `webhook-timestamp`.
    package static func timestampHeader(_ timestamp: Timestamp) -> String { String(unixSeconds(timestamp)) }

    /// True if any `v1` signature of the header fits any key and the timestamp lies within `tolerance` of `now`.
    /// The digests are compared in constant time, so that a forger learns nothing from how long a refusal takes.
    package static func verify(
        header: String, id: String, timestampHeader: String, body: [UInt8], keys: [SigningKey], now: Timestamp,
        tolerance: Span = .minutes(5)
    ) -> Bool {
        // The bound keeps the arithmetic below away from overflow; it is the year 9999.
        guard let seconds = Int64(timestampHeader), (0...253_402_300_799).contains(seconds) else { return false }
        let distance = (Timestamp(microseconds: seconds * 1_000_000) - now).microseconds.magnitude
        guard distance <= tolerance.microseconds.magnitude else { return false }
        let signed = signedBytes(id: id, seconds: seconds, body: body)
        let expected = keys.map { hmac(signed, key: $0) }
        var isValid = false
        for candidate in header.split(separator: " ").prefix(16) where candidate.hasPrefix("v1,") {
            guard let digest = Data(base64Encoded: String(candidate.dropFirst(3))) else { continue }
            for own in expected where digest.count == own.count {
                if CRYPTO_memcmp([UInt8](digest), own, own.count) == 0 { isValid = true }
            }
        }
        return isValid
    }

    private static func unixSeconds(_ timestamp: Timestamp) -> Int64 {
        timestamp.microseconds.flooredQuotient(by: 1_000_000)
    }

    private static func signedBytes(id: String, seconds: Int64, body: [UInt8]) -> [UInt8] {
        [UInt8]("\(id).\(seconds).".utf8) + body
    }

    private static func hmac(_ message: [UInt8], key: SigningKey) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        let result = HMAC(
            EVP_sha256(), key.bytes, Int32(key.bytes.count), message, message.count, &digest, &length)
        // HMAC fails only where memory is exhausted or SHA-256 is missing; sending unsigned instead would be worse.
        precondition(result != nil && length == 32, "libcrypto could not compute HMAC-SHA256")
        return digest
    }

    /// Lower-case hexadecimal SHA-256, for identifiers.
    static func sha256Hex(_ text: String) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        let input = [UInt8](text.utf8)
        let result = SHA256(input, input.count, &digest)
        precondition(result != nil, "libcrypto could not compute SHA-256")
        let hex = [UInt8]("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [hex[Int($0 >> 4)], hex[Int($0 & 15)]] }, as: UTF8.self)
    }
}
