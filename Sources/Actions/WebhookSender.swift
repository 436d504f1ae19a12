import AsyncHTTPClient
import Foundation
package import NIOCore
import NIOHTTP1
package import Values

/// Makes one attempt at one delivery. Redirects and proxies are not followed, certificates are verified, and the
/// connection goes to the address that was vetted for this very attempt while SNI and `Host` stay the name.
///
/// Each attempt opens its own connection: a pooled one would outlive the vetting of its address. Alerts are rare
/// enough for a handshake each.
package struct WebhookSender: Sendable {
    /// Bytes of an answer that are read before it is cut off. They are counted and thrown away: an answer's body is
    /// never kept, logged or shown, because it may come from a machine its reader has no business with.
    static let responseBodyBytesMax = 64 * 1024

    private enum Endpoint: Sendable {
        case webhook(
            WebhookURL, keys: [SigningKey], timeout: Span, options: Receiver.Options, form: DeliveryForm)
        case unusable(ReceiverError)
    }

    private let endpoints: [String: Endpoint]
    private let addressGuard: AddressGuard
    private let random: @Sendable () -> Double
    private let group: any EventLoopGroup

    /// - Parameter random: uniform in 0..<1, for the jitter of retries.
    package init(
        receivers: [Receiver], lookup: HostLookup = .system(), random: @escaping @Sendable () -> Double,
        group: (any EventLoopGroup)? = nil
    ) {
        endpoints = Dictionary(
            receivers.map { ($0.name, Self.endpoint(of: $0)) }, uniquingKeysWith: { first, _ in first })
        addressGuard = AddressGuard(lookup: lookup)
        self.random = random
        self.group = group ?? HTTPClient.defaultEventLoopGroup
    }

    private static func endpoint(of receiver: Receiver) -> Endpoint {
        do throws(ReceiverError) {
            switch receiver.kind {
            case .webhook(let webhook):
                try webhook.requireBoundedTimeout()
                var keys = [SigningKey]()
                for secret in webhook.secrets { keys.append(try SigningKey(parsing: secret)) }
                return .webhook(
                    try WebhookURL(parsing: webhook.url), keys: keys, timeout: webhook.timeout,
                    options: webhook.options, form: webhook.form)
            case .log: return .unusable(.noAddress)
            }
        } catch {
            return .unusable(error)
        }
    }

    /// Sends the delivery once and says what to do next. Never throws: a failure is an outcome to be written down.
    package func attempt(_ delivery: PendingDelivery, at: Timestamp) async -> DeliveryOutcome {
        var machine = DeliveryStateMachine(attempts: delivery.attempts, firstAttempt: delivery.firstAttempt)
        let result = await send(delivery, at: at)
        let action = machine.on(result, at: at, random: random())
        return DeliveryOutcome(
            result: result, action: action, attempts: machine.attempts, firstAttempt: machine.firstAttempt ?? at,
            wantsFallback: action != .delivered && machine.wantsFallback(at: at))
    }

    private func send(_ delivery: PendingDelivery, at: Timestamp) async -> DeliveryResult {
        switch endpoints[delivery.receiver] {
        case nil:
            return .refused("there is no receiver \"\(delivery.receiver)\" in the configuration any more")
        case .unusable(let error):
            return .refused(error.description)
        case .webhook(let url, let keys, let timeout, let options, let form):
            guard let requests = form.requests(delivery, at: at) else {
                return .refused("this is no alert, and \(delivery.receiver) takes nothing else: name a webhook for it")
            }
            let deadline = NIODeadline.now() + .microseconds(timeout.microseconds)
            let addresses: [IPAddress]
            switch await addressGuard.vet(url, options: options, timeout: timeout) {
            case .vetted(let vetted): addresses = vetted
            case .refused(let why): return .refused(why)
            case .failed(let why): return .connectionError(why)
            }
            var last = DeliveryResult.connectionError("the receiver did not answer in time")
            // Some receivers want a request for each alert; those that were taken are sent again with the others and are known there.
            for part in requests {
                let request = request(delivery, part, url: url, keys: keys, form: form, at: at)
                last = await post(request, to: addresses, url: url, deadline: deadline, at: at)
                guard case .response(let status, _) = last, (200..<300).contains(status) else { break }
            }
            if case .response(let status, _) = last, form.isFinal(status) { return .unacceptable(status: status) }
            return last
        }
    }

    /// A host with several addresses is down only when none answers. A request that was sent twice is dropped by its webhook-id.
    private func post(
        _ request: HTTPClientRequest, to addresses: [IPAddress], url: WebhookURL, deadline: NIODeadline, at: Timestamp
    ) async -> DeliveryResult {
        var last = DeliveryResult.connectionError("the receiver did not answer in time")
        for address in addresses where NIODeadline.now() < deadline {
            last = await post(request, to: address, url: url, deadline: deadline, at: at)
            if case .response = last { break }
        }
        return last
    }

    private func request(
        _ delivery: PendingDelivery, _ part: DeliveryForm.Request, url: WebhookURL, keys: [SigningKey],
        form: DeliveryForm, at: Timestamp
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url.text(path: part.path, query: part.query))
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "user-agent", value: "Holdfast")
        for (name, value) in part.headers { request.headers.replaceOrAdd(name: name, value: value) }
        let names =
            switch form {
            case .mlflow:
                (id: "x-mlflow-delivery-id", timestamp: "x-mlflow-timestamp", signature: "x-mlflow-signature")
            default: (id: "webhook-id", timestamp: "webhook-timestamp", signature: "webhook-signature")
            }
        request.headers.add(name: names.id, value: delivery.id)
        request.headers.add(name: names.timestamp, value: Signature.timestampHeader(at))
        if !keys.isEmpty {
            let signature = Signature.header(id: delivery.id, timestamp: at, body: part.body, keys: keys)
            request.headers.add(name: names.signature, value: signature)
        }
        if let user = url.user, part.headers.allSatisfy({ $0.name != "authorization" }) {
            request.setBasicAuth(username: user, password: url.password ?? "")
        }
        request.body = .bytes(ByteBuffer(bytes: part.body))
        return request
    }

    /// The connection error of one address, or the receiver's answer.
    private func post(
        _ request: HTTPClientRequest, to address: IPAddress, url: WebhookURL, deadline: NIODeadline, at: Timestamp
    ) async -> DeliveryResult {
        let client = HTTPClient(
            eventLoopGroupProvider: .shared(group), configuration: configuration(url, address, deadline))
        let exchange = Task {
            let response = try await client.execute(request, deadline: deadline)
            await Self.discard(response.body)
            return response
        }
        // The client's deadline ends with the answer's head; this one covers a body that drips for ever, too.
        let cutoff = group.any().scheduleTask(deadline: deadline) { exchange.cancel() }
        let outcome = await withTaskCancellationHandler {
            await exchange.result
        } onCancel: {
            exchange.cancel()
        }
        cutoff.cancel()
        // Shutting down can only fail where it was done before; the connection is closed either way.
        try? await client.shutdown()
        switch outcome {
        case .success(let response):
            let asked = response.headers.first(name: "retry-after").flatMap { RetryAfter.parse($0, at: at) }
            return .response(status: Int(response.status.code), retryAfter: asked)
        case .failure(let error):
            return .connectionError(ConnectionFailure.text(of: error, url: url))
        }
    }

    private func configuration(
        _ url: WebhookURL, _ address: IPAddress, _ deadline: NIODeadline
    ) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.httpVersion = .http1Only
        // Half of what is left, so that a host that swallows packets leaves time for its other address.
        let left = max(.milliseconds(1), deadline - .now())
        configuration.timeout.connect = .nanoseconds(max(1_000_000, left.nanoseconds / 2))
        // The state machine does the retrying; the client's own would hide a refused connection until the deadline.
        configuration.connectionPool.retryConnectionEstablishment = false
        if url.literal == nil { configuration.dnsOverride = [url.host: address.description] }
        return configuration
    }

    /// Reads at most the limit, then lets go. The status has decided already, so a broken body changes nothing.
    private static func discard(_ body: HTTPClientResponse.Body) async {
        var bytes = 0
        do {
            for try await part in body {
                bytes += part.readableBytes
                if bytes > responseBodyBytesMax { return }
            }
        } catch {
            return
        }
    }
}
