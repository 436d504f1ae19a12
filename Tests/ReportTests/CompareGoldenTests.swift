import Monitor
import Testing

@Suite struct CompareGoldenTests {
    /// Compares every number of a golden file with ours; returns how many there were.
    private func check(_ tool: String, relative: Double, absolute: Double = 1e-12) throws -> Int {
        let options = CompareFixture.options(CompareConvention(rawValue: tool))
        let hotel = try CompareFixture.hotel(options)
        let large = try CompareFixture.large(options)
        var checked = 0
        for (name, metrics) in try CompareFixture.golden(tool) where name != "counts" {
            let column = try name == "large" ? large.column("x") : hotel.column(name)
            for (metric, theirs) in metrics {
                let ours = column[metric]
                checked += 1
                guard let theirs, let ours else {
                    #expect(theirs == nil && ours == nil, "\(tool) \(name) \(metric)")
                    continue
                }
                let tolerance = max(relative * max(abs(theirs), abs(ours)), absolute)
                #expect(abs(theirs - ours) <= tolerance, "\(tool) \(name) \(metric): \(ours), expected \(theirs)")
            }
        }
        return checked
    }

    @Test func `exact statistics agree with scipy`() throws {
        #expect(try check("scipy", relative: 1e-9) > 150)
    }

    /// √(1 − Σ√pq), as evidently computes Hellinger's distance, keeps half the digits where it is small.
    @Test func `the evidently convention gives evidently's numbers`() throws {
        #expect(try check("evidently", relative: 1e-7) > 45)
    }

    @Test func `the nannyml convention gives nannyml's numbers`() throws {
        #expect(try check("nannyml", relative: 1e-9) > 40)
    }

    @Test func `the tfdv convention gives TFDV's numbers`() throws {
        #expect(try check("tfdv", relative: 1e-9) == 8)
    }

    @Test func `TFDV's divergence of numeric histograms is that of counts`() throws {
        let bytes = Array(
            #"{"kind":"numeric","edges":[0,1,2,3,4,5],"reference":[10,20,0,30,5],"current":[4,30,2,9,0]}"#.utf8)
        let report = try Compare.counts(bytes, name: "counts", options: CompareFixture.options(.tfdv))
        let theirs = try #require(CompareFixture.golden("tfdv")["counts"]?["js"] ?? nil)
        let ours = try #require(report.columns[0]["js"])
        #expect(abs(ours - theirs) < 1e-12)
    }

    @Test func `a convention changes the distances and never the verdict`() throws {
        let ours = try CompareFixture.hotel()
        for convention in CompareConvention.allCases {
            let other = try CompareFixture.hotel(CompareFixture.options(convention))
            #expect(other.columns.map(\.name) == ours.columns.map(\.name))
            #expect(other.columns.map(\.drifted) == ours.columns.map(\.drifted))
            #expect(other.notes.contains { $0.contains("--counts") } == (convention == .tfdv))
            #expect(other.jsonText.contains(#""convention":"\#(convention.rawValue)""#))
        }
    }
}
