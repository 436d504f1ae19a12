import Actions
import Testing
import Values

@Suite struct SignatureTests {
    static let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    static let body = [UInt8](#"{"test": 2432232314}"#.utf8)
    static let sentAt = Timestamp(microseconds: 1_614_265_330_999_999)
    static let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    private func verify(
        _ header: String, id: String = SignatureTests.id, timestamp: String = "1614265330",
        body: [UInt8] = SignatureTests.body, keys: [String] = [SignatureTests.key], now: Timestamp = sentAt
    ) throws -> Bool {
        Signature.verify(
            header: header, id: id, timestampHeader: timestamp, body: body,
            keys: try keys.map { try SigningKey(parsing: $0) }, now: now)
    }

    @Test func `signs the published vector`() throws {
        let key = try SigningKey(parsing: Self.key)
        let header = Signature.header(id: Self.id, timestamp: Self.sentAt, body: Self.body, keys: [key])
        #expect(header == Self.expected)
        #expect(Signature.timestampHeader(Self.sentAt) == "1614265330")
        #expect(try verify(header))
    }

    @Test func `several keys give several signatures, each enough`() throws {
        let keys = try [Self.key, "plain text"].map { try SigningKey(parsing: $0) }
        let header = Signature.header(id: Self.id, timestamp: Self.sentAt, body: Self.body, keys: keys)
        #expect(header.split(separator: " ").count == 2)
        #expect(try verify(header, keys: [Self.key]))
        #expect(try verify(header, keys: ["plain text"]))
        #expect(try !verify(header, keys: ["other"]))
    }

    @Test func `anything changed is refused`() throws {
        #expect(try !verify(Self.expected, id: "msg_other"))
        #expect(try !verify(Self.expected, timestamp: "1614265331"))
        #expect(try !verify(Self.expected, body: Self.body + [32]))
        #expect(try !verify("v1a," + Self.expected.dropFirst(3)))
        for header in ["", "v1", "v1,", "v1,AAAA", "v1,not base64"] { #expect(try !verify(header)) }
    }

    @Test(arguments: ["", "abc", "-1", "9223372036854775807", "1e9"])
    func `a timestamp that is none is refused`(_ text: String) throws {
        #expect(try !verify(Self.expected, timestamp: text))
    }

    @Test func `old and future timestamps are refused`() throws {
        let sent = Timestamp(microseconds: 1_614_265_330_000_000)
        #expect(try verify(Self.expected, now: sent + .minutes(5)))
        #expect(try !verify(Self.expected, now: sent + .minutes(5) + .seconds(1)))
        #expect(try !verify(Self.expected, now: sent - .minutes(5) - .seconds(1)))
    }

    @Test func `keys that are none are refused with what to do`() {
        #expect(throws: ReceiverError.emptySecret) { try SigningKey(parsing: "") }
        #expect(throws: ReceiverError.emptySecret) { try SigningKey(parsing: "whsec_") }
        #expect(throws: ReceiverError.invalidSecret) { try SigningKey(parsing: "whsec_%%%") }
    }

    @Test func `a key never shows itself`() throws {
        let key = try SigningKey(parsing: "hunter2hunter2")
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!"\(key) \(String(reflecting: key)) \(dumped)".contains("hunter2"))
    }
}
