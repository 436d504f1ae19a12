import Glibc
import Synchronization

/// Answers to the reads that fleets and clients repeat all day, good for as long as nothing at all was committed.
///
/// What tells is the header of SQLite's WAL index (https://www.sqlite.org/walformat.html, "The WAL-Index File Format"): every
/// commit, of whichever process, changes its counter, and it is in memory that all of them share. So an answer is never
/// older than the last commit, the command line's included, and asking whether it still holds costs no system call.
package final class ReadCache<Value: Sendable>: Sendable {
    private typealias Mark = WALIndexHeader.Mark

    private struct State {
        var mark: Mark
        var answers: [String: Value] = [:]
    }

    private let maximum = 4_096
    private let header: WALIndexHeader
    private let state: Mutex<State>

    /// `nil` for databases in memory.
    package init?(database path: String) {
        guard let header = WALIndexHeader(path: path + "-shm") else { return nil }
        self.header = header
        state = Mutex(State(mark: header.mark))
    }

    /// The answer to a question, from memory or from `read`.
    package func value(_ question: String, _ read: () async throws -> Value) async throws -> Value {
        let mark = header.mark
        let known = state.withLock { state in Self.same(state.mark, mark) ? state.answers[question] : nil }
        if let known { return known }
        // A commit between here and there makes the mark an old one, and the answer is asked for again next time.
        let answer = try await read()
        state.withLock { state in
            if !Self.same(state.mark, mark) || state.answers.count >= maximum {
                state = State(mark: mark)
            }
            state.answers[question] = answer
        }
        return answer
    }

    private static func same(_ a: Mark, _ b: Mark) -> Bool { a.indices.allSatisfy { a[$0] == b[$0] } }
}

/// The header of a WAL index, mapped. The file is never closed: closing any descriptor of a file drops the locks that SQLite
/// holds on it in this process (POSIX advisory locks), so the few bytes stay mapped as long as the program lives.
private struct WALIndexHeader: @unchecked Sendable {
    /// The 48 bytes of the header. One that is being written differs from every one remembered.
    typealias Mark = InlineArray<6, UInt64>

    private let bytes: UnsafeRawPointer

    init?(path: String) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        // SQLite makes the file 32 KiB long when it opens it, and never shorter while it is open.
        guard let mapped = mmap(nil, 4_096, PROT_READ, MAP_SHARED, file, 0), mapped != MAP_FAILED else {
            return nil
        }
        bytes = UnsafeRawPointer(mapped)
    }

    var mark: Mark { Mark { bytes.load(fromByteOffset: $0 * 8, as: UInt64.self) } }
}
