import Foundation
import Statistics
package import Values

/// Names what a model's stored join and performance mean: under other settings they would mean something else.
package struct JoinStamp: Sendable, Equatable, Codable {
    /// What records rest on: what labels are, which identities are looked at and how they are hashed.
    private let records: String
    /// The dimensions that a record's cell has values of.
    package let dimensions: [String]
    /// The pieces performance is kept in.
    private let panes: String
    /// What else is counted, and how.
    private let counts: String

    package init(
        _ settings: PerformanceSettings, pane: Span, timezone: String, dimensions: [String], segmentations: [[String]]
    ) {
        self.dimensions = dimensions
        let separator = settings.task == .ranking ? " \(settings.querySeparator)" : ""
        records = "\(settings.task.rawValue) \(settings.sample)\(separator)"
        panes = "\(pane) \(timezone)"
        let cutoff = settings.task == .ranking ? " \(settings.cutoff)" : ""
        counts = "\(settings.positives) \(settings.threshold) \(settings.exponent)\(cutoff) \(segmentations)"
    }

    /// - Returns: `nil` for a stamp of an older program.
    package init?(_ text: String) {
        guard let read = try? JSONDecoder().decode(JoinStamp.self, from: Data(text.utf8)) else { return nil }
        self = read
    }

    package var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Records stored under the other stamp can be counted under this one.
    package func canRecount(_ other: JoinStamp) -> Bool { records == other.records }

    /// Windows told under the other stamp are made of whole pieces of this one.
    package func hasPanes(of other: JoinStamp) -> Bool { panes == other.panes }

    /// A cell of the other stamp, with its values where this one has them.
    package func cell(_ cell: JoinCell, of other: JoinStamp) -> JoinCell {
        let values = dimensions.map { name -> String? in
            guard let place = other.dimensions.firstIndex(of: name), place < cell.values.count else { return nil }
            return cell.values[place]
        }
        return JoinCell(version: cell.version, values: values)
    }
}
