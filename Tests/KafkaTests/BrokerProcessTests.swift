import Kafka
import TestSupport
import Testing

@Suite struct BrokerProcessTests {
    @Test func `each command is answered, and a bad one says why`() throws {
        let broker = try TestBrokerProcess(brokers: 3)
        #expect(broker.bootstrap.split(separator: ",").count == 3)
        for command in [
            "topic t 2", "leader t 1 3", "coordinator group g 2", "rtt 1 5", "down 2", "up 2", "error 1 6 2",
        ] {
            try broker.send(command)
        }
        for command in ["topic t", "leader t 1 9", "down two", "error 1 6 0", "up 1 2", "fly"] {
            #expect(throws: TestBrokerError.self) { try broker.send(command) }
        }
        broker.stop()
        #expect(throws: (any Error).self) { try broker.send("up") }
    }
}
