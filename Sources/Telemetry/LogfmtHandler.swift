import Foundation
package import Logging
package import Values

/// Log lines as logfmt: `level=info ts=2026-03-01T12:00:00Z msg="window closed" logger=monitor model=fraud`.
/// Keys after `logger` are sorted, so that lines compare; each is written whole, in one call.
package struct LogfmtHandler: LogHandler {
    /// Longer values are cut: one huge value must not drown the log.
    static let valueCharactersMax = 4_096

    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level

    private let label: String
    private let clock: @Sendable () -> Timestamp
    private let write: @Sendable (String) -> Void

    package init(
        label: String, level: Logger.Level, clock: @escaping @Sendable () -> Timestamp,
        metadataProvider: Logger.MetadataProvider? = nil,
        write: @escaping @Sendable (String) -> Void = LogfmtHandler.standardError
    ) {
        self.label = label
        logLevel = level
        self.clock = clock
        self.metadataProvider = metadataProvider
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get() { merged.merge(provided) { _, new in new } }
        if let own = event.metadata { merged.merge(own) { _, new in new } }
        if let error = event.error, merged["error"] == nil { merged["error"] = "\(error)" }
        var line = "level=\(Self.name(event.level)) ts=\(clock().rfc3339) msg=\(Self.value(event.message.description))"
        line += " logger=\(Self.value(label))"
        for (key, value) in merged.sorted(by: { $0.key < $1.key }) {
            line += " \(Self.key(key))=\(Self.value(value.description))"
        }
        write(line + "\n")
    }

    /// To stderr in one `write`, so that lines of different threads do not mix.
    package static let standardError: @Sendable (String) -> Void = { line in
        var rest = [UInt8](line.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            // A closed stderr is nobody's to be told of; the service goes on.
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }

    /// The level of a configuration's text, `nil` where it names none.
    package static func level(named text: String) -> Logger.Level? {
        let name = text.lowercased()
        return name == "warn" ? .warning : Logger.Level(rawValue: name)
    }

    private static func name(_ level: Logger.Level) -> String { level == .warning ? "warn" : level.rawValue }

    private static func key(_ key: String) -> String {
        let valid = key.unicodeScalars.map { scalar in
            scalar.value <= 0x20 || scalar == "=" || scalar == "\"" || scalar.value == 0x7f ? "_" : Character(scalar)
        }
        return valid.isEmpty ? "_" : String(valid)
    }

    /// Bare where it reads back as it is, else quoted. Line feeds are escaped: a value must not forge a line.
    static func value(_ text: String) -> String {
        let cut = text.count > valueCharactersMax ? text.prefix(valueCharactersMax) + "…" : Substring(text)
        let isBare = cut.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value < 0x7f && $0 != "=" && $0 != "\"" && $0 != "\\"
        }
        if isBare, !cut.isEmpty { return String(cut) }
        var out = "\""
        for scalar in cut.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            // C0, DEL, C1 and the line separators: terminals and log viewers act on them.
            case _
            where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
                || (0x2028...0x202e).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value):
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
