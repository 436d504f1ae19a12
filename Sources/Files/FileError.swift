/// Why a file cannot be read, in words that name it.
package struct FileError: Error, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    /// - Parameter line: of the file, from 1.
    package init(_ path: String, line: Int, _ reason: String) {
        self.init("\(path):\(line)", reason)
    }

    package var description: String { "\(path): \(reason)" }
}
