/// Why the registry did not do what it was asked, with a message that says what to do about it.
///
/// Every function of `Registry` throws this type, or `CancellationError` where the calling task was cancelled.
package struct RegistryError: Error, Hashable, Sendable {
    package enum Code: String, Sendable, CaseIterable {
        /// The model, version or alias does not exist.
        case notFound = "not_found"
        /// The name is taken.
        case alreadyExists = "already_exists"
        /// The state is no longer the one the caller expected: read it again and decide anew.
        case conflict
        /// The request itself is malformed; asking again changes nothing.
        case invalid
        /// A guard of the registry forbids it in the present state.
        case refused
        /// The database could not be used: disk full, locked, damaged, of a newer program.
        case unavailable
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension RegistryError: CustomStringConvertible {
    package var description: String { message }
}
