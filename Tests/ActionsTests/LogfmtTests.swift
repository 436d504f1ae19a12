import Logging
import Synchronization
import Telemetry
import Testing

/// Lines as they were written, instead of stderr.
private final class Lines: Sendable {
    private let held = Mutex([String]())
    var all: [String] { held.withLock { $0 } }
    func add(_ line: String) { held.withLock { $0.append(line) } }
}

@Suite struct LogfmtTests {
    private func lines(
        level: Logger.Level = .info, provider: Logger.MetadataProvider? = nil, _ write: (inout Logger) -> Void
    ) -> [String] {
        let lines = Lines()
        var logger = Logger(label: "monitor") { label in
            LogfmtHandler(
                label: label, level: level, clock: { noon }, metadataProvider: provider, write: { lines.add($0) })
        }
        write(&logger)
        return lines.all
    }

    @Test func `a line, byte for byte`() {
        let written = lines { $0.info("window closed", metadata: ["rows": "1840", "model": "fraud v2"]) }
        #expect(
            written == [
                "level=info ts=2026-03-01T12:00:00Z msg=\"window closed\" logger=monitor model=\"fraud v2\" rows=1840\n"
            ])
    }

    @Test func `levels below the configured one are silent`() {
        let written = lines(level: .warning) {
            $0.info("no")
            $0.warning("yes")
            $0.error("yes")
        }
        #expect(written.map { $0.prefix(11) } == ["level=warn ", "level=error"])
    }

    @Test func `a value cannot forge a line or a key`() {
        let written = lines { $0.info("a\nlevel=error", metadata: ["k =\"": "x=\"y\"\u{1b}[31m\u{2028}\\"]) }
        #expect(written.count == 1 && written[0].utf8.count { $0 == 10 } == 1)
        #expect(written[0].contains(#"msg="a\nlevel=error""#))
        #expect(written[0].contains(#"k___="x=\"y\"\u001b[31m\u2028\\""#))
    }

    @Test func `nearer metadata wins, nested values are shown`() {
        let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider", "c": "provider"] }
        let written = lines(provider: provider) {
            $0[metadataKey: "a"] = "logger"
            $0[metadataKey: "z"] = ["1", "2"]
            $0.info("m", metadata: ["b": "event"])
        }
        #expect(written[0].hasSuffix("logger=monitor a=provider b=event c=provider z=\"[\\\"1\\\", \\\"2\\\"]\"\n"))
    }

    @Test func `empty and huge values stay readable`() {
        let written = lines { $0.info("", metadata: ["k": .string(String(repeating: "x", count: 10_000))]) }
        #expect(written[0].contains("msg=\"\" ") && written[0].count < 4_300)
    }

    @Test func `levels are read from configuration`() {
        #expect(LogfmtHandler.level(named: "INFO") == .info)
        #expect(LogfmtHandler.level(named: "warn") == .warning)
        #expect(LogfmtHandler.level(named: "loud") == nil)
    }
}
