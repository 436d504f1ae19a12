import Values

extension LearnedReader {
    /// Reads a message that is an array of events, at least one, each in a usual form. As the array must be sound before any of it
    /// counts, what was counted is taken back where it turns out not to be one.
    /// - Returns: whether it was; nothing has changed where not.
    func readArray(
        _ message: UnsafeRawBufferPointer, at start: Int, _ defaults: TopicDefaults, _ latest: Timestamp?,
        _ source: UInt16, _ counters: EventCounters
    ) -> Bool {
        for i in tables.indices { rowsBefore[i] = rows[i].pointee.count }
        let marks = collects.map { $0?.marks ?? OutcomeRows.Marks() }
        let kinds = (counters.kinds[0], counters.kinds[1], counters.kinds[2])
        let unknownKeys = counters.unknownKeys.pointee
        let fast = counters.fast.pointee
        var scanner = JSONScanner(message)
        scanner.position = start
        while true {
            // Behind the bracket or a comma.
            scanner.position += 1
            scanner.skipWhitespace()
            guard !scanner.isAtEnd,
                let end = read(message, at: scanner.position, depth: 1, defaults: defaults),
                end - scanner.position <= EventDecoder.maximumMessageBytes, finish(defaults, latest)
            else { break }
            commit(source, counters)
            scanner.position = end
            scanner.skipWhitespace()
            if scanner.peek == 0x2c { continue }
            guard scanner.peek == 0x5d else { break }
            scanner.position += 1
            scanner.skipWhitespace()
            if scanner.isAtEnd { return true }
            break
        }
        (counters.kinds[0], counters.kinds[1], counters.kinds[2]) = kinds
        counters.unknownKeys.pointee = unknownKeys
        counters.fast.pointee = fast
        for i in tables.indices {
            takeBack(model: i)
            strays.takeBack(model: i, from: rowsBefore[i])
            collects[i]?.takeBack(to: marks[i])
        }
        return false
    }

    private func takeBack(model: Int) {
        let rows = rows[model]
        let tables = tables[model]
        for row in rowsBefore[model]..<rows.pointee.count {
            tables.countOverflow(rows.pointee.segments + row * rows.pointee.segmentWidth, by: -1)
        }
        rows.pointee.removeRows(from: rowsBefore[model])
    }
}
