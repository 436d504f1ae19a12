import Monitor
import Synchronization
import Values

/// Says how far a replay has come: on a terminal in place, several times a second; elsewhere a line each half minute, so that whoever
/// looks at a log knows that it goes on.
final class ReplayProgress: Sendable {
    private static let pause = Terminal.isInteractive ? Duration.milliseconds(200) : .seconds(30)

    private let next = Mutex(ContinuousClock.now + ReplayProgress.pause)

    func take(_ progress: Replay.Progress) {
        let now = ContinuousClock.now
        let isDue = next.withLock { next in
            guard now >= next else { return false }
            next = now + Self.pause
            return true
        }
        guard isDue else { return }
        let place = progress.time.map { ", \(progress.windows) windows, up to \($0.rfc3339)" } ?? ""
        if Terminal.isInteractive {
            Terminal.progress(progress.share, "replaying" + place)
        } else {
            let share = progress.share.map { " \(Int($0 * 100))%" } ?? ""
            Terminal.line("replaying:\(share)\(place)")
        }
    }
}
