import ArgumentParser
import Monitor
import StrictYAML
import Values

/// Where the running service is.
struct ServiceOptions: ParsableArguments {
    @Option(name: .long, help: "Address of the service; else that of --config, else http://127.0.0.1:8080.")
    var url: String?
    @Option(name: .long, help: "Configuration file of the service.") var config: String?
    @Option(name: .long, help: "Token, where the service asks for one; else HOLDFAST_TOKEN, else that of --config.")
    var token: String?

    /// Runs a request; what fails is told and ends the program, with 2 for a configuration that cannot be read.
    func ask<T>(_ body: (ServiceClient) async throws -> T) async throws -> T {
        do {
            return try await body(try ServiceClient(url: url, config: config, token: token))
        } catch let problems as Problems {
            for problem in problems.list { Terminal.error("\(problem)") }
            throw ExitCode(2)
        } catch let failure as ServiceClient.Failure {
            Terminal.error("error: \(failure)")
            throw ExitCode(1)
        }
    }
}

struct AlertsGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Alerts of a running service, and deliveries that were given up on.",
        subcommands: [AlertsList.self, AlertsDead.self, AlertsRetry.self], defaultSubcommand: AlertsList.self)
}

struct AlertsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Open alerts, then the newest resolved ones.")

    @OptionGroup var service: ServiceOptions
    @Option(name: .long, help: "Only of this model.") var model: String?
    @Option(name: .long, help: "How many resolved ones.") var resolved = 0
    @Flag(name: .long, help: "Print them as JSON.") var json = false

    func run() async throws {
        let alerts = try await service.ask { try await $0.alerts(model: model, resolved: resolved) }
        if json {
            print(JSON.members(("alerts", .array(alerts.map(\.json)))).text)
            return
        }
        guard !alerts.isEmpty else { return Terminal.line("no alerts") }
        Table(["STATUS", "SINCE", "ALERT", "MODEL", "COLUMN", "SEGMENT", "FINGERPRINT", "SILENCED BY"]).show(
            alerts.map {
                [
                    $0.status, $0.since, $0.name, $0.model, $0.column, $0.segment, $0.fingerprint,
                    $0.silencedBy.joined(separator: ", "),
                ]
            })
    }
}

struct AlertsDead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "Deliveries that were given up on, with why.")

    @Option(name: .long, help: "Configuration file, whose state folder is used.") var config: String?
    @Option(name: .long, help: "State folder.") var state: String?

    func run() async throws {
        let dead = try await DeadOptions.open(config, state).list()
        guard !dead.isEmpty else { return Terminal.line("none") }
        Table(["ID", "RECEIVER", "AT", "REASON"]).show(dead.map { ["\($0.id)", $0.target, $0.at.rfc3339, $0.reason] })
    }
}

struct AlertsRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Puts a delivery that was given up on back in line.")

    @Option(name: .long, help: "Configuration file, whose state folder is used.") var config: String?
    @Option(name: .long, help: "State folder.") var state: String?
    @Argument(help: "Its id, as `alerts dead` shows it.") var id: Int64

    func run() async throws {
        guard try await DeadOptions.open(config, state).retry(id) else {
            Terminal.error("error: there is no delivery \(id) that was given up on")
            throw ExitCode(1)
        }
    }
}

private enum DeadOptions {
    static func open(_ config: String?, _ state: String?) throws -> DeadDeliveries {
        do {
            return try DeadDeliveries(config: config, state: state)
        } catch let problems as Problems {
            for problem in problems.list { Terminal.error("\(problem)") }
            throw ExitCode(2)
        } catch {
            Terminal.error("error: \(error)")
            throw ExitCode(2)
        }
    }
}
