package import Values

extension EventDecoder {
    /// The event time of one event's text, `nil` where it has none that can be read: for putting lines in order.
    package static func eventTime(of line: UnsafeRawBufferPointer) -> Timestamp? {
        var scanner = JSONScanner(line)
        guard let range = try? scanner.skipValue(), line[range.lowerBound] == 0x7b else { return nil }
        return EventParts(line, range).timestamp.flatMap { timestamp(line, $0) }
    }
}
