#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// CPU time of this process and of the calling thread, and wall time, in nanoseconds.
enum Clock {
    static var process: Double { read(CLOCK_PROCESS_CPUTIME_ID) }
    static var thread: Double { read(CLOCK_THREAD_CPUTIME_ID) }
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
