import Foundation
import Synchronization

/// What one thread saw.
private struct Share: Sendable {
    var nanoseconds: [UInt64] = []
    var failure: LoadError?
}

/// Each thread sends its next request when the last one is answered.
func load(_ request: Request, port: UInt16, threads: Int, seconds: Int) throws -> String {
    let shares = Mutex([Share]())
    let done = DispatchSemaphore(value: 0)
    let start = monotonic() + 100_000_000
    let end = start + UInt64(seconds) * 1_000_000_000
    for thread in 0..<threads {
        let worker = Thread {
            var share = Share()
            do throws(LoadError) {
                share.nanoseconds = try hammer(request, port, thread, from: start, to: end)
            } catch {
                share.failure = error
            }
            shares.withLock { $0.append(share) }
            done.signal()
        }
        worker.start()
    }
    for _ in 0..<threads { done.wait() }
    let wall = Double(monotonic() - start) / 1e9
    let all = shares.withLock { $0 }
    if let failure = all.lazy.compactMap(\.failure).first { throw failure }
    let times = all.flatMap(\.nanoseconds).sorted()
    guard let last = times.last else { throw LoadError("nothing was answered in time") }
    func milliseconds(_ share: Double) -> Double {
        Double(times[min(times.count - 1, Int(Double(times.count) * share))]) / 1e6
    }
    return """
        {"count": \(times.count), "wall_s": \(wall), "p50_ms": \(milliseconds(0.5)), "p99_ms": \(milliseconds(0.99)), \
        "max_ms": \(Double(last) / 1e6)}
        """
}

private func hammer(
    _ request: Request, _ port: UInt16, _ thread: Int, from start: UInt64, to end: UInt64
) throws(LoadError) -> [UInt64] {
    var connection = try Connection(port: port)
    var template = request.template(thread: thread)
    // What is sent is new also to a server that was measured before.
    var number = Template.first + Int(start / 1_000_000 % 1_000_000) * 1_000_000
    var times: [UInt64] = []
    times.reserveCapacity(1 << 20)
    var now = monotonic()
    while now < start {
        usleep(useconds_t((start - now) / 1_000))
        now = monotonic()
    }
    while now < end {
        template.number(number)
        number += 1
        try connection.send(template.bytes)
        try connection.receive()
        let answered = monotonic()
        times.append(answered - now)
        now = answered
    }
    return times
}
