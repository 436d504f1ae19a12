import Testing
import Values

@testable import Rules

@Suite struct `Templates` {
    private static let scope = TemplateScope(variables: [
        "labels": .record(["column": .string("amount"), "country": .string("BR")], shown: .nothing),
        "value": .number(0.3125), "threshold": .number(0.2),
        "reference": .record(
            ["value": .number(0.01), "name": .string("ref"), "rows": .number(10)], shown: .string("ref")),
        "window": .record(
            ["start": .time(SnapshotFixture.origin), "end": .time(SnapshotFixture.origin + .hours(1))],
            shown: .string("w")),
    ])

    @Test(arguments: [
        ("plain { text }", "plain { text }"),
        ("{{ $labels.column }} is {{ $value }}", "amount is 0.3125"),
        ("{{ $labels.nobody }}!", "!"),
        ("{{ $value | printf \"%.2f\" }}", "0.31"),
        (
            "{{ printf \"%s=%d %q %v %e %g %%|%5.1f|%-6s|%06.2f\" $labels.column 7 \"a\\\"b\" true 1.5 1e21 2.25 \"x\" -1.5 }}",
            "amount=7 \"a\\\"b\" true 1.500000e+00 1e+21 %|  2.2|x     |-01.50"
        ),
        ("{{ $value | humanizePercentage }} of {{ 1234567 | humanize }}", "31.25% of 1.235M"),
        ("{{ 0.00012 | humanize }} {{ humanize 0 }} {{ humanize1024 1048576 }}", "120u 0 1Mi"),
        (
            "{{ humanizeDuration 93784 }} {{ humanizeDuration 0.0123 }} {{ humanizeDuration -61 }}",
            "1d 2h 3m 4s 12.3ms -1m 1s"
        ),
        (
            "{{ $window.start }} {{ $window.start | humanizeTimestamp }}",
            "2026-03-01T00:00:00Z 2026-03-01 00:00:00 +0000 UTC"
        ),
        ("{{ $reference }} {{ $reference.value }} {{ $threshold }}", "ref 0.01 0.2"),
        (
            "{{ \"hello big world\" | title }} {{ toUpper $labels.column }} {{ `ÀB` | toLower }}",
            "Hello Big World AMOUNT àb"
        ),
        ("{{ reReplaceAll \"(a)(.*)\" \"$2-${1}$$\" $labels.column }}", "mount-a$"),
        ("{{ if gt $value 0.3 }}big{{ else if gt $value 0.1 }}middle{{ else }}small{{ end }}", "big"),
        ("{{ if and (lt $value 0.3) true }}a{{ else if not (eq $labels.country \"MX\") }}b{{ end }}.", "b."),
        ("a {{- 1 -}} b", "a1b"),
        ("{{ humanize $labels.column }}", "<error expanding template: humanize needs a number, got \"amount\">"),
    ])
    func `render as Prometheus does`(_ text: String, _ expected: String) throws {
        #expect(try TemplateParser.parse(text, scope: .annotation).render(Self.scope) == expected)
    }

    @Test func `a number that there is none of is not NaN`() throws {
        var scope = Self.scope
        scope.variables["reference"] = .record(["value": .absent], shown: .string("ref"))
        for (text, expected) in [
            ("{{ $reference.value }}", "n/a"), ("{{ $reference.value | humanizePercentage }}", "n/a"),
            ("{{ printf \"%.2f (was %5.1f)\" $value $reference.value }}", "0.31 (was   n/a)"),
            ("{{ if gt $reference.value 0 }}more{{ else }}unknown{{ end }}", "unknown"),
            ("{{ if $reference.value }}some{{ else }}none{{ end }}", "none"),
        ] {
            #expect(try TemplateParser.parse(text, scope: .annotation).render(scope) == expected)
        }
    }

    @Test(arguments: [
        (0.1, "0.1"), (1, "1"), (100, "100"), (1e20, "100000000000000000000"), (1e21, "1e+21"), (0.0001, "0.0001"),
        (0.00001, "1e-05"), (-2.5, "-2.5"), (123456.789, "123456.789"), (1.25e-7, "1.25e-07"), (.nan, "NaN"),
        (.infinity, "+Inf"),
    ])
    func `numbers print as Go prints them`(_ value: Double, _ expected: String) {
        #expect(TemplateValue.number(value).text == expected)
    }
}
