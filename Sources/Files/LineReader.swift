/// A stream line by line, each lent without its newline. A line may be as long as `maximumLineBytes`.
package final class LineReader {
    package static let maximumLineBytes = 64 * 1024 * 1024

    package let stream: ByteStream
    /// Number of the line lent last, from 1.
    package private(set) var lineNumber = 0
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    private var start = 0
    private var end = 0
    private var atEnd = false

    package init(path: String) throws(FileError) { stream = try ByteStream(path: path) }

    /// Lends the next line to `body`.
    /// - Returns: false at the end of the stream.
    package func next(_ body: (UnsafeRawBufferPointer) -> Void) throws(FileError) -> Bool {
        var searched = start
        while true {
            let newline = buffer[searched..<end].firstIndex(of: 0x0a)
            if newline == nil, !atEnd {
                searched = end - start
                try fill()
                searched += start
                continue
            }
            let lineEnd = newline ?? end
            if newline == nil, start == end { return false }
            lineNumber += 1
            let range = start..<(lineEnd > start && buffer[lineEnd - 1] == 0x0d ? lineEnd - 1 : lineEnd)
            start = newline.map { $0 + 1 } ?? end
            buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
            return true
        }
    }

    private func fill() throws(FileError) {
        if start > 0 {
            buffer.replaceSubrange(0..<end - start, with: buffer[start..<end])
            end -= start
            start = 0
        }
        if end == buffer.count {
            guard buffer.count < Self.maximumLineBytes else {
                throw FileError(stream.path, line: lineNumber + 1, "the line is longer than 64 MiB")
            }
            buffer.append(contentsOf: repeatElement(0, count: buffer.count))
        }
        let from = end
        let result = buffer.withUnsafeMutableBytes { bytes -> Result<Int, FileError> in
            do throws(FileError) {
                return .success(try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[from...])))
            } catch {
                return .failure(error)
            }
        }
        let n = try result.get()
        if n == 0 { atEnd = true }
        end += n
    }
}
