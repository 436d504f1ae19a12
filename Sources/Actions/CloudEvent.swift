import Values

/// A delivery as CloudEvents 1.0 has it: structured, or with its attributes as headers. Its id is that of the delivery, the same on every
/// attempt.
struct CloudEvent {
    private let delivery: PendingDelivery
    private let attributes: [(name: String, value: String)]

    init(_ delivery: PendingDelivery, at now: Timestamp) {
        self.delivery = delivery
        let alerts = delivery.message.flatMap(DeliveredAlert.all(of:)) ?? []
        let kind =
            alerts.isEmpty
            ? Self.text(delivery.message?["type"]) ?? "message"
            : "alert." + (alerts.contains(where: \.isFiring) ? "firing" : "resolved")
        let source = Self.text(delivery.message?["externalURL"]).flatMap { $0.isEmpty ? nil : $0 } ?? "/holdfast"
        let subject = alerts.first.map { "\($0.model)/\($0.name)" } ?? Self.text(delivery.message?["model"])
        attributes =
            [
                ("specversion", "1.0"), ("id", delivery.id), ("source", source), ("type", "holdfast.\(kind)"),
                ("time", now.rfc3339),
            ] + (subject.map { [("subject", $0)] } ?? [])
    }

    private static func text(_ json: JSON?) -> String? {
        guard case .string(let text)? = json else { return nil }
        return text
    }

    func request(isBinary: Bool) -> DeliveryForm.Request {
        if isBinary {
            let headers = attributes.map { (name: "ce-\($0.name)", value: Self.headerValue($0.value)) }
            return DeliveryForm.Request(headers: headers, body: delivery.body)
        }
        let event = JSON.object(
            attributes.map { JSON.Member($0.name, .string($0.value)) } + [
                .init("datacontenttype", "application/json"), .init("data", delivery.message ?? .null),
            ])
        return DeliveryForm.Request(
            headers: [("content-type", "application/cloudevents+json; charset=utf-8")], body: event.bytes)
    }

    /// Percent-encoded as the HTTP binding asks (3.1.3.2): blanks, quotes, percents and all that is not printable ASCII.
    private static func headerValue(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (0x21...0x7e).contains(byte) && byte != 0x22 && byte != 0x25
            guard !isPlain else { return String(UnicodeScalar(byte)) }
            let hex = String(byte, radix: 16, uppercase: true)
            return "%" + (hex.count == 1 ? "0" : "") + hex
        }.joined()
    }
}
