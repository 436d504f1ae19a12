import COpenSSL
import GRDB

/// One digest over everything a version consists of.
enum Manifest {
    /// The tag that versions carry it in.
    static let tag = "holdfast.digest.sha256"

    /// SHA-256 over `digest␠␠path␊` for each file under a prefix, paths relative and in byte order: what `sha256sum` prints of
    /// them, so that anybody can compute it again. `nil` where there is no file.
    static func digest(_ db: Database, under prefix: String) throws -> String? {
        let slash = UInt8(ascii: "/")
        var lines: [UInt8] = []
        for row in try Artifacts.under(db, prefix) {
            let (path, sha256): (String, String) = (row["path"], row["sha256"])
            let name =
                path == prefix
                ? String(decoding: path.utf8.split(separator: slash).last ?? path.utf8[...], as: UTF8.self)
                : String(decoding: path.utf8.dropFirst(prefix.utf8.count + 1), as: UTF8.self)
            lines += "\(sha256)  \(name)\n".utf8
        }
        return lines.isEmpty ? nil : digest(of: lines)
    }

    /// SHA-256 in hexadecimal digits.
    static func digest(of bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        // Both arrays outlive the call, and OpenSSL writes exactly the digest's length.
        SHA256(bytes, bytes.count, &digest)
        return Hexadecimal.text(digest)
    }
}
