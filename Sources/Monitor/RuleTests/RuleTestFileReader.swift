import Foundation
import Rules
import StrictYAML
import Values

/// Reads a rule test file and the rule files it names. Everything that is wrong is reported at once, with its place.
enum RuleTestFileReader {
    static func read(_ path: String) throws(Problems) -> RuleTestFile {
        var problems = ProblemCollector()
        let file = read(path, &problems)
        try problems.throwIfAny()
        guard let file else {
            throw Problems([Problem("cannot be read as rule tests", at: Place(file: path, line: 1, column: 1))])
        }
        return file
    }

    private static func read(_ path: String, _ problems: inout ProblemCollector) -> RuleTestFile? {
        let start = Place(file: path, line: 1, column: 1)
        guard let text = ConfigurationReader.contents(path, start, &problems),
            let root = YAMLValue.parse(text: text, file: path, collector: &problems),
            let top = root.mapping(allowed: ["rule_files", "tests"], &problems)
        else { return nil }
        let folder = URL(filePath: path).deletingLastPathComponent()
        let rules = rules(top.required("rule_files", &problems), folder, &problems)
        var tests: [RuleTest] = []
        for item in top.required("tests", &problems)?.list(&problems) ?? [] {
            if let test = RuleTestReader.test(item, rules, &problems) { tests.append(test) }
        }
        return RuleTestFile(path: path, rules: rules, tests: tests)
    }

    private static func rules(
        _ value: YAMLValue?, _ folder: URL, _ problems: inout ProblemCollector
    ) -> RuleSet {
        var files: [(file: String, text: String)] = []
        for item in value?.list(&problems) ?? [] {
            guard let pattern = item.nonEmptyString(&problems) else { continue }
            let whole =
                pattern.hasPrefix("/") ? pattern : folder.appending(path: pattern).standardizedFileURL.relativePath
            let paths = Glob.paths(whole)
            if paths.isEmpty { problems.add("no file matches `\(pattern)`", at: item.place) }
            for path in paths where !files.contains(where: { $0.file == path }) {
                let place = Place(file: path, line: 1, column: 1)
                if let text = ConfigurationReader.contents(path, place, &problems) { files.append((path, text)) }
            }
        }
        return RuleSet.read(files, &problems)
    }
}
