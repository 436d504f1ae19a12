import Foundation
import Testing

/// Replays what the fuzzer found worth keeping (Benchmarks/Decoder/Fuzz): inputs that between them reach every branch it could.
struct FuzzCorpusTests {
    private static func corpus() throws -> [Data] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/fuzz-corpus.txt")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
            try #require(Data(base64Encoded: String(line)))
        }
    }

    @Test func `a decoder with a past and one without make the same of the fuzzer's corpus`() throws {
        var replay = FuzzReplay()
        for input in try Self.corpus() {
            let fault = input.withUnsafeBytes { replay.fault(in: $0) }
            #expect(fault == nil, "\(input.base64EncodedString())")
        }
        // An empty corpus would prove nothing.
        #expect(replay.rows > 100 && replay.refusals > 1_000)
    }
}
