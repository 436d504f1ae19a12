package import Foundation

/// The real event streams that lie beside a development checkout (`../shared`). They are not part of the repository;
/// tests that need them are skipped where they are absent.
package enum SharedData {
    /// The folder, `nil` where it is not there. `HOLDFAST_SHARED` names another place.
    package static let root: URL? = {
        let named = ProcessInfo.processInfo.environment["HOLDFAST_SHARED"]
        let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = named.map { URL(filePath: $0) } ?? checkout.deletingLastPathComponent().appending(path: "shared")
        return FileManager.default.fileExists(atPath: folder.appending(path: "data").path) ? folder : nil
    }()

    package static func stream(_ name: String) -> URL? { root?.appending(path: "data").appending(path: name) }
    package static var isPresent: Bool { root != nil }
}
