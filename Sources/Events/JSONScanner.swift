/// Why a text is not JSON, and where.
package struct JSONError: Error, Sendable, Equatable {
    package let reason: StaticString
    package let offset: Int

    package static func == (a: JSONError, b: JSONError) -> Bool {
        a.offset == b.offset && a.reason.description == b.reason.description
    }
}

/// A cursor over JSON text (RFC 8259), in place: nothing is copied or allocated.
///
/// `skipValue` validates everything it passes over (grammar, escapes, UTF-8, depth); the `take…` calls are for values that
/// have been validated or report their own errors. The buffer is borrowed from the caller for the scanner's life.
package struct JSONScanner {
    package let bytes: UnsafeRawBufferPointer
    package var position: Int
    package let end: Int

    /// A value stands inside fewer arrays and objects than this: RFC 8259 section 9 leaves a limit on nesting to the reader, and without
    /// one a hostile text would exhaust the stack.
    package static let maximumDepth = 128

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.init(bytes, range: 0..<bytes.count)
    }

    package init(_ bytes: UnsafeRawBufferPointer, range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    @inline(__always)
    package var peek: UInt8 { position < end ? bytes[position] : 0 }

    @inline(__always)
    package mutating func skipWhitespace() {
        while position < end {
            switch bytes[position] {
            case 0x20, 0x0a, 0x0d, 0x09: position &+= 1
            default: return
            }
        }
    }

    package var isAtEnd: Bool { position >= end }

    package func error(_ reason: StaticString) -> JSONError { JSONError(reason: reason, offset: position) }

    /// Takes one given character after white space.
    @inline(__always)
    package mutating func expect(_ character: UInt8, _ reason: StaticString) throws(JSONError) {
        skipWhitespace()
        guard position < end, bytes[position] == character else { throw error(reason) }
        position &+= 1
    }

    /// A string's contents as they stand between the quotes. `escaped` tells whether they hold backslashes.
    package struct Text {
        package let range: Range<Int>
        package let escaped: Bool
    }

    /// Takes a string, checking escapes, control characters and UTF-8.
    package mutating func takeString() throws(JSONError) -> Text {
        try expect(0x22, "expected a string")
        let start = position
        var escaped = false
        while position < end {
            skipPlainWords()
            guard position < end else { break }
            let c = bytes[position]
            if c == 0x22 {
                let text = Text(range: start..<position, escaped: escaped)
                position &+= 1
                return text
            }
            if c == 0x5c {
                escaped = true
                try skipEscape()
            } else if c < 0x20 {
                throw error("control character in a string")
            } else if c < 0x80 {
                position &+= 1
            } else {
                try skipMultibyte(c)
            }
        }
        throw error("string without an end")
    }

    /// Passes, eight bytes at a time, what is neither quote, escape, control character nor outside ASCII.
    @inline(__always)
    private mutating func skipPlainWords() {
        guard let base = bytes.baseAddress else { return }
        while position &+ 8 <= end {
            let plain = WordScan.plainBytes(WordScan.load(base, position)).count
            position &+= plain
            if plain < 8 { return }
        }
    }

    private mutating func skipEscape() throws(JSONError) {
        guard position &+ 1 < end else { throw error("escape without an end") }
        switch bytes[position &+ 1] {
        case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: position &+= 2
        case 0x75:
            guard position &+ 5 < end else { throw error("\\u needs four hexadecimal digits") }
            for i in 2..<6 where Self.hexValue(bytes[position &+ i]) == nil {
                throw error("\\u needs four hexadecimal digits")
            }
            position &+= 6
        default: throw error("unknown escape")
        }
    }

    /// One character of two to four bytes, by the well-formed table of the Unicode standard (3.9, table 3-7).
    private mutating func skipMultibyte(_ first: UInt8) throws(JSONError) {
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xbf
        switch first {
        case 0xc2...0xdf: length = 2
        case 0xe0: (length, low) = (3, 0xa0)
        case 0xed: (length, high) = (3, 0x9f)
        case 0xe1...0xef: length = 3
        case 0xf0: (length, low) = (4, 0x90)
        case 0xf4: (length, high) = (4, 0x8f)
        case 0xf1...0xf3: length = 4
        default: throw error("invalid UTF-8")
        }
        guard position &+ length <= end else { throw error("invalid UTF-8") }
        let second = bytes[position &+ 1]
        guard second >= low, second <= high else { throw error("invalid UTF-8") }
        for i in 2..<max(length, 2) where bytes[position &+ i] & 0xc0 != 0x80 { throw error("invalid UTF-8") }
        position &+= length
    }

    package static func hexValue(_ c: UInt8) -> UInt32? {
        switch c {
        case 0x30...0x39: UInt32(c &- 0x30)
        case 0x41...0x46: UInt32(c &- 0x37)
        case 0x61...0x66: UInt32(c &- 0x57)
        default: nil
        }
    }

    /// Checks a number's grammar and passes it.
    package mutating func skipNumber() throws(JSONError) -> Range<Int> {
        let start = position
        if peek == 0x2d { position &+= 1 }
        if peek == 0x30 {
            position &+= 1
        } else {
            try skipDigits("expected a digit")
        }
        if peek == 0x2e {
            position &+= 1
            try skipDigits("expected a digit after the point")
        }
        if peek == 0x65 || peek == 0x45 {
            position &+= 1
            if peek == 0x2b || peek == 0x2d { position &+= 1 }
            try skipDigits("expected a digit in the exponent")
        }
        return start..<position
    }

    @inline(__always)
    private mutating func skipDigits(_ reason: StaticString) throws(JSONError) {
        let first = position
        while position < end, bytes[position] &- 0x30 < 10 { position &+= 1 }
        if position == first { throw error(reason) }
    }

    package mutating func skipLiteral(_ literal: StaticString) throws(JSONError) {
        let length = literal.utf8CodeUnitCount
        guard position &+ length <= end else { throw error("unexpected character") }
        let matches = literal.withUTF8Buffer { text in
            for i in 0..<length where bytes[position &+ i] != text[i] { return false }
            return true
        }
        guard matches else { throw error("unexpected character") }
        position &+= length
    }

    /// Passes one whole value and returns where it stands.
    @discardableResult
    package mutating func skipValue(depth: Int = 0) throws(JSONError) -> Range<Int> {
        skipWhitespace()
        guard position < end else { throw error("expected a value") }
        guard depth < Self.maximumDepth else { throw error("nested too deeply") }
        let start = position
        switch bytes[position] {
        case 0x22: _ = try takeString()
        case 0x7b:
            position &+= 1
            try skipMembers(depth: depth)
        case 0x5b:
            position &+= 1
            try skipElements(depth: depth)
        case 0x74: try skipLiteral("true")
        case 0x66: try skipLiteral("false")
        case 0x6e: try skipLiteral("null")
        case 0x2d, 0x30...0x39: _ = try skipNumber()
        default: throw error("unexpected character")
        }
        return start..<position
    }

    private mutating func skipMembers(depth: Int) throws(JSONError) {
        skipWhitespace()
        if peek == 0x7d {
            position &+= 1
            return
        }
        while true {
            _ = try takeString()
            try expect(0x3a, "expected ':' after a key")
            try skipValue(depth: depth &+ 1)
            skipWhitespace()
            if peek == 0x7d {
                position &+= 1
                return
            }
            try expect(0x2c, "expected ',' or '}'")
        }
    }

    private mutating func skipElements(depth: Int) throws(JSONError) {
        skipWhitespace()
        if peek == 0x5d {
            position &+= 1
            return
        }
        while true {
            try skipValue(depth: depth &+ 1)
            skipWhitespace()
            if peek == 0x5d {
                position &+= 1
                return
            }
            try expect(0x2c, "expected ',' or ']'")
        }
    }
}
