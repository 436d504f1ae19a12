import Foundation
import Kafka
import TestSupport
import Testing

/// What becomes of memory that is given back.
@Suite struct HeapTests {
    private static let answerBytes = 3 << 20

    /// Some answers of a broker, held together and then all given back.
    private static func answers() {
        let blocks = (0..<4).map { _ in malloc(answerBytes) }
        for block in blocks {
            if let block { memset(block, 7, answerBytes) }
        }
        for block in blocks { free(block) }
    }

    private static func faults() -> Int {
        var usage = rusage()
        // The calling thread's alone: RUSAGE_THREAD, which Swift does not see.
        getrusage(__rusage_who_t(1), &usage)
        return usage.ru_minflt
    }

    @Test func `memory of answers given back serves the next without a fault`() async throws {
        try await blocking {
            Heap.keepFreedMemory()
            Self.answers()
            let before = Self.faults()
            for _ in 0..<10 { Self.answers() }
            // Without it each of ten rounds touches 3,072 new pages.
            #expect(Self.faults() - before < 300)
        }
    }
}
