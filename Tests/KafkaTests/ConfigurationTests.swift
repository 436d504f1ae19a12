import Kafka
import Testing

@Suite struct ConfigurationTests {
    @Test func `tls and sasl properties are accepted`() throws {
        let configuration = try KafkaConfiguration(properties: [
            ("bootstrap.servers", "broker:9093"), ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "SCRAM-SHA-512"), ("sasl.username", "ada"), ("sasl.password", "hunter2"),
            ("ssl.ca.location", "/etc/ssl/certs/ca-certificates.crt"),
            ("ssl.endpoint.identification.algorithm", "https"),
            ("group.id", "holdfast"), ("fetch.wait.max.ms", "10"),
        ])
        #expect(configuration["sasl.username"] == "ada")
        #expect(!configuration.description.contains("hunter2"))
        #expect(!String(reflecting: configuration).contains("hunter2"))
        #expect(configuration.description.contains("ssl.ca.location=/etc"))
    }

    @Test func `every bad property is named with the reason`() {
        let error = #expect(throws: KafkaConfigurationError.self) {
            try KafkaConfiguration(properties: [
                ("group.ip", "x"), ("session.timeout.ms", "soon"), ("group.id", "fine"),
                ("enable.auto.commit", "true"), ("auto.offset.reset", "error"),
            ])
        }
        let problems = error?.problems ?? []
        #expect(
            problems.map(\.property) == [
                "group.ip", "session.timeout.ms", "enable.auto.commit", "auto.offset.reset",
            ])
        #expect(problems.first?.reason.contains("No such configuration property") == true)
        #expect(problems.dropFirst().first?.reason.contains("session.timeout.ms") == true)
        #expect(problems.dropFirst(2).first?.reason.contains("ledger") == true)
    }

    @Test(arguments: ["sasl.password", "ssl.key.password", "sasl.pasword.secret", "ssl.keystore.password"])
    func `a secret is never shown`(name: String) {
        #expect(KafkaConfiguration.isSecret(name))
        do {
            let text = try KafkaConfiguration(properties: [(name, "s3cr3t")]).description
            #expect(!text.contains("s3cr3t"))
        } catch {
            #expect(!error.description.contains("s3cr3t"))
            #expect(error.problems.first?.property == name)
        }
    }

    @Test func `what the ledger depends on may be said, but not otherwise`() throws {
        _ = try KafkaConfiguration(properties: [
            ("enable.auto.commit", "false"), ("enable.partition.eof", "true"), ("auto.offset.reset", "latest"),
        ])
        #expect(throws: KafkaConfigurationError.self) {
            try KafkaConfiguration(properties: [("enable.partition.eof", "false")])
        }
    }

    @Test func `a consumer without group is refused with a reason`() throws {
        let configuration = try KafkaConfiguration(properties: [("bootstrap.servers", "127.0.0.1:1")])
        let handlers = KafkaConsumerHandlers(
            onAssigned: { _ in [:] }, onRevoked: { _, _ in }, onEvent: { _ in }, onLog: { _ in })
        let error = #expect(throws: KafkaError.self) {
            try KafkaConsumer(configuration: configuration, topics: ["a"], handlers: handlers)
        }
        #expect(error?.text.contains("group.id") == true)
    }
}
