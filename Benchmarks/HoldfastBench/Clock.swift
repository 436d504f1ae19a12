import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// CPU time of this process and of the calling thread, and wall time, in nanoseconds.
enum Clock {
    static var process: Double { read(CLOCK_PROCESS_CPUTIME_ID) }
    static var thread: Double { read(CLOCK_THREAD_CPUTIME_ID) }
    /// CPU time of all of this process's threads with such a name; those that have ended are not there.
    static func threads(named prefix: String) -> Double {
        let folder = "/proc/self/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.reduce(0) { sum, thread in
            guard let number = clockid_t(thread),
                let name = try? String(contentsOfFile: "\(folder)/\(thread)/comm", encoding: .utf8),
                name.hasPrefix(prefix)
            else { return sum }
            // The kernel's number of a thread's clock of CPU time, as in pthread_getcpuclockid.
            return sum + read(~number << 3 | 6)
        }
    }

    static var wall: Double { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    /// What a measured stretch cost for each of its events.
    struct Cost {
        var cpu: [Double] = []
        var wall: [Double] = []

        mutating func measure(_ events: Int, _ body: () throws -> Void) rethrows {
            let (cpu, wall) = (Clock.process, Clock.wall)
            try body()
            self.cpu.append((Clock.process - cpu) / Double(events))
            self.wall.append((Clock.wall - wall) / Double(events))
        }
    }
}
