/// What an artifact's name says of it, for the headers of its download.
extension ArtifactPath {
    private var name: String {
        String(decoding: text.utf8.split(separator: UInt8(ascii: "/")).last ?? text.utf8[...], as: UTF8.self)
    }

    /// As MLflow's server guesses it from the extension; what a browser would run (HTML, SVG) stays bytes.
    package var mediaType: String {
        let name = name
        if ["MLmodel", "MLproject", "mlproject"].contains(name) { return "text/plain" }
        let end = name.split(separator: ".", omittingEmptySubsequences: false).dropFirst().last.map { $0.lowercased() }
        return end.flatMap { Self.mediaTypes[$0] } ?? "application/octet-stream"
    }

    private static let mediaTypes: [String: String] = {
        let text = [
            "txt", "log", "err", "cfg", "conf", "cnf", "cf", "ini", "properties", "prop", "hocon", "toml", "yaml",
            "yml",
            "xml", "json", "js", "py", "py3", "csv", "tsv", "md", "rst", "ipynb",
        ]
        let other = [
            "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
            "bmp": "image/bmp", "pdf": "application/pdf", "zip": "application/zip", "gz": "application/gzip",
            "tar": "application/x-tar", "mp4": "video/mp4", "webm": "video/webm", "wav": "audio/wav",
        ]
        return other.merging(text.map { ($0, "text/plain") }) { first, _ in first }
    }()

    /// `attachment; filename=…`: plain names as they are, others percent-encoded (RFC 6266), so that nothing a client chose
    /// can end the header or begin another parameter.
    package var disposition: String {
        let name = name
        let isPlain = name.utf8.allSatisfy { Self.isAlphanumeric($0) || "+-._".utf8.contains($0) }
        guard !isPlain else { return "attachment; filename=\(name)" }
        let encoded = name.utf8.map { byte in
            Self.isAlphanumeric(byte) || "-._".utf8.contains(byte)
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        return "attachment; filename*=UTF-8''\(encoded.joined())"
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 }
}
