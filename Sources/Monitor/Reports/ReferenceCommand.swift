import Events
import Files
import Foundation
package import Sketches
import Statistics
import Values
import Windows

/// `holdfast reference build` and `show`.
package enum ReferenceCommand {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package struct Built {
        package let summary: String
        package let notes: [String]
    }

    /// Learns a reference from files and writes it.
    /// - Parameter configuration: gives segments, column types and bins of the model, where the caller has one.
    package static func build(
        files: [String], model: String?, version: String?, settings: Configuration.Model?, segments: [[String]]?,
        to output: String
    ) throws -> Built {
        let loaded = try TableReader.read(files)
        var options = ReferenceBuilder.Options()
        options.model = model ?? settings?.name
        options.version = version
        options.segmentations = segments ?? settings?.segments
        options.columns = settings?.columns ?? [:]
        options.bins = settings?.bins ?? 10
        if let calendar = settings?.window.calendar { options.calendar = calendar }
        var builder = ReferenceBuilder(loaded.table, options)
        let reference = try builder.build()
        var encoded = ReferenceFile.encode(reference)
        let performance = ReferencePerformance.build(
            loaded.table, reference, settings?.performance, calendar: options.calendar)
        if let performance { encoded = ReferenceFile.adding(performance, to: encoded) }
        let bytes = Data(encoded)
        let url = URL(filePath: output)
        try? FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        do {
            try bytes.write(to: url, options: .atomic)
        } catch {
            throw Failure(description: "\(output): cannot be written: \(error.localizedDescription)")
        }
        var notes = builder.notes
        if loaded.problemCount > 0 {
            notes.append("\(loaded.problemCount) lines could not be read and were left out:")
            notes += loaded.problems.map { "  " + $0 }
        }
        if let note = positiveNote(performance) { notes.append(note) }
        let columns = reference.layout.columns
        let numeric = columns.count { $0.bins.isNumeric }
        return Built(
            summary:
                "\(output): \(reference.all.profile.rows) rows of \(reference.model), \(numeric) numeric and \(columns.count - numeric) categorical columns, \(reference.groups.count - 1) segments"
                + (performance?.groups[.all].map { ", \($0.labelled) labelled rows" } ?? ""),
            notes: notes)
    }

    /// A positive class that no label has is hardly meant.
    private static func positiveNote(_ performance: PerformanceReference?) -> String? {
        guard let performance, performance.task == .binary, let all = performance.groups[.all], all.positives == 0,
            let basis = performance.basis
        else { return nil }
        return
            "none of the \(all.labelled) labels is of the positive class (\(basis.positives.joined(separator: ", "))): they are "
            + "\(basis.labels.prefix(10).joined(separator: ", ")); name it by `positive` in a configuration, and build with --config"
    }

    package static func load(_ path: String) throws -> Reference {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(description: "\(path): there is no such file")
        }
        do {
            return try ReferenceFile.decode([UInt8](data))
        } catch {
            throw Failure(description: "\(path): \(error)")
        }
    }
}
