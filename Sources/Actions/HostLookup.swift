import Foundation
import Synchronization
package import Values

/// Turns a host name into addresses. A value rather than a call, because tests name their own hosts.
package struct HostLookup: Sendable {
    package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        case unknownHost(String)
        case timeout
        case busy

        package var description: String {
            switch self {
            case .unknownHost(let why): "the host name cannot be resolved: \(why)"
            case .timeout: "the name service did not answer in time"
            case .busy: "too many name lookups are under way"
            }
        }
    }

    private let resolve: @Sendable (String, Span) async throws(Failure) -> [IPAddress]

    package init(_ resolve: @escaping @Sendable (String, Span) async throws(Failure) -> [IPAddress]) {
        self.resolve = resolve
    }

    /// Every address of the host, in the order they should be tried; never empty.
    package func addresses(of host: String, timeout: Span) async throws(Failure) -> [IPAddress] {
        let found = try await resolve(host, timeout)
        guard !found.isEmpty else { throw .unknownHost("it has no address") }
        return found
    }

    /// The system's resolver. Each lookup blocks a thread of its own, named `holdfast-dns`, because a dead name server
    /// holds `getaddrinfo` for tens of seconds and must not hold the lookups of other receivers.
    package static func system(concurrent limit: Int = 16) -> HostLookup {
        let slots = LookupSlots(limit: limit)
        return HostLookup { (host, timeout) async throws(Failure) in
            guard slots.take() else { throw .busy }
            let answer: Result<[IPAddress], Failure> = await withCheckedContinuation { continuation in
                let once = Once(continuation)
                let thread = Thread {
                    // The slot is freed by the thread, not by the timeout: it bounds threads, not callers.
                    defer { slots.free() }
                    once.resume(blockingLookup(host))
                }
                thread.name = "holdfast-dns"
                thread.start()
                let deadline = DispatchTime.now() + .nanoseconds(Int(timeout.microseconds) * 1_000)
                DispatchQueue.global().asyncAfter(deadline: deadline) { once.resume(.failure(.timeout)) }
            }
            return try answer.get()
        }
    }

    private static func blockingLookup(_ host: String) -> Result<[IPAddress], Failure> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        // Families this machine has no address of are left out: they could only fail.
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return .failure(.unknownHost(String(cString: gai_strerror(code)))) }
        defer { freeaddrinfo(list) }
        var found = [IPAddress]()
        var next = list
        while let entry = next {
            if let address = address(of: entry.pointee), !found.contains(address) { found.append(address) }
            next = entry.pointee.ai_next
        }
        return .success(found)
    }

    private static func address(of entry: addrinfo) -> IPAddress? {
        guard let raw = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET:
            var address = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            return withUnsafeBytes(of: &address) { IPAddress(bytes: [UInt8]($0)) }
        case AF_INET6:
            var address = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return withUnsafeBytes(of: &address) { IPAddress(bytes: [UInt8]($0)) }
        default: return nil
        }
    }
}

/// Counts lookups under way, up to a limit.
private final class LookupSlots: Sendable {
    private let used = Mutex(0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func take() -> Bool {
        used.withLock { used in
            guard used < limit else { return false }
            used += 1
            return true
        }
    }

    func free() { used.withLock { $0 -= 1 } }
}

/// A continuation that two sides race to resume: the first wins, the other is ignored.
private final class Once<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, Never>?>

    init(_ continuation: CheckedContinuation<Value, Never>) { self.continuation = Mutex(continuation) }

    func resume(_ value: Value) {
        let waiting = continuation.withLock { held in
            defer { held = nil }
            return held
        }
        waiting?.resume(returning: value)
    }
}
