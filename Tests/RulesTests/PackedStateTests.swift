import Foundation
import Statistics
import Testing

@testable import Rules

/// The rule engine's state as bytes: small, the same every time, and never a crash.
struct PackedStateTests {
    private struct Sample: Codable, Equatable {
        enum Kind: Codable, Equatable {
            case plain, marked(isX: Bool)
        }
        var numbers: [Double] = [1, 2, 3.5, -1e300, -1e300, 0, 1e15, -7]
        var name: String?
        var counts = ["b": 2, "a": -5, "": 300]
        var large = UInt64.max
        var kind = Kind.marked(isX: true)
        var rows: [[Double]] = [[], [1], [1, 0.1]]
        var nothing: [String]? = nil
    }

    @Test func `a value comes back as it was, from the same bytes every time`() throws {
        let bytes = try PackedEncoder.encode(Sample()).bytes()
        #expect(try PackedDecoder.decode(Sample.self, from: PackedValue(bytes[...])) == Sample())
        #expect(try PackedEncoder.encode(Sample()).bytes() == bytes)
        let zero = try PackedEncoder.encode([-0.0]).bytes()
        #expect(try PackedDecoder.decode([Double].self, from: PackedValue(zero[...]))[0].sign == .minus)
    }

    @Test func `bytes that are cut or changed throw or give another value`() throws {
        let bytes = try PackedEncoder.encode(Sample()).bytes()
        for i in bytes.indices {
            #expect(throws: (any Error).self) { try PackedValue(bytes[..<i]) }
            for step in [1, 77, 200] as [UInt8] {
                var changed = bytes
                changed[i] &+= step
                _ = try? PackedDecoder.decode(Sample.self, from: PackedValue(changed[...]))
            }
        }
    }

    @Test func `a state of an older program, in JSON, is read and goes on packed`() throws {
        var monitoring = Monitoring(
            try ruleSet(
                "alert: A, expr: mean > 1, significance: none",
                "alert: B, expr: psi by (*) > 0.9, significance: edetector"))
        let hour = SnapshotFixture.build { fixture in
            fixture.add("amount", [.mean: 2])
            for i in 0..<40 { fixture.add("amount", [.psi: 0.3], in: [("country", "C\(i)")]) }
        }
        for index in 0..<12 { _ = monitoring.close(index, hour) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let json = try encoder.encode(monitoring.state)
        let packed = try monitoring.state.encoded()
        #expect(try ModelAlertState(decoding: json) == monitoring.state)
        #expect(try ModelAlertState(decoding: packed) == monitoring.state)
        #expect(packed.count * 2 < json.count)
    }
}
