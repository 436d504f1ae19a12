import Events
import Foundation
import Ledger
import Server
import Statistics
package import Values

/// `holdfast explain`: an alert derived again from what the ledger holds, for people or as JSON.
package struct Explanation: Sendable {
    /// Why there is nothing to explain.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
        /// The command was used wrongly or the ledger cannot be read, rather than the alert not being there.
        package let isUsage: Bool
    }

    let history: AlertHistory
    /// The state told last, with the evidence of the last time it fired.
    let alert: JSON

    init?(_ history: AlertHistory) {
        guard let alert = history.alert else { return nil }
        self.history = history
        self.alert = alert
    }

    /// Looks the alert up.
    /// - Parameters:
    ///   - fingerprint: of the alert, or its beginning.
    ///   - config: a configuration file, whose `state` names the folder.
    ///   - state: the folder itself.
    ///   - until: as it was told by then; as it is told now where left out.
    package static func find(
        _ fingerprint: String, config: String?, state: String?, until: Timestamp? = nil
    ) async throws -> Explanation {
        let folder = try state ?? ConfigurationReader.read(config ?? "holdfast.yaml").statePath
        let path = folder + "/ledger.sqlite"
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(description: "\(path): there is no ledger; name the state folder with --state", isUsage: true)
        }
        let ledger: Ledger
        do {
            ledger = try Ledger(readingAt: path)
        } catch {
            throw Failure(description: "\(error)", isUsage: true)
        }
        let known = try await ledger.alerts(beginning: fingerprint.lowercased())
        guard let found = known.first, !fingerprint.isEmpty else {
            throw Failure(
                description:
                    "no alert begins with `\(fingerprint)`; the page and `alerts` list fingerprints, and alerts older than the "
                    + "retention are forgotten", isUsage: false)
        }
        guard known.count == 1 else {
            let list = known.prefix(10).map { "\($0.fingerprint) (\($0.model))" }.joined(separator: ", ")
            throw Failure(description: "several alerts begin with `\(fingerprint)`: \(list)", isUsage: false)
        }
        let history = try await AlertArchive(ledger: ledger).history(
            model: found.model, fingerprint: found.fingerprint, until: until)
        guard let explanation = history.flatMap(Explanation.init) else {
            if let until {
                throw Failure(
                    description: "nothing was told of \(found.fingerprint) by \(until.rfc3339)", isUsage: false)
            }
            throw Failure(description: "what was told of \(found.fingerprint) cannot be read", isUsage: false)
        }
        return explanation
    }

    /// Whether the value that was told is the one the stored counts give; `nil` where there is nothing to compute it from.
    var agrees: Bool? {
        guard let again = history.rederived, let told = alert["context"]?["value"]?.numberValue else { return nil }
        return abs(again - told) <= 1e-9 * max(1, abs(told))
    }

    /// The alert as a self-contained SVG.
    package var picture: String? { AlertPicture(history)?.svg }

    package var json: JSON {
        .members(
            ("alert", alert),
            (
                "transitions",
                .array(
                    history.transitions.compactMap { try? JSON(parsing: $0.utf8) }.map { line in
                        .members(("at", line["at"]), ("status", line["status"]), ("value", line["context"]?["value"]))
                    })
            ), ("metric", history.metric.map { .string($0.name) }),
            (
                "timeline",
                .array(
                    history.timeline.map {
                        .members(
                            ("start", .time($0.window.start)), ("end", .time($0.window.end)),
                            ("rows", .integer(Int64(clamping: $0.rows))),
                            ("value", $0.value.map { .number($0) } ?? .null)
                        )
                    })
            ),
            (
                "rederived",
                history.rederived.map { .members(("value", .number($0)), ("agrees", agrees.map { .bool($0) })) }
            ))
    }
}
