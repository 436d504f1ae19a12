import ArgumentParser
import Monitor
import Values

struct SilenceGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "silence", abstract: "Tell nobody of some alerts of a running service for a while.",
        subcommands: [SilenceAdd.self, SilenceList.self, SilenceExpire.self])
}

struct SilenceAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Silences the alerts whose labels pass every matcher; prints the silence's id.")

    @OptionGroup var service: ServiceOptions
    @Option(name: .long, help: "How long, such as 2h or 3d.") var duration: String
    @Option(name: .long, help: "Why.") var comment = ""
    @Option(name: .long, help: "Who asks; the user's name unless told.") var author: String?
    @Argument(help: "Matchers: alertname=FeatureDrift, country=~BR|MX, severity!=page, team!~x.") var matchers: [String]

    func validate() throws {
        guard let span = Span(parsing: duration), span > .zero else {
            throw ValidationError("--duration: expected a duration such as 2h, found \(duration)")
        }
        for text in matchers where ServiceClient.matcher(text) == nil {
            throw ValidationError("expected a matcher such as country=BR or alertname=~\"Feature.*\", found \(text)")
        }
    }

    func run() async throws {
        let id = try await service.ask {
            try await $0.silence(
                matchers.compactMap(ServiceClient.matcher), duration: Span(parsing: duration) ?? .zero,
                createdBy: RegistryCommand.actor(author), comment: comment)
        }
        print(id)
    }
}

struct SilenceList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Silences, those that end last first.")

    @OptionGroup var service: ServiceOptions
    @Flag(name: .long, help: "Expired ones too.") var all = false
    @Flag(name: .long, help: "Print them as JSON.") var json = false

    func run() async throws {
        let silences = try await service.ask { try await $0.silences() }.filter {
            all || $0.state != "expired"
        }
        if json {
            print(JSON.members(("silences", .array(silences.map(\.json)))).text)
            return
        }
        guard !silences.isEmpty else { return Terminal.line("no silences") }
        Table(["ID", "STATE", "ENDS", "BY", "MATCHERS", "COMMENT"]).show(
            silences.map { [$0.id, $0.state, $0.ends, $0.createdBy, $0.matchers, $0.comment] })
    }
}

struct SilenceExpire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "expire", abstract: "Ends a silence now.")

    @OptionGroup var service: ServiceOptions
    @Argument(help: "Its id.") var id: String

    func run() async throws {
        try await service.ask { try await $0.endSilence(id) }
    }
}
