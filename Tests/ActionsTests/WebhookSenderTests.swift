import Actions
import Foundation
import TestSupport
import Testing
import Values

/// Deliveries over real sockets, to a receiver on loopback.
@Suite struct WebhookSenderTests {
    private static let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private func sender(
        _ url: String, secrets: [String] = [], timeout: Span = .minutes(5), options: Receiver.Options = .init(),
        lookup: HostLookup = .system()
    ) -> WebhookSender {
        let webhook = Receiver.Webhook(url: url, secrets: secrets, timeout: timeout, options: options)
        return WebhookSender(
            receivers: [Receiver(name: "oncall", kind: .webhook(webhook))], lookup: lookup, random: { 0.5 })
    }

    private let delivery = PendingDelivery(id: "msg_1", receiver: "oncall", body: [UInt8](#"{"a":1}"#.utf8))

    @Test func `arrives whole and signed by both keys`() async throws {
        let receiver = try WebhookReceiver()
        let sender = sender(receiver.url(path: "/hook?team=risk"), secrets: [Self.key, "raw text"])
        let outcome = await sender.attempt(delivery, at: noon)
        #expect(outcome.action == .delivered && outcome.attempts == 1 && outcome.firstAttempt == noon)
        #expect(outcome.label == "delivered" && !outcome.wantsFallback)
        let request = try #require(try await receiver.waitFor(count: 1).first)
        #expect(request.method == "POST" && request.path == "/hook?team=risk" && request.body == delivery.body)
        #expect(request["content-type"] == "application/json" && request["webhook-id"] == "msg_1")
        #expect(request["webhook-timestamp"] == "1772366400")
        #expect(request.isSigned(by: Self.key) && request.isSigned(by: "raw text") && !request.isSigned(by: "other"))
        let keys = [try SigningKey(parsing: Self.key)]
        #expect(
            Signature.verify(
                header: request["webhook-signature"] ?? "", id: "msg_1", timestampHeader: "1772366400",
                body: request.body, keys: keys, now: noon))
    }

    @Test func `a failing receiver gets the same id until it answers`() async throws {
        let receiver = try WebhookReceiver(mode: .failing(times: 2, status: 503))
        let sender = sender(receiver.url(), secrets: [Self.key])
        var pending = delivery
        var at = noon
        var actions = [String]()
        for _ in 0..<3 {
            let outcome = await sender.attempt(pending, at: at)
            actions.append(outcome.label)
            pending.attempts = outcome.attempts
            pending.firstAttempt = outcome.firstAttempt
            if case .deliverAgain(let next) = outcome.action { at = next }
        }
        #expect(actions == ["retry", "retry", "delivered"])
        #expect(at == noon + .milliseconds(1_500))
        let requests = try await receiver.waitFor(count: 3)
        #expect(Set(requests.compactMap { $0["webhook-id"] }) == ["msg_1"])
        // The third attempt falls into the next second, so it is signed anew.
        #expect(requests.map { $0["webhook-timestamp"] } == ["1772366400", "1772366400", "1772366401"])
        #expect(requests.allSatisfy { $0.isSigned(by: Self.key) })
    }

    @Test(arguments: [301, 302, 307, 308])
    func `redirects are not followed`(_ status: Int) async throws {
        let target = try WebhookReceiver()
        let receiver = try WebhookReceiver(mode: .status(status, headers: ["Location": target.url()]))
        let outcome = await sender(receiver.url()).attempt(delivery, at: noon)
        #expect(outcome.result == .response(status: status, retryAfter: nil) && outcome.label == "retry")
        #expect(target.requests.isEmpty)
    }

    @Test func `Retry-After sets the next attempt`() async throws {
        let receiver = try WebhookReceiver(mode: .status(429, headers: ["Retry-After": "120"]))
        let sender = sender(receiver.url())
        #expect(await sender.attempt(delivery, at: noon).action == .deliverAgain(at: noon + .minutes(2)))
        receiver.answer(.status(503, headers: ["Retry-After": "Sun, 01 Mar 2026 12:10:00 GMT"]))
        #expect(await sender.attempt(delivery, at: noon).action == .deliverAgain(at: noon + .minutes(10)))
    }

    @Test func `410 disables, 404 is raised`() async throws {
        let receiver = try WebhookReceiver(mode: .status(410))
        let sender = sender(receiver.url())
        #expect(await sender.attempt(delivery, at: noon).label == "disabled")
        receiver.answer(.status(404))
        #expect(await sender.attempt(delivery, at: noon).wantsFallback)
    }

    @Test func `a slow receiver is given up at the timeout`() async throws {
        let receiver = try WebhookReceiver(mode: .slow(.seconds(60)))
        let outcome = await sender(receiver.url(), timeout: .milliseconds(300)).attempt(delivery, at: noon)
        guard case .connectionError(let text) = outcome.result else {
            Issue.record("\(outcome.result)")
            return
        }
        #expect(text == "http://127.0.0.1/…: the receiver did not answer in time")
    }

    /// Were the limit missing, the attempt would last as long as its own timeout, which is longer than the test's.
    @Test(.timeLimit(.minutes(1)))
    func `a body without end is cut off and the status counts`() async throws {
        let receiver = try WebhookReceiver(mode: .endless)
        #expect(await sender(receiver.url(), timeout: .minutes(5)).attempt(delivery, at: noon).action == .delivered)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a body that never comes holds the attempt no longer than its timeout`() async throws {
        let receiver = try WebhookReceiver(mode: .stalled)
        let sender = sender(receiver.url(), timeout: .milliseconds(300))
        #expect(await sender.attempt(delivery, at: noon).action == .delivered)
    }

    @Test func `a refused connection is an error without the path`() async throws {
        var receiver: WebhookReceiver? = try WebhookReceiver()
        let url = try #require(receiver?.url(path: "/T0/s3cret"))
        // A port that was ours a moment ago and is closed now.
        receiver = nil
        let outcome = await sender(url).attempt(delivery, at: noon)
        guard case .connectionError(let text) = outcome.result else {
            Issue.record("\(outcome.result)")
            return
        }
        #expect(!text.contains("s3cret") && text.hasPrefix("http://127.0.0.1/…: "))
    }

    @Test func `the connection goes to the vetted address and Host stays the name`() async throws {
        let receiver = try WebhookReceiver()
        // The name exists in this table only: were it looked up again, the delivery would fail.
        let sender = sender(
            "http://Hooks.Invalid:\(receiver.port)/x", options: .init(allowHTTP: true, allowPrivate: true),
            lookup: HostLookup { (_, _) async throws(HostLookup.Failure) in
                IPAddress(parsing: "127.0.0.1").map { [$0] } ?? []
            })
        #expect(await sender.attempt(delivery, at: noon).action == .delivered)
        let request = try #require(try await receiver.waitFor(count: 1).first)
        #expect(request["host"]?.lowercased() == "hooks.invalid:\(receiver.port)")
    }

    @Test func `the next address is tried where the first does not answer`() async throws {
        let receiver = try WebhookReceiver()
        let sender = sender(
            "http://hooks.invalid:\(receiver.port)/x", options: .init(allowHTTP: true, allowPrivate: true),
            lookup: .fixed(["hooks.invalid": ["127.0.0.2", "127.0.0.1"]]))
        #expect(await sender.attempt(delivery, at: noon).action == .delivered)
    }

    @Test func `an address that turned private is refused at the next attempt`() async throws {
        let receiver = try WebhookReceiver()
        let sender = sender(
            "http://hooks.invalid:\(receiver.port)/x", options: .init(allowHTTP: true),
            lookup: .fixed(["hooks.invalid": ["127.0.0.1"]]))
        let outcome = await sender.attempt(delivery, at: noon)
        guard case .refused(let why) = outcome.result else {
            Issue.record("\(outcome.result)")
            return
        }
        #expect(why.contains("allow_private") && outcome.wantsFallback && outcome.label == "retry")
        #expect(receiver.requests.isEmpty)
    }

    @Test func `user and password are sent as Basic`() async throws {
        let receiver = try WebhookReceiver()
        let sender = sender("http://team:p%40ss@127.0.0.1:\(receiver.port)/x")
        #expect(await sender.attempt(delivery, at: noon).action == .delivered)
        let expected = "Basic " + Data("team:p@ss".utf8).base64EncodedString()
        #expect(receiver.requests.first?["authorization"] == expected)
    }

    @Test func `an unknown or unusable receiver is refused, not forgotten`() async throws {
        let sender = sender("https://h.example/x", secrets: ["whsec_%%%"])
        var stray = delivery
        stray.receiver = "gone"
        let outcomes = [await sender.attempt(delivery, at: noon), await sender.attempt(stray, at: noon)]
        for outcome in outcomes { #expect(outcome.label == "retry" && outcome.wantsFallback) }
    }

    /// Needs the `openssl` command; a server whose certificate nobody vouches for must not get an alert.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
    func `an untrusted certificate is refused`() async throws {
        let server = try SelfSignedServer()
        let outcome = await sender("https://localhost:\(server.port)/x").attempt(delivery, at: noon)
        guard case .connectionError(let text) = outcome.result else {
            Issue.record("\(outcome.result)")
            return
        }
        #expect(text.uppercased().contains("CERTIFICATE"), "\(text)")
    }
}
