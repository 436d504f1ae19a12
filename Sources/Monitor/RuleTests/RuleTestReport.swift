package import StrictYAML
package import Values

/// What `holdfast test` found in one file.
package struct RuleTestReport: Sendable {
    package struct Failure: Sendable {
        package let place: Place
        /// Time since the test's start.
        package let at: Span
        package let alert: String
        package let expected: String
        /// What there was instead, an instance a line.
        package let actual: [String]
        /// What the rule asks for that no series of the test has.
        package var silent: [String] = []
    }

    package struct Test: Sendable {
        package let name: String
        package let place: Place
        package let expectations: Int
        package let failures: [Failure]
    }

    package let file: String
    package let tests: [Test]

    package var failures: Int { tests.reduce(0) { $0 + $1.failures.count } }
    package var expectations: Int { tests.reduce(0) { $0 + $1.expectations } }

    /// Reads a rule test file with the rules it names and runs it.
    /// - Throws: every problem of the files, at least one.
    package static func run(_ path: String) throws(Problems) -> RuleTestReport {
        let file = try RuleTestFileReader.read(path)
        return RuleTestReport(
            file: path, tests: file.tests.map { RuleTestRun(rules: file.rules, test: $0).run() })
    }

    /// Expected beside actual, for people.
    package var text: String {
        var out = ""
        for test in tests where !test.failures.isEmpty {
            for failure in test.failures {
                out += "\(failure.place): \(test.name): \(failure.alert) at \(failure.at)\n"
                out += "    expected: \(failure.expected)\n"
                for (i, line) in failure.actual.enumerated() {
                    out += (i == 0 ? "    actual:   " : "              ") + line + "\n"
                }
                for line in failure.silent { out += "    silent:   \(line)\n" }
            }
        }
        return out
    }

    /// The same for machines.
    package var json: JSON {
        .members(
            ("file", .string(file)),
            (
                "tests",
                .array(
                    tests.map { test in
                        .members(
                            ("name", .string(test.name)), ("line", .int(test.place.line)),
                            ("passed", .bool(test.failures.isEmpty)), ("expectations", .int(test.expectations)),
                            ("failures", .array(test.failures.map(Self.json))))
                    })
            ))
    }

    private static func json(_ failure: Failure) -> JSON {
        .members(
            ("line", .int(failure.place.line)), ("column", .int(failure.place.column)),
            ("at", .string(failure.at.description)), ("alert", .string(failure.alert)),
            ("expected", .string(failure.expected)), ("actual", .array(failure.actual.map { .string($0) })))
    }
}
