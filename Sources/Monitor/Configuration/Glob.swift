import Glibc

/// Files by a shell pattern, in byte order.
enum Glob {
    static func paths(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, GLOB_TILDE, nil, &result) == 0, let list = result.gl_pathv else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { list[$0].map { String(cString: $0) } }
    }
}
