import ArgumentParser
import Monitor
import Registry
import Values

struct RegistryPurge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Remove for good what deleted versions and artifacts left; tells what it would do unless --yes.")
    @OptionGroup var options: RegistryOptions
    @OptionGroup var change: ChangeOptions
    @Option(name: .long, help: "Only versions deleted longer ago than this, such as 30d.") var olderThan = "30d"
    @Flag(name: .long, help: "Do it.") var yes = false

    func run() async throws {
        guard let age = Span(parsing: olderThan) else {
            throw ValidationError("'\(olderThan)' is no duration: write 30d or 12h")
        }
        try await withRegistry(options) { registry in
            let now = change.now
            let purged = try await registry.purge(
                deletedBefore: now - age, dryRun: !yes, actor: change.who, reason: change.reason ?? "purged by hand",
                at: now)
            let freed = try await RegistryCommand.freeArtifacts(
                registry, config: options.config, state: options.state, dryRun: !yes)
            if options.json {
                print(
                    JSON.members(
                        ("purged", .bool(yes)),
                        (
                            "versions",
                            .array(
                                purged.map { .members(("model", .string($0.model)), ("version", .string($0.version))) })
                        ),
                        ("artifact_files", .int(freed.files)), ("artifact_bytes", .integer(freed.bytes)),
                        ("young_artifact_files", .int(freed.youngFiles)),
                        ("young_artifact_bytes", .integer(freed.youngBytes))
                    ).text)
            } else {
                Table(["MODEL", "VERSION", "DELETED", "SOURCE"]).show(
                    purged.map { [$0.model, $0.version, $0.deletedAt.rfc3339, $0.source] })
                let what = "\(purged.count) versions and \(freed.files) files of artifacts (\(freed.bytes) bytes)"
                print(yes ? "\(what) purged" : "\(what) would be purged: add --yes")
                if freed.youngFiles > 0 {
                    print(
                        "\(freed.youngFiles) files of artifacts (\(freed.youngBytes) bytes) that nothing names stay: they were "
                            + "written within the last hour, and an upload may be about to name them. Purge again later."
                    )
                }
            }
        }
    }
}
