import HTTPTypes
import Logging

/// All log lines of the HTTP side.
struct ServerTelemetry: Sendable {
    let log: Logger

    func running(host: String, port: Int) {
        log.info("http listening", metadata: ["host": "\(host)", "port": "\(port)"])
    }

    func failed(_ method: String, _ path: String, _ failure: Failure, cause: String) {
        log.warning(
            "http request failed",
            metadata: [
                "method": "\(method)", "path": "\(path)", "status": "\(failure.status.code)", "cause": "\(cause)",
            ])
    }
}
