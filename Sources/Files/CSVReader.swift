/// Comma-separated values as RFC 4180 has them: quoted fields may hold commas, doubled quotes and line breaks. A byte order mark
/// at the start is passed over.
package final class CSVReader {
    private let stream: ByteStream
    private var buffer = [UInt8](repeating: 0, count: 1 << 17)
    private var position = 0
    private var end = 0
    /// Line a record began on, from 1.
    package private(set) var lineNumber = 0
    private var line = 1

    /// One field: its bytes, and whether it stood in quotes (an empty unquoted field is a missing value).
    package struct Field {
        package var bytes: [UInt8]
        package var quoted: Bool
    }

    package init(path: String) throws(FileError) {
        stream = try ByteStream(path: path)
        let first = try peek()
        if first == 0xfe || first == 0xff, end >= 2, buffer[0] ^ buffer[1] == 0x01 {
            throw FileError(
                path, line: 1, "the file is UTF-16: convert it first, as with `iconv -f UTF-16 -t UTF-8`")
        }
        if first == 0xef {
            for expected: UInt8 in [0xef, 0xbb, 0xbf] where try peek() == expected { position += 1 }
        }
    }

    private func peek() throws(FileError) -> UInt8? {
        if position == end {
            let result = buffer.withUnsafeMutableBytes { bytes -> Result<Int, FileError> in
                do throws(FileError) {
                    return .success(try stream.read(into: bytes))
                } catch {
                    return .failure(error)
                }
            }
            position = 0
            end = try result.get()
            if end == 0 { return nil }
        }
        return buffer[position]
    }

    /// The next record's fields, all of them UTF-8; `nil` at the end. Empty lines are passed over.
    package func next() throws(FileError) -> [Field]? {
        let fields = try record()
        for (i, field) in (fields ?? []).enumerated() where !Self.isUTF8(field.bytes) {
            throw FileError(
                stream.path, line: lineNumber,
                "field \(i + 1) is not UTF-8: convert the file first, as with `iconv -f WINDOWS-1252 -t UTF-8`")
        }
        return fields
    }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }

    private func record() throws(FileError) -> [Field]? {
        var fields: [Field] = []
        lineNumber = line
        while let c = try peek() {
            if c == 0x0a || c == 0x0d, fields.isEmpty {
                position += 1
                if c == 0x0a { line += 1 }
                lineNumber = line
                continue
            }
            let (field, last) = try field(startingWith: c)
            fields.append(field)
            if last { return fields }
        }
        guard !fields.isEmpty else { return nil }
        // The input ended right after a comma, which leaves one more, empty field.
        fields.append(Field(bytes: [], quoted: false))
        return fields
    }

    private func field(startingWith first: UInt8) throws(FileError) -> (Field, last: Bool) {
        var field = Field(bytes: [], quoted: false)
        var inQuotes = false
        if first == 0x22 {
            field.quoted = true
            inQuotes = true
            position += 1
        }
        while let c = try peek() {
            position += 1
            if inQuotes {
                if c == 0x22 {
                    if try peek() == 0x22 {
                        field.bytes.append(c)
                        position += 1
                    } else {
                        inQuotes = false
                    }
                } else {
                    if c == 0x0a { line += 1 }
                    field.bytes.append(c)
                }
                continue
            }
            switch c {
            case 0x2c: return (field, false)
            case 0x0a:
                line += 1
                return (field, true)
            case 0x0d: if try peek() != 0x0a { field.bytes.append(c) }
            default: field.bytes.append(c)
            }
        }
        if inQuotes { throw FileError(stream.path, line: lineNumber, "a quoted field without an end") }
        return (field, true)
    }
}
