import Glibc

/// One process for each state folder: two would overwrite each other's counts. The lock goes with the process, however it ends.
final class StateLock: Sendable {
    private let descriptor: Int32

    init(folder: String) throws(Serve.Failure) {
        let path = folder + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Serve.Failure(description: "\(path): cannot be made: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Serve.Failure(
                description:
                    "\(folder) is in use by another holdfast; stop it, or give this one a `state` folder of its own")
        }
    }

    deinit { close(descriptor) }
}
