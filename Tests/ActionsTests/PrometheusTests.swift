import CoreMetrics
import Foundation
import Telemetry
import Testing

/// Reads the text format back, strictly enough to notice a broken line.
private func parse(_ text: String) throws -> [String: Double] {
    struct Malformed: Error { let line: Substring }
    var samples = [String: Double]()
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
        if line.hasPrefix("# HELP ") || line.hasPrefix("# TYPE ") { continue }
        guard let space = line.lastIndex(of: " ") else { throw Malformed(line: line) }
        let series = String(line[..<space])
        let written = line[line.index(after: space)...]
        let value: Double? =
            switch written {
            case "+Inf": .infinity
            case "-Inf": -.infinity
            case "NaN": .nan
            default: Double(written)
            }
        guard let value, samples.updateValue(value, forKey: series) == nil else { throw Malformed(line: line) }
    }
    return samples
}

@Suite struct PrometheusTests {
    @Test func `renders every kind, in order, byte for byte`() {
        let registry = PrometheusRegistry()
        registry.counter(.events, ["type": "prediction", "topic": "b"]).increment(by: Int64(3))
        registry.counter(.events, ["type": "label", "topic": "a"]).increment(by: Int64(1))
        registry.gauge(.drift, ["model": "fraud", "metric": "psi"]).set(0.25)
        let expected = """
            # HELP holdfast_drift Distance of the last closed window from the reference.
            # TYPE holdfast_drift gauge
            holdfast_drift{metric="psi",model="fraud"} 0.25
            # HELP holdfast_events_total Events taken in, by topic and type.
            # TYPE holdfast_events_total counter
            holdfast_events_total{topic="a",type="label"} 1
            holdfast_events_total{topic="b",type="prediction"} 3

            """
        #expect(registry.render() == expected)
        #expect(registry.render() == expected)
    }

    @Test func `a histogram's buckets are cumulative and end in +Inf`() throws {
        let registry = PrometheusRegistry()
        let histogram = registry.histogram(.windowClose)
        for value in [0.5, 1, 1.5, 100_000, .nan] { histogram.observe(value) }
        let samples = try parse(registry.render())
        #expect(samples[#"holdfast_window_close_seconds_bucket{le="1"}"#] == 2)
        #expect(samples[#"holdfast_window_close_seconds_bucket{le="5"}"#] == 3)
        #expect(samples[#"holdfast_window_close_seconds_bucket{le="86400"}"#] == 3)
        #expect(samples[#"holdfast_window_close_seconds_bucket{le="+Inf"}"#] == 4)
        #expect(samples["holdfast_window_close_seconds_count"] == 4)
        #expect(samples["holdfast_window_close_seconds_sum"] == 100_003)
    }

    @Test func `labels and help are escaped`() throws {
        let registry = PrometheusRegistry()
        registry.describe("odd_total", "back\\slash\nand line")
        let factory = PrometheusFactory(registry)
        factory.makeCounter(label: "odd", dimensions: [("a-b", "q\"b\\n\nx"), ("9", "é")]).increment(by: 2)
        let text = registry.render()
        #expect(text.contains(##"odd_total{_9="é",a_b="q\"b\\n\nx"} 2"##))
        #expect(text.contains(#"# HELP odd_total back\\slash\nand line"#))
        #expect(try parse(text).count == 1)
    }

    @Test func `numbers read back`() throws {
        let registry = PrometheusRegistry()
        let values: [Double] = [0, -0.1, 1e-9, 1e300, .infinity, -.infinity, .nan, 9_007_199_254_740_992]
        for (index, value) in values.enumerated() { registry.gauge(.drift, ["i": "\(index)"]).set(value) }
        let samples = try parse(registry.render())
        for (index, value) in values.enumerated() {
            let read = try #require(samples["holdfast_drift{i=\"\(index)\"}"])
            #expect(read == value || read.isNaN && value.isNaN)
        }
    }

    @Test func `the same name and labels are the same series, in any order`() {
        let registry = PrometheusRegistry()
        let factory = PrometheusFactory(registry)
        factory.makeCounter(label: "n_total", dimensions: [("a", "1"), ("b", "2")]).increment(by: 1)
        factory.makeFloatingPointCounter(label: "n_total", dimensions: [("b", "2"), ("a", "1")]).increment(by: 0.5)
        #expect(registry.render().contains(#"n_total{a="1",b="2"} 1.5"#))
    }

    @Test func `meters, gauges, recorders and timers of swift-metrics`() throws {
        let registry = PrometheusRegistry()
        let factory = PrometheusFactory(registry)
        let meter = factory.makeMeter(label: "meter", dimensions: [])
        meter.set(5.0)
        meter.decrement(by: 2)
        factory.makeRecorder(label: "gauge", dimensions: [], aggregate: false).record(Int64(7))
        factory.makeRecorder(label: "sizes", dimensions: [], aggregate: true).record(0.2)
        factory.makeTimer(label: "took", dimensions: []).recordNanoseconds(1_500_000_000)
        let samples = try parse(registry.render())
        #expect(samples["meter"] == 3 && samples["gauge"] == 7 && samples["sizes_count"] == 1)
        #expect(samples["took_seconds_sum"] == 1.5 && samples[#"took_seconds_bucket{le="2.5"}"#] == 1)
        factory.destroyMeter(meter)
        #expect(try parse(registry.render())["meter"] == nil)
    }

    @Test func `a counter does not fall`() throws {
        let registry = PrometheusRegistry()
        let counter = registry.counter(.events)
        counter.increment(by: 5.0)
        counter.increment(by: -3.0)
        counter.increment(by: Double.nan)
        #expect(try parse(registry.render())["holdfast_events_total"] == 5)
    }

    @Test func `series beyond the limit are counted, not kept`() throws {
        let registry = PrometheusRegistry(seriesPerFamilyMax: 2)
        for column in ["a", "b", "c", "d"] { registry.gauge(.drift, ["column": column]).set(1) }
        registry.gauge(.drift, ["column": "a"]).set(9)
        let samples = try parse(registry.render())
        #expect(samples.keys.filter { $0.hasPrefix("holdfast_drift") }.count == 2)
        #expect(samples[#"holdfast_drift{column="a"}"#] == 9)
        #expect(samples[#"holdfast_series_refused_total{metric="holdfast_drift",reason="limit"}"#] == 2)
        registry.remove(.drift, where: ["column": "a"])
        registry.gauge(.drift, ["column": "c"]).set(4)
        #expect(try parse(registry.render())[#"holdfast_drift{column="c"}"#] == 4)
    }

    @Test func `a name of another type is refused and counted`() throws {
        let registry = PrometheusRegistry()
        let factory = PrometheusFactory(registry)
        factory.makeCounter(label: "x_total", dimensions: []).increment(by: 1)
        factory.makeMeter(label: "x_total", dimensions: []).set(Int64(5))
        let samples = try parse(registry.render())
        #expect(samples["x_total"] == 1)
        #expect(samples[#"holdfast_series_refused_total{metric="x_total",reason="type"}"#] == 1)
    }

    @Test func `series are removed by label`() throws {
        let registry = PrometheusRegistry()
        for model in ["fraud", "credit"] {
            for column in ["age", "income"] {
                registry.gauge(.drift, ["model": model, "column": column]).set(1)
            }
            registry.gauge(.watermark, ["model": model]).set(1)
        }
        #expect(registry.remove(.drift, where: ["model": "fraud", "column": "age"]) == 1)
        #expect(registry.removeEverywhere(where: ["model": "fraud"]) == 2)
        let samples = try parse(registry.render())
        #expect(samples.count == 3 && !samples.keys.contains { $0.contains("fraud") })
        #expect(registry.removeEverywhere(where: ["model": "credit"]) == 3)
        #expect(registry.render().isEmpty)
    }

    @Test func `a window's gauges replace those of the window before`() throws {
        let registry = PrometheusRegistry(seriesPerFamilyMax: 4)
        let other = registry.gauge(.drift, ["model": "credit", "column": "age"])
        other.set(5)
        registry.replaceGauges(
            .drift, scope: ["model": "fraud"], with: [(["column": "age"], 1), (["column": "income"], 2)])
        let kept = registry.gauge(.drift, ["model": "fraud", "column": "income"])
        registry.replaceGauges(
            .drift, scope: ["model": "fraud"], with: [(["column": "income"], 3), (["column": "zip"], 4)])
        #expect(kept.value == 3)
        #expect(
            try parse(registry.render()) == [
                #"holdfast_drift{column="age",model="credit"}"#: 5,
                #"holdfast_drift{column="income",model="fraud"}"#: 3,
                #"holdfast_drift{column="zip",model="fraud"}"#: 4,
            ])
        registry.replaceGauges(.drift, scope: ["model": "fraud"], with: [])
        registry.replaceGauges(.drift, scope: ["model": "credit"], with: [])
        #expect(registry.render().isEmpty)
    }

    @Test func `updates of many threads are all counted`() async {
        let registry = PrometheusRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = registry.counter(.events)
                    let histogram = registry.histogram(.windowClose)
                    for _ in 0..<1_000 {
                        counter.increment(by: Int64(1))
                        histogram.observe(2)
                    }
                }
            }
        }
        #expect(registry.counter(.events).value == 8_000)
        #expect(registry.histogram(.windowClose).contents.sum == 16_000)
    }

    /// `promtool` is Prometheus' own parser and linter.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool")))
    func `promtool finds no fault with the promised metrics`() throws {
        let registry = PrometheusRegistry()
        for name in MetricName.allCases where name != .seriesRefused {
            let labels = ["model": "a\"b\\c\nd", "topic": "é"]
            switch name.kind {
            case .counter: registry.counter(name, labels).increment(by: Int64(1))
            case .gauge: registry.gauge(name, labels).set(-.infinity)
            case .histogram: registry.histogram(name, labels).observe(3)
            }
        }
        _ = PrometheusFactory(registry).makeMeter(label: MetricName.events.rawValue, dimensions: [])
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/promtool")
        process.arguments = ["check", "metrics"]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(registry.render().utf8))
        try input.fileHandleForWriting.close()
        let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0 && said.isEmpty, "\(said)")
    }
}
