import Values

extension DataTable.RowBuilder {
    /// An identity, and the row numbers that tables write under no name.
    private static let ignored: Set<String> = ["id", ""]

    /// Adds one record of a CSV file. `ts` and `timestamp`, `model`, `version`, `label`, and `prediction` or `score` keep their
    /// meaning; every other column is a feature, which may serve as a segment too. An empty field is a null.
    package mutating func add(names: [String], fields: [(bytes: [UInt8], quoted: Bool)]) {
        var model: String?
        var version: String?
        var time: Timestamp?
        var guess = 0
        for (name, field) in zip(names, fields) {
            switch name {
            case "ts", "timestamp":
                time = field.bytes.withUnsafeBytes { bytes in
                    Timestamp(rfc3339: bytes)
                        ?? (Self.isNumber(bytes) ? EventDecoder.timestamp(bytes, .number(0..<bytes.count)) : nil)
                }
            case "model": model = String(decoding: field.bytes, as: UTF8.self)
            case "version": version = String(decoding: field.bytes, as: UTF8.self)
            case "prediction", "score": prediction { Self.put(field, &$0) }
            case "label": label { Self.put(field, &$0) }
            case let other where Self.ignored.contains(other): break
            default:
                Array(name.utf8).withUnsafeBytes { key in feature(key, guess: &guess) { Self.put(field, &$0) } }
            }
        }
        about(model: model, version: version, time: time)
        end()
    }

    private static func isNumber(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var scanner = JSONScanner(bytes)
        guard !bytes.isEmpty, (try? scanner.skipNumber()) != nil else { return false }
        return scanner.isAtEnd
    }

    /// What spreadsheets write and JSON forbids: `.5`, `+1`, `1.`, blanks around.
    private static func loosely(_ text: String) -> Double? {
        guard text.utf8.contains(where: { $0 &- 0x30 < 10 }),
            text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }),
            text.drop(while: { $0 == "+" || $0 == "-" }).prefix(2) != "00"
        else { return nil }
        return Double(text)
    }

    private static func put(_ field: (bytes: [UInt8], quoted: Bool), _ column: inout DataTable.Column) {
        field.bytes.withUnsafeBytes { bytes in
            if bytes.isEmpty, !field.quoted {
                column.append(.null)
            } else if isNumber(bytes) {
                column.append(JSONText.double(bytes, 0..<bytes.count))
            } else if field.quoted {
                column.append(text: bytes)
            } else {
                putPlain(String(decoding: bytes, as: UTF8.self), &column)
            }
        }
    }

    /// A field without quotes, where blanks around it and the usual words for "nothing" mean what they say.
    private static func putPlain(_ raw: String, _ column: inout DataTable.Column) {
        var text = raw
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        switch text.lowercased() {
        case "nan", "inf", "-inf", "infinity", "-infinity": column.append(.invalid)
        case "", "null", "na", "n/a", "none": column.append(.null)
        default:
            let hasLeadingZero = text.count > 1 && text.first == "0" && text.dropFirst().first?.isNumber == true
            if !hasLeadingZero, let number = loosely(text) {
                column.append(number)
            } else {
                text.withUTF8 { column.append(text: UnsafeRawBufferPointer($0)) }
            }
        }
    }
}
