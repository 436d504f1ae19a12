/// The name of an artifact: a key of a table. Nothing on disk is ever called by it; the checks keep what other programs would
/// read as a way out of a folder from being stored at all.
package struct ArtifactPath: Hashable, Sendable {
    package let text: String

    /// - Parameter decoded: a path whose percent-encoding has been decoded once. What still decodes then was encoded
    ///   twice, which only somebody does who wants two readers to see different paths (CVE-2023-6831, CVE-2024-1560).
    package init(_ decoded: String) throws(MLflowError) {
        let failure = MLflowError.invalid("Invalid path: it must be relative, without '.' and '..' and encoded once")
        guard !decoded.isEmpty, decoded.utf8.count <= 2_048 else { throw failure }
        guard decoded.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") }) else { throw failure }
        guard Self.decode(decoded) == decoded else { throw failure }
        // Bytes and not characters: a slash and a combining mark after it are one character.
        let parts = decoded.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }) else {
            throw failure
        }
        // A scheme or a drive.
        guard let first = parts.first, !first.contains(UInt8(ascii: ":")) else { throw failure }
        text = decoded
    }

    /// The folder that a listing names; `nil` for the top. Clients write `.` for a folder itself, and nothing is stored
    /// under such a name.
    package static func folder(_ decoded: String?) throws(MLflowError) -> ArtifactPath? {
        guard let decoded, !decoded.isEmpty else { return nil }
        let parts = decoded.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .filter { !$0.elementsEqual(".".utf8) }
        guard !parts.isEmpty else { return nil }
        return try ArtifactPath(parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/"))
    }

    /// What the path's ancestors and itself are called, shortest first.
    var prefixes: [String] {
        var prefixes: [String] = []
        for i in text.utf8.indices where text.utf8[i] == UInt8(ascii: "/") {
            prefixes.append(String(decoding: text.utf8[..<i], as: UTF8.self))
        }
        return prefixes + [text]
    }

    /// An address that a client gives to be kept as text. Refused where any reader, decoding as often as it likes, could
    /// take it for a file of the machine it runs on, or for a way out of a folder.
    static func checkAddress(_ address: String, _ what: String) throws(MLflowError) {
        let failure = MLflowError.invalid(
            "Invalid \(what == "source" ? "model version source" : what): '\(address)'. If supplying a source as an http, "
                + "https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided "
                + "without relative path references present. Please provide an absolute path.")
        var text = address
        for _ in 0..<8 {
            let once = decode(text)
            if once == text { break }
            text = once
        }
        guard decode(text) == text else { throw failure }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { throw failure }
        let parts = text.utf8.split { "/\\?#;".utf8.contains($0) }
        guard !parts.contains(where: { $0.elementsEqual("..".utf8) }) else { throw failure }
        guard what == "source" else { return }
        let scheme = scheme(of: text)
        guard let scheme, scheme != "file" else {
            throw .invalid(
                "Invalid model version source: '\(address)'. To use a local path as a model version source, the run_id "
                    + "request parameter has to be specified and the local path has to be contained within the artifact "
                    + "directory of the run specified by the run_id.")
        }
    }

    /// `nil` for paths, drives among them.
    private static func scheme(of text: String) -> String? {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let name = text[..<colon].lowercased()
        let allowed = name.utf8.allSatisfy {
            $0 &- 0x61 < 26 || $0 &- 0x30 < 10
                || [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ".")].contains($0)
        }
        return name.count > 1 && allowed ? name : nil
    }

    /// Every valid `%XX` decoded once; what is no valid escape stays.
    static func decode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard bytes.contains(UInt8(ascii: "%")) else { return text }
        var out: [UInt8] = []
        var i = 0
        while i < bytes.count {
            if bytes[i] == UInt8(ascii: "%"), i + 2 < bytes.count, let high = hex(bytes[i + 1]),
                let low = hex(bytes[i + 2])
            {
                out.append(high << 4 | low)
                i += 3
            } else {
                out.append(bytes[i])
                i += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
