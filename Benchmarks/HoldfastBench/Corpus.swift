import ArgumentParser
import Events
import Foundation
import Monitor
import StrictYAML

/// Messages in memory, and the models that understand them.
struct Corpus {
    let messages: [UnsafeRawBufferPointer]
    let models: [MonitoredModel]
    /// The Avro schema registered as 1, where the messages are Avro.
    let schema: [UInt8]?

    struct Options: ParsableArguments {
        @Option(name: .long, help: "holdfast.yaml with the model and its reference.") var config: String
        @Option(
            name: .long, help: "JSON lines, or with --format avro messages after their length (32 bits, little-endian)."
        )
        var events: String
        @Option(name: .long, help: "Take no more messages than this.") var eventsMax = Int.max
        @Option(name: .long, help: "json or avro.") var format = "json"
        @Option(name: .long, help: "The Avro schema the messages were written with, registered as 1.") var schema:
            String?
    }

    /// - Parameter count: messages to have; the file's are repeated where it has fewer.
    init(_ options: Options, count: Int? = nil) throws {
        let configuration = try ConfigurationReader.read(options.config)
        models = try MonitoredModel.load(configuration)
        if options.format == "avro" {
            guard let path = options.schema else { throw ValidationError("--format avro needs --schema") }
            schema = [UInt8](try Data(contentsOf: URL(filePath: path)))
        } else {
            schema = nil
        }
        let file = try Self.messages(options.events, isFramed: options.format == "avro")
        guard !file.isEmpty else { throw ValidationError("\(options.events): no messages") }
        let wanted = count ?? min(file.count, options.eventsMax)
        messages = (0..<wanted).map { file[$0 % file.count] }
    }

    /// The bytes stay for the life of the process.
    static func messages(_ path: String, isFramed: Bool) throws -> [UnsafeRawBufferPointer] {
        let data = try Data(contentsOf: URL(filePath: path))
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, data.count), alignment: 16)
        copy.copyBytes(from: data)
        let bytes = UnsafeRawBufferPointer(rebasing: copy[0..<data.count])
        var found: [UnsafeRawBufferPointer] = []
        var at = 0
        while at < bytes.count {
            var end: Int
            var next: Int
            if isFramed {
                at += 4
                end = at + Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at - 4, as: UInt32.self)))
                next = end
            } else {
                end = at
                while end < bytes.count, bytes[end] != 0x0a { end += 1 }
                next = end + 1
            }
            if end > at { found.append(UnsafeRawBufferPointer(rebasing: bytes[at..<end])) }
            at = next
        }
        return found
    }

    /// An intake and a decoder that can read the messages.
    func intake() -> Intake {
        var intake = Intake(models)
        if let schema { intake.setSchema(1, schema) }
        return intake
    }

    func decoder() -> EventDecoder {
        var decoder = EventDecoder(models.map(\.schema))
        schema?.withUnsafeBytes { decoder.setSchema(1, $0) }
        return decoder
    }

    /// Gives an intake the messages numbered so.
    func feed(_ range: Range<Int>, to intake: inout Intake, source: String) {
        feed(range, to: &intake, route: intake.route(source: source, topic: "bench", defaults: TopicDefaults()))
    }

    func feed(_ range: Range<Int>, to intake: inout Intake, route: Int) {
        if schema == nil {
            for i in range { intake.add(messages[i], route: route, offset: Int64(i), now: nil, reject: { _ in }) }
        } else {
            for i in range {
                let outcome = intake.addAvro(messages[i], route: route, offset: Int64(i), now: nil, reject: { _ in })
                guard case .done = outcome else { preconditionFailure("a message of an unknown schema") }
            }
        }
    }
}
