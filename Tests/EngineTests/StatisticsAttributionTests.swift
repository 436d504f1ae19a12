import Statistics
import Testing
import Values

@Suite struct StatisticsAttributionTests {
    private func row(_ parts: [Segment.Part], _ reference: [UInt64], _ current: [UInt64]) -> SnapshotRow {
        let common = Comparison(
            edges: [], categories: [], reference: reference, current: current, referenceNulls: 0, currentNulls: 0)
        return SnapshotRow(
            version: "*", segment: Segment(parts), column: "x", kind: "numeric", n: 0, null: 0, referenceN: 0,
            referenceSegment: Segment(parts), metrics: MetricValues(), referenceMetrics: MetricValues(),
            comparison: common, common: common)
    }

    private func snapshot(_ rows: [SnapshotRow]) -> Snapshot {
        let zero = Timestamp(microseconds: 0)
        return Snapshot(
            model: "m", window: TimeRange(start: zero, end: zero), revision: 1, versions: [], referenceName: "r",
            rows: rows)
    }

    private func all(_ rows: [SnapshotRow]) -> SnapshotRow {
        func sum(_ side: (SnapshotRow) -> [UInt64]) -> [UInt64] {
            rows.dropFirst().reduce(side(rows[0])) { zip($0, side($1)).map { $0 + $1 } }
        }
        return row([], sum(\.common.reference), sum(\.common.current))
    }

    private func country(_ name: String, _ reference: [UInt64], _ current: [UInt64]) -> SnapshotRow {
        row([.init("country", name)], reference, current)
    }

    /// The worked example of the design: p and q in per cent, weights in millions of rows.
    private var worked: [SnapshotRow] {
        func histogram(_ shares: [UInt64], _ weight: UInt64) -> [UInt64] { shares.map { $0 * weight * 100_000 } }
        return [
            country("BR", histogram([40, 30, 20, 10], 2), histogram([40, 30, 20, 10], 4)),
            country("MX", histogram([25, 25, 25, 25], 3), histogram([10, 20, 30, 40], 2)),
            country("US", histogram([10, 20, 30, 40], 5), histogram([10, 20, 30, 40], 4)),
        ]
    }

    @Test func `segments that move in opposite directions are found to cancel`() throws {
        let report = Attribution.drivers(
            column: "x", version: "*", in: snapshot([all(worked)] + worked), limit: 10)
        // Marginal 0.0020 (to four digits) over joint 0.2593.
        let ratio = try #require(report.cancellation)
        let marginal = try #require(
            Distances.psi(all(worked).common.reference, all(worked).common.current, smoothing: .none))
        let joint = try #require(
            Distances.psi(
                worked.flatMap(\.common.reference), worked.flatMap(\.common.current), smoothing: .none))
        #expect((marginal * 10_000).rounded() == 20)
        #expect((joint * 10_000).rounded() == 2593)
        #expect(abs(ratio - marginal / joint) < 1e-6)
    }

    @Test func `contributions are mix and within and add up to the shift`() throws {
        let report = Attribution.drivers(
            column: "x", version: "*", in: snapshot([all(worked)] + worked), limit: 10)
        #expect(report.drivers.count == 3)
        let marginal = try #require(
            Distances.psi(all(worked).common.reference, all(worked).common.current, smoothing: .jeffreys))
        #expect(agree(report.drivers.reduce(0) { $0 + $1.contribution }, marginal, relative: 1e-6))
        #expect(agree(report.drivers.reduce(0) { $0 + $1.share }, 1))
        for driver in report.drivers {
            #expect(driver.contribution == driver.mix + driver.within)
            #expect(abs(driver.contribution) > 2 * driver.standardError)
        }
        let within = Dictionary(uniqueKeysWithValues: report.drivers.map { ($0.segment["country"], $0.within) })
        #expect(abs(try #require(within["BR"])) < 1e-9)
        #expect(abs(try #require(within["US"])) < 1e-9)
        #expect(abs(try #require(within["MX"])) > 1e-3)
    }

    @Test func `the cross that holds the fault comes before its parents`() throws {
        var rows: [SnapshotRow] = []
        for place in ["BR", "US"] {
            for device in ["app", "web"] {
                let isFaulty = place == "BR" && device == "web"
                rows.append(
                    row(
                        [.init("country", place), .init("device", device)], [500, 500, 500, 500],
                        isFaulty ? [100, 100, 200, 600] : [250, 250, 250, 250]))
            }
        }
        let crosses = rows
        for (dimension, values) in [("country", ["BR", "US"]), ("device", ["app", "web"])] {
            for value in values {
                let sum = all(crosses.filter { $0.segment[dimension] == value }).common
                rows.append(row([.init(dimension, value)], sum.reference, sum.current))
            }
        }
        let report = Attribution.drivers(
            column: "x", version: "*", in: snapshot([all(crosses)] + rows), limit: 3)
        #expect(report.drivers.first?.segment.description == "country=BR, device=web")
        #expect(report.drivers.count == 3)
        #expect(try #require(report.cancellation) > 0.2)
        let first = try #require(report.drivers.first)
        #expect(abs(first.share - 1) < 0.05)
    }

    @Test func `noise names no driver, and traffic without a row is not lost`() throws {
        let still = [country("BR", [500, 500], [52, 48]), country("US", [300, 700], [31, 69])]
        let quiet = Attribution.drivers(column: "x", version: "*", in: snapshot([all(still)] + still), limit: 5)
        #expect(quiet.drivers.isEmpty)
        #expect(quiet.cancellation == nil)

        let half = [country("BR", [5_000, 5_000], [5_000, 5_000])]
        let total = row([], [10_000, 10_000], [6_000, 12_000])
        let report = Attribution.drivers(column: "x", version: "*", in: snapshot([total] + half), limit: 5)
        let shares = report.drivers.map(\.share)
        #expect(shares.allSatisfy { abs($0) < 0.5 }, "the unnamed rest carries the shift: \(report.drivers)")
    }

    @Test func `a null rate is divided among segments, and the contributions are its change`() throws {
        func part(_ parts: [Segment.Part], _ before: (UInt64, UInt64), _ now: (UInt64, UInt64)) -> SnapshotRow {
            let common = Comparison(
                edges: [], categories: [], reference: [before.0, 0], current: [now.0, 0], referenceNulls: before.1,
                currentNulls: now.1)
            return SnapshotRow(
                version: "*", segment: Segment(parts), column: "x", kind: "numeric", n: 0, null: 0, referenceN: 0,
                referenceSegment: Segment(parts), metrics: MetricValues(), referenceMetrics: MetricValues(),
                comparison: common, common: common)
        }
        let rows = [
            part([], (9_200, 800), (770, 230)), part([.init("c", "DE")], (2_300, 200), (90, 160)),
            part([.init("c", "US")], (6_900, 600), (680, 70)),
        ]
        let report = Attribution.drivers(among: rows, of: .nulls, limit: 5)
        let top = try #require(report.drivers.first)
        #expect(top.segment.description == "c=DE" && top.share > 0.9)
        // 23% now, 8% before.
        #expect(abs(top.contribution / top.share - 0.15) < 1e-9)
    }

    @Test func `nothing to divide gives an empty report`() {
        let empty = AttributionReport(drivers: [], cancellation: nil)
        #expect(Attribution.drivers(column: "x", version: "*", in: snapshot([]), limit: 5) == empty)
        let none = [country("BR", [0, 0], [0, 0])]
        #expect(Attribution.drivers(column: "x", version: "*", in: snapshot(none), limit: 5) == empty)
        #expect(Attribution.drivers(column: "x", version: "2", in: snapshot(worked), limit: 5) == empty)
        #expect(Attribution.drivers(column: "x", version: "*", in: snapshot(worked), limit: 0).drivers.isEmpty)
    }
}
