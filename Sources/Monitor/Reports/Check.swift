import Foundation
import Rules
import Sketches
package import StrictYAML

/// `holdfast check`: configurations and rule files, by what they hold.
package enum Check {
    package struct Result: Sendable {
        package let file: String
        /// What was checked, in words: `configuration, 2 models, 8 rules`.
        package let what: String
        package let problems: [Problem]
        /// What is allowed and still worth knowing: rules that some models are silent on.
        package var notes: [Problem] = []
    }

    package static func file(_ path: String) -> Result {
        var problems = ProblemCollector()
        let start = Place(file: path, line: 1, column: 1)
        guard let text = ConfigurationReader.contents(path, start, &problems) else {
            return Result(file: path, what: "", problems: problems.list)
        }
        switch kind(text, path) {
        case .rules: return rules(path, text)
        case .tests: return tests(path)
        case .configuration: return configuration(path)
        case .reference: return reference(path)
        case nil:
            var found = ProblemCollector()
            if YAMLValue.parse(text: text, file: path, expanding: { _ in "" }, collector: &found) != nil {
                found.add(
                    text.allSatisfy(\.isWhitespace)
                        ? "is empty"
                        : "is neither a configuration (`models:`) nor a rule file (`groups:`) nor rule tests (`tests:`)",
                    at: start)
            }
            return Result(file: path, what: "", problems: found.list)
        }
    }

    private enum Kind {
        case rules, tests, configuration, reference
    }

    private static func kind(_ text: String, _ path: String) -> Kind? {
        var ignored = ProblemCollector()
        guard let root = YAMLValue.parse(text: text, file: path, expanding: { _ in "" }, collector: &ignored),
            case .mapping(let entries) = root.content
        else { return nil }
        let keys = entries.map(\.key)
        if Set(keys).isSuperset(of: ["format", "columns", "groups"]) { return .reference }
        if keys.contains("groups") { return .rules }
        if keys.contains("tests") || keys.contains("rule_files") { return .tests }
        if keys.contains(where: ConfigurationReader.topLevel.contains) { return .configuration }
        // Whose key is misspelled can still be told, and then the reader names it.
        let known = ["groups", "tests", "rule_files"] + ConfigurationReader.topLevel
        guard let near = keys.lazy.compactMap({ Nearest.to($0, among: known) }).first(where: { $0.distance <= 2 })
        else {
            return nil
        }
        return switch near.name {
        case "groups": .rules
        case "tests", "rule_files": .tests
        default: .configuration
        }
    }

    private static func reference(_ path: String) -> Result {
        do {
            let reference = try ReferenceCommand.load(path)
            let columns = count(reference.layout.columns.count, "column")
            return Result(
                file: path,
                what: "reference of \(reference.model), \(count(Int(reference.all.profile.rows), "row")), \(columns)",
                problems: [])
        } catch {
            let start = Place(file: path, line: 1, column: 1)
            return Result(file: path, what: "", problems: [Problem("is no usable reference: \(error)", at: start)])
        }
    }

    private static func rules(_ path: String, _ text: String) -> Result {
        do throws(Problems) {
            let rules = try RuleSet.load([(path, text)])
            return Result(
                file: path, what: "rule file, \(count(rules.rules.count, "rule"))", problems: [],
                notes: rules.judgedAlone)
        } catch {
            return Result(file: path, what: "", problems: error.list)
        }
    }

    private static func tests(_ path: String) -> Result {
        do throws(Problems) {
            let file = try RuleTestFileReader.read(path)
            return Result(file: path, what: "rule tests, \(count(file.tests.count, "test"))", problems: [])
        } catch {
            return Result(file: path, what: "", problems: error.list)
        }
    }

    private static func configuration(_ path: String) -> Result {
        do throws(Problems) {
            let configuration = try ConfigurationReader.read(path)
            let models = try MonitoredModel.load(configuration)
            let what =
                "configuration, \(count(models.count, "model")), \(count(configuration.rules.rules.count, "rule"))"
            return Result(
                file: path, what: what, problems: [],
                notes: models.flatMap(\.warnings) + configuration.rules.silences(against: models.map(\.catalog))
                    + configuration.rules.judgedAlone + configuration.rules.absentGuards)
        } catch {
            return Result(file: path, what: "", problems: error.list)
        }
    }

    private static func count(_ n: Int, _ noun: String) -> String { "\(n) \(noun)\(n == 1 ? "" : "s")" }
}
