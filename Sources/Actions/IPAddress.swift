import Foundation

/// An IPv4 or IPv6 address and how far it reaches. Guards outgoing requests against being pointed at our own
/// network (server-side request forgery).
package struct IPAddress: Sendable, Hashable {
    package enum Reach: Sendable, Hashable {
        /// Anywhere on the public internet.
        case global
        /// This machine or a private network: only where the operator allows it.
        case local
        /// Nowhere a webhook can sensibly live (cloud metadata, multicast, reserved, translated): never.
        case forbidden
    }

    /// 4 or 16 bytes in network order.
    package let bytes: [UInt8]

    package var isIPv6: Bool { bytes.count == 16 }

    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Only the canonical spellings (`127.0.0.1`, `::1`). `127.1`, `0x7f000001` and zone suffixes are not literals
    /// here: they go through the resolver and are judged by what it makes of them.
    package init?(parsing text: String) {
        var v4 = [UInt8](repeating: 0, count: 4)
        var v6 = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &v4) == 1 {
            bytes = v4
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            bytes = v6
        } else {
            return nil
        }
    }

    package var isLoopback: Bool {
        isIPv6 ? bytes.last == 1 && bytes.dropLast().allSatisfy { $0 == 0 } : bytes.first == 127
    }

    package var reach: Reach {
        Self.ranges.first { $0.contains(self) }?.reach ?? .global
    }

    /// A block of addresses in CIDR notation.
    private struct Range: Sendable {
        let base: [UInt8]
        let prefixBits: Int
        let reach: Reach

        init(_ base: [UInt8], _ prefixBits: Int, _ reach: Reach) {
            self.base = base
            self.prefixBits = prefixBits
            self.reach = reach
        }

        func contains(_ address: IPAddress) -> Bool {
            guard base.count == address.bytes.count else { return false }
            var left = prefixBits
            for (a, b) in zip(base, address.bytes) {
                if left <= 0 { return true }
                let mask: UInt8 = left >= 8 ? 0xff : ~(0xff >> UInt8(left))
                if a & mask != b & mask { return false }
                left -= 8
            }
            return true
        }
    }

    private static func v4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ bits: Int, _ reach: Reach) -> Range {
        Range([a, b, c, 0], bits, reach)
    }

    private static func v6(_ head: [UInt8], _ bits: Int, _ reach: Reach) -> Range {
        Range(head + [UInt8](repeating: 0, count: 16 - head.count), bits, reach)
    }

    private static let zeros = [UInt8](repeating: 0, count: 10)

    /// First match counts. Blocks that embed an IPv4 address are forbidden whole, because judging the inner address
    /// would trust whatever translates it.
    private static let ranges: [Range] = [
        v4(0, 0, 0, 8, .forbidden), v4(10, 0, 0, 8, .local), v4(100, 64, 0, 10, .local), v4(127, 0, 0, 8, .local),
        v4(169, 254, 0, 16, .forbidden), v4(172, 16, 0, 12, .local), v4(192, 0, 0, 24, .forbidden),
        v4(192, 168, 0, 16, .local), v4(198, 18, 0, 15, .local), v4(224, 0, 0, 4, .forbidden),
        v4(240, 0, 0, 4, .forbidden),
        // ::1 before the deprecated IPv4-compatible block ::/96, which holds :: as well.
        v6([UInt8](repeating: 0, count: 15) + [1], 128, .local), v6([], 96, .forbidden),
        v6(zeros + [0xff, 0xff], 96, .forbidden),
        v6([0x00, 0x64, 0xff, 0x9b], 96, .forbidden), v6([0x00, 0x64, 0xff, 0x9b, 0, 1], 48, .forbidden),
        // Teredo and 6to4 carry an IPv4 address too.
        v6([0x20, 0x01, 0, 0], 32, .forbidden), v6([0x20, 0x02], 16, .forbidden),
        v6([0xfc], 7, .local), v6([0xfe, 0x80], 10, .forbidden), v6([0xfe, 0xc0], 10, .forbidden),
        v6([0xff], 8, .forbidden),
    ]
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let written = inet_ntop(isIPv6 ? AF_INET6 : AF_INET, bytes, &text, socklen_t(text.count))
        guard written != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
