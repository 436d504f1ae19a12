import StrictYAML
import Testing
import Values

@Suite struct `Strict YAML` {
    private func parse(
        _ text: String, expanding resolver: Expansion.Resolver? = nil, limits: YAMLValue.Limits = .init()
    ) -> (YAMLValue?, [String]) {
        var problems = ProblemCollector()
        let value = YAMLValue.parse(
            text: text, file: "f.yaml", expanding: resolver, limits: limits, collector: &problems)
        return (value, problems.problems.list.map(\.description))
    }

    /// Reads `text` as a mapping with one key `x` and gives what an accessor makes of its value.
    private func read<T>(
        _ text: String, expanding resolver: Expansion.Resolver? = nil,
        _ body: (YAMLValue, inout ProblemCollector) -> T?
    ) throws -> (T?, [String]) {
        var problems = ProblemCollector()
        let root = try #require(
            YAMLValue.parse(text: text, file: "f.yaml", expanding: resolver, collector: &problems))
        let value = try #require(root.mapping(allowed: ["x"], &problems)?["x"])
        let result = body(value, &problems)
        return (result, problems.problems.list.map(\.description))
    }

    @Test(arguments: ["no", "off", "010", "1e3", "0x1f", "2026-01-01", "12:30:45", "true"])
    func `text stays as it is written`(_ text: String) throws {
        let (value, problems) = try read("x: \(text)") { $0.string(&$1) }
        #expect(value == text)
        #expect(problems.isEmpty)
    }

    @Test func `unknown keys name the nearest and every problem is told`() {
        var problems = ProblemCollector()
        let root = YAMLValue.parse(
            text: "recievers: 1\nwindow: {size: 1h, evry: 5m}\n", file: "f.yaml", collector: &problems)
        let top = root?.mapping(allowed: ["receivers", "window"], &problems)
        _ = top?["window"]?.mapping(allowed: ["size", "every"], &problems)
        #expect(
            problems.problems.description == """
                f.yaml:1:1: error: unknown key `recievers`: did you mean `receivers`?
                f.yaml:2:20: error: unknown key `evry`: did you mean `every`?
                """)
    }

    @Test(arguments: [
        ("x: 2w", "f.yaml:1:4: error: expected a duration in days or smaller units, found `2w`: did you mean `14d`?"),
        (
            "x: 5 min",
            "f.yaml:1:4: error: expected a duration such as `90s`, `5m`, `1h30m` or `7d`, found `5 min`: "
                + "did you mean `5m`?"
        ),
        (
            "x: 90",
            "f.yaml:1:4: error: expected a duration such as `90s`, `5m`, `1h30m` or `7d`, found `90`: "
                + "did you mean `90s`?"
        ),
    ])
    func `durations that mislead are refused`(_ text: String, _ message: String) throws {
        let (value, problems) = try read(text) { $0.duration(&$1) }
        #expect(value == nil)
        #expect(problems == [message])
    }

    @Test func `weeks are taken where they mislead nobody`() throws {
        #expect(try read("x: 4w") { $0.duration(weeks: true, &$1) }.0 == .days(28))
        #expect(try read("x: 1y") { $0.duration(weeks: true, &$1) }.1.first?.contains("weeks or smaller") == true)
    }

    @Test func `numbers and booleans are strict`() throws {
        #expect(try read("x: 12") { $0.int(in: 1...20, &$1) }.0 == 12)
        #expect(try read("x: 21") { $0.int(in: 1...20, &$1) }.1.first?.contains("from 1 to 20") == true)
        #expect(try read("x: 010") { $0.int(&$1) }.1.first?.hasSuffix("did you mean `10`?") == true)
        #expect(try read("x: '12'") { $0.int(&$1) }.0 == nil)
        #expect(try read("x: .inf") { $0.double(&$1) }.0 == nil)
        #expect(try read("x: 2.5e-1") { $0.double(&$1) }.0 == 0.25)
        #expect(try read("x: off") { $0.bool(&$1) }.1.first?.hasSuffix("did you mean `false`?") == true)
        #expect(try read("x: [a, b]") { $0.strings(&$1) }.0 == ["a", "b"])
        #expect(try read("x:") { $0.string(&$1) }.1 == ["f.yaml:1:3: error: expected text, found nothing"])
    }

    @Test func `variables work inside flow mappings and keep columns`() throws {
        let resolver: Expansion.Resolver = { variable in
            switch variable {
            case .environment("SECRET"): "hunter2"
            case .environment("PORT"): "8080"
            case .file("/run/x"): "from file"
            default: nil
            }
        }
        let (value, problems) = parse(
            "- {a: ${SECRET}, b: [${file:/run/x}], c: ${NOPE}, d: $${SECRET}}", expanding: resolver)
        #expect(problems == ["f.yaml:1:42: error: environment variable `NOPE` is not set"])
        guard case .list(let items)? = value?.content, case .mapping(let entries)? = items.first?.content else {
            Issue.record("not a list of a mapping")
            return
        }
        var collector = ProblemCollector()
        #expect(entries[0].value.string(&collector) == "hunter2")
        #expect(entries[1].value.strings(&collector) == ["from file"])
        #expect(entries[3].value.string(&collector) == "${SECRET}")
        #expect(try read("x: ${PORT}", expanding: resolver) { $0.int(&$1) }.0 == 8080)
        let refused = try read("x: ${SECRET}", expanding: resolver) { $0.int(&$1) }
        #expect(refused.1 == ["f.yaml:1:4: error: expected a whole number, found the value of a variable"])
    }

    @Test(arguments: [
        ("a: 1\na: 2\n", "f.yaml:1:1: error: given more than once in the same mapping: `a`"),
        ("a: [1, 2\nb: 3\n", "f.yaml:2:2: error: not valid YAML"),
        ("a: *nobody\n", "f.yaml:1:4: error: not valid YAML: found undefined alias"),
        ("a: 1\n--- \nb: 1\n", "f.yaml:2:1: error: not valid YAML: but found another document"),
    ])
    func `broken files are told with their place`(_ text: String, _ start: String) {
        let (value, problems) = parse(text)
        #expect(value == nil)
        #expect(problems.first?.hasPrefix(start) == true, "\(problems)")
    }

    @Test func `alias bombs and deep nesting are refused`() {
        var bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        for i in 1...9 {
            bomb += "a\(i): &a\(i) [\(Array(repeating: "*a\(i - 1)", count: 9).joined(separator: ", "))]\n"
        }
        #expect(parse(bomb).1.count == 1)
        #expect(parse(bomb).1.first?.contains("counting each use of an alias") == true)
        #expect(parse(String(repeating: "[", count: 500) + String(repeating: "]", count: 500)).1.count == 1)
        #expect(parse(String(repeating: "[", count: 200_000)).1.count == 1)
        #expect(parse(String(repeating: "- ", count: 200_000)).1.count == 1)
    }

    @Test(arguments: [
        ("x: psi > 1", ">", 1, 8), ("x: 'psi > ''1'", "1", 1, 13), ("x: |\n  psi\n    > 1\n", ">", 3, 5),
        ("x: >-\n   psi\n   > 1\n", ">", 3, 4), ("x: psi\n  > 1", ">", 2, 3), ("x: \"psi \\\" > 1\"", ">", 1, 12),
    ])
    func `a character of a scalar has a place in the file`(
        _ text: String, _ wanted: Unicode.Scalar, _ line: Int, _ column: Int
    ) throws {
        let (place, _) = try read(text) { value, problems -> Place? in
            let scalars = Array((value.string(&problems) ?? "").unicodeScalars)
            return scalars.firstIndex(of: wanted).map { value.place(ofCharacter: $0) }
        }
        #expect(place == Place(file: "f.yaml", line: line, column: column))
    }
}
