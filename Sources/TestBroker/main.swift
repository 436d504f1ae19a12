import CRdkafka
import Foundation

// A Kafka broker for tests and the demo: librdkafka's mock cluster in a process of its own, so that either side can be
// killed. `ready BOOTSTRAP` is printed first; then each line of stdin is a command, answered by `ok` or `error TEXT`.
// It ends with stdin, so it never outlives whoever started it.

let usage = "usage: TestBroker [--brokers N]"

/// Written whole and at once, because the other side waits for it.
func answer(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("TestBroker: \(text)\n".utf8))
    exit(2)
}

func brokerCount(_ arguments: [String]) -> Int32 {
    switch arguments.count {
    case 0: return 1
    case 2 where arguments[0] == "--brokers":
        guard let count = Int32(arguments[1]), (1...100).contains(count) else { fail(usage) }
        return count
    default: fail(usage)
    }
}

// A reader that went away must not end the cluster before stdin does.
signal(SIGPIPE, SIG_IGN)

do {
    let cluster = try MockCluster(brokers: brokerCount(Array(CommandLine.arguments.dropFirst())))
    answer("ready \(cluster.bootstrap)")
    while let line = readLine() {
        if line.trimmingCharacters(in: .whitespaces).isEmpty { continue }
        do {
            let command = try Command(parsing: line)
            if command == .quit {
                answer("ok")
                break
            }
            try cluster.run(command)
            answer("ok")
        } catch {
            answer("error \(error)")
        }
    }
} catch {
    fail("\(error)")
}
