import Synchronization

/// What keeps the service from being ready, by part. Empty when all is well.
final class Health: Sendable {
    private let reasons = Mutex<[String: String]>([:])

    func set(_ part: String, _ reason: String?) { reasons.withLock { $0[part] = reason } }

    var notReady: [String] {
        reasons.withLock { all in all.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" } }
    }
}
