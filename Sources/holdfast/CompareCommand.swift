import ArgumentParser
import Foundation
import Monitor

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two files of rows, column by column, exactly.",
        discussion: """
            Prints the columns most drifted first. Exits 1 if any has drifted: its PSI is above the threshold and \
            beyond what noise explains. Exits 2 for input that cannot be used.
            """)

    @Argument(help: "What normal looks like: CSV or JSON lines, plain, .gz or .zst.") var reference: String?
    @Argument(help: "What is compared with it.") var current: String?
    @Option(
        name: .long,
        help:
            "Repeat the report for each value of this column or segment; several joined by commas for a cross. May be repeated."
    )
    var segment: [String] = []
    @Flag(name: .long, help: "Print JSON.") var json = false
    @Option(name: .long, help: "Write the report as a web page.") var html: String?
    @Option(
        name: .long,
        help:
            "Compare histograms instead of rows: a file of {\"kind\":\"numeric|categorical\",\"edges\":[…],\"reference\":[…],\"current\":[…]}."
    )
    var counts: String?
    @Option(name: .long, help: "Compute distances as another tool does: evidently, nannyml or tfdv.")
    var convention: CompareConvention?
    @Option(name: .long, help: "PSI above which a column has drifted.") var threshold = 0.2
    @Option(name: .long, help: "What stands in for empty bins: jeffreys, laplace, none or floor(x).")
    var smoothing = "jeffreys"

    func validate() throws {
        if counts != nil {
            guard reference == nil, current == nil else {
                throw ValidationError("--counts takes the place of REFERENCE and CURRENT: give one or the other")
            }
        } else if reference == nil || current == nil {
            throw ValidationError("give two files, REFERENCE and CURRENT, or --counts FILE")
        }
        if let empty = segment.first(where: { $0.split(separator: ",").isEmpty }) {
            throw ValidationError("--segment '\(empty)' names no column")
        }
        guard threshold.isFinite, threshold >= 0 else {
            throw ValidationError("--threshold is \(threshold): a PSI is a number from 0 up")
        }
    }

    func run() throws {
        let report: CompareReport
        do {
            report = try makeReport()
            if let html { try write(ComparePage(report).html, to: html) }
        } catch {
            Terminal.error("error: \(error)")
            throw ExitCode(2)
        }
        for note in report.notes { Terminal.line("note: \(note)") }
        StandardOutput.write(
            json ? report.jsonText : CompareTable(report, style: StandardOutput.style).text)
        if let html { Terminal.line("wrote \(html)") }
        if report.exitCode != 0 { throw ExitCode(report.exitCode) }
    }

    private func makeReport() throws -> CompareReport {
        var options = Compare.Options()
        options.segments = segment.map { $0.split(separator: ",").map(String.init) }
        try options.setSmoothing(smoothing)
        options.threshold = threshold
        options.convention = convention
        if let counts { return try Compare.counts(file: counts, options: options) }
        return try Compare.files(reference: reference ?? "", current: current ?? "", options: options)
    }

    private func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw OutputFailure(description: "\(path): cannot be written: \(error.localizedDescription)")
        }
    }
}

private struct OutputFailure: Error, CustomStringConvertible {
    let description: String
}

extension CompareConvention: ExpressibleByArgument {}
