/// FNV-1a over 64 bits (Fowler, Noll, Vo): small, stable across machines and versions. Identity only, no secrecy.
package enum Fingerprint {
    /// 16 hexadecimal digits of labels: names in byte order, each name and value followed by a 0xFF byte, which no
    /// UTF-8 text contains, so that no two label sets run together.
    package static func hex(of labels: [String: String]) -> String {
        hex(of: labels.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] })
    }

    package static func hex(of parts: [String]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for part in parts {
            for byte in part.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0xff) &* 0x100_0000_01b3
        }
        let text = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
