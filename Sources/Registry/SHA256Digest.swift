import COpenSSL

/// SHA-256 (FIPS 180-4) by OpenSSL, as lower-case hexadecimal text.
enum SHA256Digest {
    static func hex(of bytes: some Collection<UInt8>) -> String {
        let input = [UInt8](bytes)
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        // Both arrays outlive the call, and OpenSSL writes exactly the digest's length.
        _ = input.withUnsafeBufferPointer { source in
            digest.withUnsafeMutableBufferPointer { SHA256(source.baseAddress, source.count, $0.baseAddress) }
        }
        let digits = [UInt8]("0123456789abcdef".utf8)
        var text = [UInt8]()
        text.reserveCapacity(digest.count * 2)
        for byte in digest {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
