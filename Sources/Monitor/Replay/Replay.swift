import Actions
import Events
import Files
import Foundation
import Ledger
import Rules
import Server
import Statistics
package import StrictYAML
import Synchronization
package import Values
import Windows

/// `holdfast replay`: the engine and the rules of `serve` over files, without a broker. Alerts are written, never delivered.
package struct Replay {
    package enum Order: String, CaseIterable, Sendable {
        /// By event time over all files.
        case time
        /// As the lines stand, file after file: as a topic would deliver them.
        case file
    }

    package struct Summary: Sendable {
        package var lines = 0
        package var rows: UInt64 = 0
        package var labels: UInt64 = 0
        /// What became of predictions and labels, of each model that has some.
        package var joins: [Joins] = []
        package var lateRows: UInt64 = 0
        package var windows = 0
        package var fired = 0
        package var transitions = 0
        /// What fired, in the order it did.
        package var episodes: [ReplayEpisode] = []
        /// Alerts past the number of episodes that are kept.
        package var episodesLeft = 0
        /// The newest window end.
        package var end = Timestamp.distantPast
        package var unknownKeys: UInt64 = 0
        /// By reason.
        package var rejected: [String: UInt64] = [:]
        /// What is worth knowing of the configuration and the labels, once each.
        package var warnings: [String] = []
        /// The first refused lines, in words.
        package var examples: [String] = []
    }

    /// What became of a model's predictions and labels.
    package struct Joins: Sendable {
        package let model: String
        package let inWords: String
        /// As `labels` of `GET /v1/models`.
        package let json: JSON
    }

    /// How far a replay has come.
    package struct Progress: Sendable {
        /// Of the input, 0 to 1; `nil` where its size is not known.
        package var share: Double?
        package var windows = 0
        /// The end of the last window that closed.
        package var time: Timestamp?
    }

    /// Why a replay could not be done.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The path of a ledger in a folder that has none yet: windows counted twice would be told twice.
    private static func newLedger(_ folder: String) throws -> String {
        let path = folder + "/ledger.sqlite"
        guard !FileManager.default.fileExists(atPath: path) else {
            throw Failure(description: "\(path) is there already: name a folder without a ledger, or remove it")
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return path
    }

    private static let source = "replay"
    /// Lines between two steps of the engine.
    private static let stepLines = 50_000
    private static let keptExamples = 5

    private let configuration: Configuration
    private let models: [MonitoredModel]
    private let book: RuleBook

    /// - Parameter deploys: changes of the champion, for rules that ask for them: a replay has no registry.
    package init(_ configuration: Configuration, deploys: [Deploy] = []) throws(Problems) {
        self.configuration = configuration
        models = try MonitoredModel.load(configuration)
        book = RuleBook(configuration.rules)
        for model in models {
            let own = deploys.filter { $0.model == nil || $0.model == model.name }
            book.setRoles(
                RoleHistory(own.map { .init(role: .champion, version: $0.version, at: $0.at) }), model: model.name)
        }
    }

    /// A version becomes champion.
    package struct Deploy: Sendable, Hashable {
        /// `nil` for every model.
        package let model: String?
        package let version: String
        package let at: Timestamp

        /// Reads `14@2026-03-01T12:00:00Z` or `fraud:14@2026-03-01T12:00:00Z`.
        package init?(parsing text: String) {
            guard let place = text.lastIndex(of: "@"), let at = Timestamp(rfc3339: text[text.index(after: place)...])
            else { return nil }
            let words = text[..<place].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let version = words.last, !words.contains(where: \.isEmpty) else { return nil }
            model = words.count == 2 ? String(words[0]) : nil
            self.version = String(version)
            self.at = at
        }
    }

    /// - Parameters:
    ///   - out: folder for `snapshots.jsonl` and `alerts.jsonl`.
    ///   - state: folder to keep the ledger in, for `explain`; it must not hold one.
    ///   - progress: told as lines are read and windows close.
    package func run(
        _ files: [String], order: Order, out: String?, state: String? = nil,
        progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) throws -> Summary {
        let output = try out.map { try ReplayOutput(folder: $0) }
        let tally = Mutex(Summary())
        let warnings = Mutex<[String]>([])
        let fired = Mutex(ReplayEpisodes())
        let failure = Mutex<(any Error)?>(nil)
        let reached = Mutex(Progress())
        let engine = try Engine(
            models: models, rules: book, ledger: try Ledger(path: try state.map(Self.newLedger)),
            options: .init(
                performs: false, keepsSnapshots: state != nil, receivers: configuration.receivers.map(\.name),
                externalURL: configuration.externalURL, retention: configuration.retention,
                watch: { end in
                    progress(
                        reached.withLock {
                            $0.windows += 1
                            $0.time = end
                            return $0
                        })
                }), warn: { text in warnings.withLock { $0.append(text) } }
        ) { step in
            tally.withLock { $0.take(step) }
            fired.withLock { for alert in step.alerts { $0.take(alert) } }
            do {
                try output?.write(step)
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        var intake = Intake(models, tolerance: .replay)
        let clock = WallClock.system.now()
        let topic = configuration.topics.first
        let defaults = TopicDefaults(
            model: topic?.defaults.model ?? (models.count == 1 ? models[0].name : nil), version: topic?.defaults.version
        )
        let route = intake.route(source: Self.source, topic: Self.source, defaults: defaults)
        let active = models.map { _ in SourceActivity(active: [Self.source]) }
        var lines = try ReplayLines(files, order: order)
        var count = 0
        var more = true
        while more {
            more = try lines.next { line, path, number in
                intake.add(line, route: route, offset: Int64(count), now: clock) {
                    let example = "\(path):\(number): \($0.reason.rawValue): \($0.detail)"
                    tally.withLock { if $0.examples.count < Self.keptExamples { $0.examples.append(example) } }
                }
                count += 1
            }
            if count % Self.stepLines == 0 || intake.isFull || !more {
                try engine.submit(intake.take(), from: Self.source, activity: active, now: nil)
                if let failure = failure.withLock({ $0 }) { throw failure }
                // Of what was read, the windows of the step are closed now.
                let share = lines.share
                progress(
                    reached.withLock {
                        $0.share = share
                        return $0
                    })
            }
        }
        try engine.finish()
        try output?.close()
        if let failure = failure.withLock({ $0 }) { throw failure }
        let episodes = fired.withLock { $0 }
        let told = warnings.withLock { $0 }
        return tally.withLock { summary in
            summary.lines = count
            summary.warnings = told + summary.warnings
            summary.joins = zip(models, engine.views).compactMap { model, view in
                view.labels.map { Joins(model: model.name, inWords: $0.inWords, json: $0.json) }
            }
            summary.episodes = episodes.list
            summary.episodesLeft = episodes.left
            return summary
        }
    }
}

extension Replay.Summary {
    fileprivate mutating func take(_ step: Engine.Step) {
        for (key, count) in step.events {
            if key.kind == .label { labels += count } else { rows += count }
        }
        for (key, count) in step.rejected { rejected[key.reason.rawValue, default: 0] += count }
        lateRows += step.lateRows.values.reduce(0, +)
        unknownKeys += step.unknownKeys
        windows += step.snapshots.count { $0.revision == 1 }
        warnings += step.warnings
        end = step.snapshots.map(\.window.end).max().map { max($0, end) } ?? end
        transitions += step.alerts.count
        fired += step.alerts.count { $0.status == .firing }
    }
}

/// The two files a replay writes.
private final class ReplayOutput: Sendable {
    private let snapshots: FileHandle
    private let alerts: FileHandle

    init(folder: String) throws {
        let url = URL(filePath: folder)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        func open(_ name: String) throws -> FileHandle {
            let file = url.appending(path: name)
            guard FileManager.default.createFile(atPath: file.path, contents: nil) else {
                throw Replay.Failure(description: "\(file.path): cannot be written")
            }
            return try FileHandle(forWritingTo: file)
        }
        snapshots = try open("snapshots.jsonl")
        alerts = try open("alerts.jsonl")
    }

    func write(_ step: Engine.Step) throws {
        var lines = [UInt8]()
        for snapshot in step.snapshots {
            snapshot.writeLines(into: &lines)
            if lines.count > 1 << 20 {
                try snapshots.write(contentsOf: lines)
                lines.removeAll(keepingCapacity: true)
            }
        }
        try snapshots.write(contentsOf: lines)
        var text = [UInt8]()
        for alert in step.alerts {
            alert.json.write(into: &text)
            text.append(UInt8(ascii: "\n"))
        }
        try alerts.write(contentsOf: text)
    }

    func close() throws {
        try snapshots.close()
        try alerts.close()
    }
}
