import Events
import Files
import Values

/// The lines of some files in the order a replay feeds them.
struct ReplayLines {
    /// Lines are sorted within this many bytes: smaller inputs completely, larger ones as far as their disorder stays within it.
    private static let sortBytes = 128 * 1024 * 1024

    private struct Line {
        let time: Timestamp
        let sequence: Int
        let bytes: [UInt8]
        let reader: Int
        let number: Int
    }

    private let readers: [LineReader]
    private let order: Replay.Order
    /// A binary heap, earliest line first.
    private var heap: [Line] = []
    private var heapBytes = 0
    private var lastTimes: [Timestamp]
    private var ended: [Bool]
    private var sequence = 0
    private var current = 0

    init(_ paths: [String], order: Replay.Order) throws(FileError) {
        var readers: [LineReader] = []
        for path in paths { readers.append(try LineReader(path: path)) }
        self.readers = readers
        self.order = order
        lastTimes = readers.map { _ in .distantPast }
        ended = readers.map { _ in false }
    }

    /// How much of the input has been handed out, 0 to 1; `nil` where its size is not known.
    var share: Double? {
        var done = 0
        var total = 0
        for reader in readers {
            guard let size = reader.stream.size else { return nil }
            done += reader.stream.consumed
            total += size
        }
        guard total > 0 else { return nil }
        // Lines wait to be put in order: what was read is not yet handed out.
        let waiting = heap.isEmpty ? 0 : Double(heap.count) / Double(max(sequence, heap.count))
        return Double(done) / Double(total) * (1 - waiting)
    }

    /// Lends the next line that is not empty, with its file and number; false at the end.
    mutating func next(
        _ body: (_ line: UnsafeRawBufferPointer, _ path: String, _ number: Int) -> Void
    ) throws(FileError) -> Bool {
        switch order {
        case .file:
            while current < readers.count {
                let reader = readers[current]
                if try reader.next({ line in if !line.isEmpty { body(line, reader.stream.path, reader.lineNumber) } }) {
                    return true
                }
                current += 1
            }
            return false
        case .time:
            while heapBytes < Self.sortBytes, let reader = earliestOpenReader() { try fill(from: reader) }
            guard let line = pop() else { return false }
            line.bytes.withUnsafeBytes { body($0, readers[line.reader].stream.path, line.number) }
            return true
        }
    }

    private func earliestOpenReader() -> Int? {
        readers.indices.filter { !ended[$0] }.min { lastTimes[$0] < lastTimes[$1] }
    }

    private mutating func fill(from reader: Int) throws(FileError) {
        var events: [(bytes: [UInt8], time: Timestamp?)] = []
        let more = try readers[reader].next { line in
            guard !line.isEmpty else { return }
            // The events of an array go each to its own place in time.
            for range in EventDecoder.elements(of: line) ?? [0..<line.count] {
                let event = UnsafeRawBufferPointer(rebasing: line[range])
                events.append((Array(event), EventDecoder.eventTime(of: event)))
            }
        }
        guard more else {
            ended[reader] = true
            return
        }
        for event in events {
            // A line without a time keeps its place among its neighbours.
            let at = event.time ?? lastTimes[reader]
            lastTimes[reader] = max(lastTimes[reader], at)
            sequence += 1
            push(
                Line(
                    time: at, sequence: sequence, bytes: event.bytes, reader: reader,
                    number: readers[reader].lineNumber))
        }
    }

    private func precedes(_ a: Line, _ b: Line) -> Bool {
        a.time != b.time ? a.time < b.time : a.sequence < b.sequence
    }

    private mutating func push(_ line: Line) {
        heapBytes += line.bytes.count + 64
        heap.append(line)
        var child = heap.count - 1
        while child > 0, precedes(heap[child], heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func pop() -> Line? {
        guard let first = heap.first else { return nil }
        heapBytes -= first.bytes.count + 64
        let last = heap.removeLast()
        if heap.isEmpty { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(heap[child], heap[least])
            {
                least = child
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
