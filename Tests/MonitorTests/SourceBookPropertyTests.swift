import TestSupport
import Testing
import Values

@testable import Monitor

/// Readers that take sources from each other, with and without noticing, over logs with holes.
struct SourceBookPropertyTests {
    /// What the ledger would hold: how often each message was counted.
    private struct Ledger {
        var book = SourceBook(offsets: [:], clocks: [[:]])
        var counted: [String: [Int]]
        var refusals = 0

        /// - Returns: whether the counts were taken.
        mutating func submit(_ reader: inout Reader, leaving: [String] = []) -> Bool {
            var delta = IntakeDelta()
            var began: [String: Int64?] = [:]
            for (source, lane) in reader.lanes where lane.next != lane.began {
                delta.offsets[source] = lane.next
                began.updateValue(lane.began, forKey: source)
            }
            let report = IntakeReport(
                activity: [], reading: reader.lanes.keys.filter { !leaving.contains($0) }, leaving: leaving,
                began: began)
            guard book.refusal(of: delta, report) == nil else {
                refusals += 1
                reader.lanes = [:]
                return false
            }
            book.note(report, from: reader.name, at: Timestamp(microseconds: 0))
            book.stored(delta, clocks: [[:]])
            for (source, lane) in reader.lanes {
                for offset in lane.messages { counted[source]?[offset] += 1 }
                reader.lanes[source]?.began = lane.next
                reader.lanes[source]?.messages = []
            }
            for source in leaving { reader.lanes[source] = nil }
            return true
        }
    }

    private struct Reader {
        struct Lane {
            var began: Int64?
            var next: Int64?
            var messages: [Int] = []
        }

        let name: String
        var lanes: [String: Lane] = [:]

        mutating func take(_ source: String, _ ledger: inout Ledger) {
            let offset = ledger.book.take([source], by: name, at: Timestamp(microseconds: 0))[source]?.offset
            lanes[source] = Lane(began: offset, next: offset)
        }

        /// Reads up to so many messages; a hole is passed over, as compaction leaves them.
        mutating func read(_ source: String, _ count: Int, log: [Bool]) {
            guard var lane = lanes[source] else { return }
            var offset = Int(lane.next ?? 0)
            var left = count
            while left > 0, offset < log.count {
                if log[offset] {
                    lane.messages.append(offset)
                    left -= 1
                    lane.next = Int64(offset + 1)
                }
                offset += 1
            }
            lanes[source] = lane
        }
    }

    @Test func `whoever reads when, each message is counted once`() {
        var random = SeededGenerator(seed: 20_250_301)
        var refusals = 0
        for _ in 0..<300 {
            let sources = (0..<3).map { "t/\($0)" }
            let logs = Dictionary(
                uniqueKeysWithValues: sources.map { source in
                    (source, (0..<120).map { _ in Int.random(in: 0..<6, using: &random) > 0 })
                })
            var ledger = Ledger(counted: logs.mapValues { $0.map { _ in 0 } })
            var readers = (0..<3).map { Reader(name: "r\($0)") }
            for _ in 0..<150 {
                let r = Int.random(in: 0..<readers.count, using: &random)
                let source = sources[Int.random(in: 0..<sources.count, using: &random)]
                switch Int.random(in: 0..<12, using: &random) {
                case 0:
                    // In order: the one that has it writes, and gives it up.
                    for other in readers.indices where readers[other].lanes[source] != nil {
                        _ = ledger.submit(&readers[other], leaving: [source])
                    }
                    readers[r].take(source, &ledger)
                case 1:
                    // Those that had it have not noticed.
                    if readers[r].lanes[source] == nil { readers[r].take(source, &ledger) }
                case 2: readers[r].lanes = [:]
                case 3...5: _ = ledger.submit(&readers[r])
                default: readers[r].read(source, Int.random(in: 1...5, using: &random), log: logs[source] ?? [])
                }
            }
            // In the end one of them has it all to itself.
            for reader in readers.indices { _ = ledger.submit(&readers[reader]) }
            var last = Reader(name: "last")
            for source in sources {
                last.take(source, &ledger)
                last.read(source, .max, log: logs[source] ?? [])
            }
            let isTaken = ledger.submit(&last)
            #expect(isTaken, "seed \(random.seed)")
            for source in sources {
                let expected = logs[source]?.map { $0 ? 1 : 0 }
                #expect(ledger.counted[source] == expected, "seed \(random.seed)")
            }
            refusals += ledger.refusals
        }
        #expect(refusals > 100, "the readers did not get in each other's way")
    }
}
