import HTTPTypes
import Logging

/// All log lines of the HTTP side.
struct ServerTelemetry: Sendable {
    let log: Logger

    func running(host: String, port: Int) {
        log.info("http listening", metadata: ["host": "\(host)", "port": "\(port)"])
    }

    /// Nobody must act: clients come and go.
    func left(_ method: String, _ path: String, cause: String) {
        log.debug(
            "http client left",
            metadata: ["method": "\(method)", "path": "\(path)", "status": "499", "cause": "\(cause)"])
    }

    func failed(_ method: String, _ path: String, _ failure: Failure, cause: String) {
        log.warning(
            "http request failed",
            metadata: [
                "method": "\(method)", "path": "\(path)", "status": "\(failure.status.code)", "cause": "\(cause)",
            ])
    }
}
