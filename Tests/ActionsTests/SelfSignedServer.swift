import Foundation
import Synchronization

/// `openssl s_server` with a certificate for `localhost` that nobody vouches for.
final class SelfSignedServer: Sendable {
    struct Failure: Error {}

    let port: UInt16
    private let folder: URL
    private let process: Mutex<Process>

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "holdfast-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let key = folder.appending(path: "key.pem").path
        let certificate = folder.appending(path: "certificate.pem").path
        let maker = Self.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
        ])
        maker.standardOutput = FileHandle.nullDevice
        try maker.run()
        maker.waitUntilExit()
        let server = Self.openssl(["s_server", "-accept", "0", "-cert", certificate, "-key", key, "-www"])
        let output = Pipe()
        server.standardOutput = output
        try server.run()
        // The port it was given is on its first lines: `ACCEPT [::]:40123`.
        var text = ""
        var found: UInt16?
        while found == nil {
            let part = output.fileHandleForReading.availableData
            guard !part.isEmpty else { break }
            text += String(decoding: part, as: UTF8.self)
            for line in text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1)
            where line.hasPrefix("ACCEPT") {
                found = line.split(separator: ":").last.flatMap { UInt16($0) }
            }
        }
        guard let found else {
            server.terminate()
            throw Failure()
        }
        port = found
        self.folder = folder
        process = Mutex(server)
    }

    deinit {
        process.withLock { $0.terminate() }
        try? FileManager.default.removeItem(at: folder)
    }

    private static func openssl(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        return process
    }
}
