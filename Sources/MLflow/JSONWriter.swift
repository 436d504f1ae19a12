import Values

/// JSON text, written as it is read from the database: without a value of `JSON` for every key and number in between.
///
/// Commas are the writer's business, brackets close with the closures that fill them.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try enclosed(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    private mutating func enclosed(
        _ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) throws -> Void
    ) rethrows {
        separate()
        bytes.append(open)
        needsComma = false
        try body(&self)
        bytes.append(close)
        needsComma = true
    }

    /// A constant of the program that needs no escapes; its value follows.
    mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes += $0 }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func string(_ utf8: UnsafeBufferPointer<UInt8>) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        if utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c }) {
            bytes += utf8
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes.removeLast()
            JSON.write(String(decoding: utf8, as: UTF8.self), into: &bytes)
        }
    }

    mutating func integer(_ value: Int64) {
        separate()
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var count = 0
        var rest = value.magnitude
        repeat {
            digits[count] = UInt8(truncatingIfNeeded: rest % 10) &+ 0x30
            rest /= 10
            count += 1
        } while rest > 0
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        while count > 0 {
            count -= 1
            bytes.append(digits[count])
        }
    }

    mutating func value(_ json: JSON) {
        separate()
        json.write(into: &bytes)
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}

extension JSONWriter {
    /// A column of text; left out with its key where it is NULL.
    mutating func member(_ name: StaticString, _ row: RowStatement, _ column: Int32) {
        guard !row.isNull(column) else { return }
        key(name)
        row.withText(column) { string($0) }
    }

    /// A column of whole numbers; left out with its key where it is NULL.
    mutating func member(_ name: StaticString, whole row: RowStatement, _ column: Int32) {
        guard !row.isNull(column) else { return }
        key(name)
        integer(row.whole(column))
    }
}
