import Actions
import Testing
import Values

@Suite struct AddressGuardTests {
    @Test(arguments: [
        "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1", "172.16.0.1",
        "172.31.255.255", "192.168.1.1", "198.18.0.1", "198.19.255.255", "::1", "fc00::1", "fdff::1",
    ])
    func `private addresses are local`(_ text: String) { #expect(IPAddress(parsing: text)?.reach == .local) }

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "169.254.169.254", "192.0.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe", "64:ff9b::a00:1",
        "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "fe80::1", "febf::1", "fec0::1", "ff02::1",
    ])
    func `reserved and translated addresses are forbidden`(_ text: String) {
        #expect(IPAddress(parsing: text)?.reach == .forbidden)
    }

    @Test(arguments: [
        "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1", "2001:db9::1", "fbff::1",
        "64:ff9a::1",
    ])
    func `neighbours of the ranges are global`(_ text: String) { #expect(IPAddress(parsing: text)?.reach == .global) }

    @Test(arguments: ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "fe80::1%eth0", "", "localhost", "1.2.3.4.5"])
    func `odd spellings are not literals`(_ text: String) { #expect(IPAddress(parsing: text) == nil) }

    @Test func `addresses print canonically`() {
        #expect(IPAddress(parsing: "2001:DB8:0:0:0:0:0:1")?.description == "2001:db8::1")
        #expect(IPAddress(parsing: "10.1.2.3")?.description == "10.1.2.3")
    }

    private static let lookup = HostLookup.fixed([
        "good.example": ["93.184.216.34", "2606:4700::1"], "inner.example": ["10.0.0.5"],
        "mixed.example": ["93.184.216.34", "127.0.0.1"], "meta.example": ["169.254.169.254"],
        "mapped.example": ["::ffff:10.0.0.5"], "localhost": ["127.0.0.1", "::1"],
        "many.example": ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4", "1.1.1.5", "1.1.1.6"], "empty.example": [],
    ])

    private func vet(
        _ text: String, http: Bool = false, inner: Bool = false, lookup: HostLookup = lookup
    ) async throws -> AddressGuard.Verdict {
        await AddressGuard(lookup: lookup).vet(
            try WebhookURL(parsing: text), options: .init(allowHTTP: http, allowPrivate: inner), timeout: .seconds(5))
    }

    @Test(arguments: [
        "https://good.example/x", "https://127.0.0.1/x", "http://127.0.0.1:9/x", "http://10.0.0.1/x", "http://[::1]/x",
        "http://localhost/x", "http://LOCALHOST/x", "https://many.example",
    ])
    func `public names and written local addresses may be called`(_ url: String) async throws {
        let lookup = HostLookup { (host, timeout) async throws(HostLookup.Failure) in
            try await Self.lookup.addresses(of: host.lowercased(), timeout: timeout)
        }
        guard case .vetted(let addresses) = try await vet(url, lookup: lookup) else {
            Issue.record("refused \(url)")
            return
        }
        #expect((1...4).contains(addresses.count))
    }

    @Test(arguments: [
        "https://inner.example/x", "https://mixed.example/x", "https://meta.example/x", "https://mapped.example/x",
        "http://good.example/x", "http://1.1.1.1/x", "https://169.254.169.254/x", "https://[::ffff:127.0.0.1]/x",
        "https://0.0.0.0/x", "https://[::]/x", "https://[64:ff9b::7f00:1]/x",
    ])
    func `others are refused without telling the path`(_ url: String) async throws {
        guard case .refused(let why) = try await vet(url + "secret") else {
            Issue.record("not refused: \(url)")
            return
        }
        #expect(!why.contains("secret"))
    }

    @Test(arguments: [
        "https://127.0.0.1/x", "http://127.0.0.1:9/x", "http://localhost/x", "https://localhost/x",
        "https://10.0.0.1/x",
        "https://[::1]/x",
    ])
    func `an address that is not the operator's own permits nothing by being written down`(url: String) async throws {
        let options = Receiver.Options(isTrusted: false)
        let verdict = await AddressGuard(lookup: Self.lookup).vet(
            try WebhookURL(parsing: url), options: options, timeout: .seconds(5))
        guard case .refused = verdict else {
            Issue.record("not refused: \(url)")
            return
        }
        let isLiteral = !url.contains("localhost")
        let problem = Result { () throws(ReceiverError) in try AddressGuard.problem(url, options: options) }
        guard isLiteral || url.hasPrefix("http:") else { return }
        switch problem {
        case .success(let why): #expect(why?.contains("private address") == true)
        case .failure(let error): #expect("\(error)".contains("not encrypted"))
        }
    }

    @Test func `the operator may allow private addresses, but not reserved ones`() async throws {
        let address = try #require(IPAddress(parsing: "10.0.0.5"))
        #expect(try await vet("https://inner.example", inner: true) == .vetted([address]))
        #expect(try await vet("http://inner.example", http: true, inner: true) == .vetted([address]))
        for url in ["https://meta.example", "https://mapped.example"] {
            guard case .refused = try await vet(url, inner: true) else {
                Issue.record("not refused: \(url)")
                return
            }
        }
    }

    @Test func `localhost that resolves elsewhere is refused`() async throws {
        let lookup = HostLookup.fixed(["localhost": ["10.0.0.1"]])
        guard case .refused = try await vet("https://localhost", lookup: lookup) else {
            Issue.record("not refused")
            return
        }
    }

    @Test(arguments: ["https://127.1/", "https://0x7f000001/", "https://2130706433/"])
    func `loopback in disguise is refused by the system's resolver`(_ url: String) async throws {
        if case .vetted(let addresses) = try await vet(url, lookup: .system()) {
            Issue.record("\(url) was vetted as \(addresses)")
        }
    }

    @Test func `unknown names fail, to be tried again`() async throws {
        for url in ["https://nobody.example", "https://empty.example"] {
            guard case .failed = try await vet(url) else {
                Issue.record("not failed: \(url)")
                return
            }
        }
    }

    @Test func `the system's resolver finds localhost and times out`() async throws {
        let found = try await HostLookup.system().addresses(of: "localhost", timeout: .seconds(10))
        #expect(found.allSatisfy { $0.isLoopback })
        let none = HostLookup.system(concurrent: 0)
        await #expect(throws: HostLookup.Failure.busy) {
            try await none.addresses(of: "localhost", timeout: .seconds(10))
        }
    }

    @Test(arguments: [
        ("ftp://h/x", ReceiverError.unsupportedScheme("ftp")), ("https:///x", .missingHost),
        ("h/x", .unsupportedScheme("")),
        ("https://h/a b", .invalidURL), ("https://h/\r\nX: y", .invalidURL),
        ("http://h.example/x", .plainHTTP(redacted: "http://h.example/…")),
    ])
    func `a receiver's mistakes are named`(url: String, error: ReceiverError) {
        #expect(Receiver(name: "r", kind: .webhook(.init(url: url))).problems == [error])
    }

    @Test(arguments: [Span.zero, .seconds(-1), .minutes(6), Span(microseconds: .max / 2)])
    func `a timeout without sense is a mistake`(_ timeout: Span) {
        let receiver = Receiver(name: "r", kind: .webhook(.init(url: "https://h.example", timeout: timeout)))
        #expect(receiver.problems == [.invalidTimeout(longest: .minutes(5))])
    }

    @Test func `a receiver shows neither its path nor its keys`() throws {
        let receiver = Receiver(
            name: "chat", kind: .webhook(.init(url: "https://user:pw@h.example/T0/s3cret?k=v", secrets: ["hunter2"])))
        var dumped = ""
        dump(receiver, to: &dumped)
        let shown = "\(receiver) \(String(reflecting: receiver)) \(dumped)"
        for secret in ["s3cret", "hunter2", "pw", "k=v", "user"] { #expect(!shown.contains(secret)) }
        #expect(shown.contains("https://h.example/…"))
        #expect(receiver.problems.isEmpty)
    }
}
