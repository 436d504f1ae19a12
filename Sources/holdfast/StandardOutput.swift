import Foundation
import Monitor

/// Standard output, for commands whose result is itself what people read.
enum StandardOutput {
    /// The terminal's width and whether it wants colour. Where nobody watches, lines have a fixed width and no colour.
    static var style: CompareStyle {
        let environment = ProcessInfo.processInfo.environment
        let isTerminal = isatty(1) == 1
        let hasColour = isTerminal && environment["NO_COLOR"]?.isEmpty ?? true && environment["TERM"] != "dumb"
        return CompareStyle(width: width(isTerminal, environment["COLUMNS"]), hasColour: hasColour)
    }

    private static let defaultWidth = 120

    private static func width(_ isTerminal: Bool, _ columns: String?) -> Int {
        if let given = columns.flatMap({ Int($0) }), (1...10_000).contains(given) { return given }
        var size = winsize()
        guard isTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return defaultWidth }
        return Int(size.ws_col)
    }

    static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
