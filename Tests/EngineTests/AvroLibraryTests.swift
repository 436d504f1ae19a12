import Events
import Testing
import Values

/// Messages of a real library are read as what was written with it.
struct AvroLibraryTests {
    private static func seen(_ indices: Int...) -> EventFixture {
        var seen = EventFixture()
        seen.setSchema(9, AvroLibraryFixture.schema)
        for i in indices { seen.decodeAvro(AvroLibraryFixture.messages[i]) }
        return seen
    }

    @Test func `a prediction with nested and recursive records`() {
        let seen = Self.seen(0)
        #expect(seen.rejections.isEmpty && seen.decoder.kinds == [1, 0, 0])
        #expect(seen.last("amount") == .number(12.5) && seen.last("country") == .code(0))
        #expect(seen.last("device") == .code(0) && seen.last("prediction") == .number(0.83))
        #expect(seen.segment(0) == "BR" && seen.segment(1) == "south" && seen.version == "14")
        #expect(seen.times == [Fixture.time("2026-03-01T12:00:00.25Z")])
        #expect(seen.decoder.unknownKeys == 2, "history and parent")
    }

    @Test func `other branches of the same unions`() {
        let seen = Self.seen(0, 1)
        #expect(seen.rejections.isEmpty && seen.last("amount") == .number(-1234.56) && seen.last("country") == .code(4))
        #expect(seen.last("device") == .code(2) && seen.last("prediction") == .number(0.25) && seen.version == "15")
        #expect(seen.segment(0) == "true" && seen.segment(1) == "7")
    }

    @Test func `features without a prediction, and a label`() {
        let seen = Self.seen(2, 3)
        #expect(seen.rejections.isEmpty && seen.decoder.kinds == [0, 1, 1] && seen.batch.count == 1)
        #expect(seen.last("amount") == .hole(.null) && seen.last("country") == .hole(.null))
        #expect(seen.last("prediction") == .hole(.absent) && seen.version == "" && seen.segment(0) == nil)
    }
}
