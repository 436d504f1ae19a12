package import Values

extension EventDecoder {
    /// Where the events of a line stand: the elements of an array, each to be put in order by itself; `nil` for anything but a sound array.
    package static func elements(of line: UnsafeRawBufferPointer) -> [Range<Int>]? {
        var scanner = JSONScanner(line)
        scanner.skipWhitespace()
        guard scanner.peek == 0x5b else { return nil }
        let start = scanner.position
        guard (try? scanner.skipValue()) != nil else { return nil }
        scanner.skipWhitespace()
        guard scanner.isAtEnd else { return nil }
        scanner.position = start + 1
        var ranges: [Range<Int>] = []
        scanner.skipWhitespace()
        while scanner.peek != 0x5d, let range = try? scanner.skipValue() {
            ranges.append(range)
            scanner.skipWhitespace()
            if scanner.peek == 0x2c { scanner.position += 1 }
            scanner.skipWhitespace()
        }
        return ranges.isEmpty ? nil : ranges
    }

    /// The event time of one event's text, `nil` where it has none that can be read: for putting lines in order.
    package static func eventTime(of line: UnsafeRawBufferPointer) -> Timestamp? {
        var scanner = JSONScanner(line)
        guard let range = try? scanner.skipValue(), line[range.lowerBound] == 0x7b else { return nil }
        return EventParts(line, range).timestamp.flatMap { timestamp(line, $0) }
    }
}
