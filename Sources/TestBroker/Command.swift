/// A line of stdin.
enum Command: Equatable {
    case topic(name: String, partitions: Int32)
    /// The next `count` requests of a kind fail with a broker's error code; -195 cuts the connection.
    case error(apiKey: Int16, code: Int32, count: Int)
    /// -1 is every broker.
    case down(broker: Int32)
    case up(broker: Int32)
    case rtt(broker: Int32, milliseconds: Int32)
    /// -1 leaves the partition without leader.
    case leader(topic: String, partition: Int32, broker: Int32)
    case coordinator(kind: String, key: String, broker: Int32)
    case quit

    init(parsing line: String) throws(CommandError) {
        let words = line.split(separator: " ").map(String.init)
        guard let verb = words.first else { throw CommandError("empty command") }
        var arguments = Arguments(verb: verb, words: words.dropFirst())
        switch verb {
        case "topic": self = .topic(name: try arguments.text(), partitions: try arguments.number())
        case "error":
            self = .error(apiKey: try arguments.number(), code: try arguments.number(), count: try arguments.number())
        case "down": self = .down(broker: try arguments.number(default: -1))
        case "up": self = .up(broker: try arguments.number(default: -1))
        case "rtt": self = .rtt(broker: try arguments.number(), milliseconds: try arguments.number())
        case "leader":
            self = .leader(
                topic: try arguments.text(), partition: try arguments.number(), broker: try arguments.number())
        case "coordinator":
            self = .coordinator(
                kind: try arguments.text(), key: try arguments.text(), broker: try arguments.number())
        case "quit": self = .quit
        default: throw CommandError("unknown command \(verb)")
        }
        try arguments.end()
    }
}

/// The words after a command's verb, read in order.
private struct Arguments {
    let verb: String
    var words: ArraySlice<String>

    mutating func text() throws(CommandError) -> String {
        guard let word = words.popFirst() else { throw CommandError("\(verb): too few arguments") }
        return word
    }

    mutating func number<N: FixedWidthInteger>() throws(CommandError) -> N {
        let word = try text()
        guard let number = N(word) else { throw CommandError("\(verb): \(word) is not a number") }
        return number
    }

    mutating func number<N: FixedWidthInteger>(default value: N) throws(CommandError) -> N {
        words.isEmpty ? value : try number()
    }

    func end() throws(CommandError) {
        if let extra = words.first { throw CommandError("\(verb): what is \(extra)?") }
    }
}

struct CommandError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
