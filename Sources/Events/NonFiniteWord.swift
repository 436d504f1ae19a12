/// The spellings serving code gives NaN and infinities in strings: `NaN`, `inf` and `infinity` in any case, the latter two with a
/// sign or without.
enum NonFiniteWord {
    static func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 3, bytes.count <= 9 else { return false }
        let isSigned = bytes[0] == 0x2b || bytes[0] == 0x2d
        let word = UnsafeRawBufferPointer(rebasing: bytes[(isSigned ? 1 : 0)...])
        return equals(word, "inf") || equals(word, "infinity") || !isSigned && equals(word, "nan")
    }

    private static func equals(_ bytes: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { letters in
            // ASCII letters differ from their capitals by one bit.
            for i in 0..<letters.count where bytes[i] | 0x20 != letters[i] { return false }
            return true
        }
    }
}
