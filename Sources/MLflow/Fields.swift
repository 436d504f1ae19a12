import Events
package import Values

/// What a request says: the members of its JSON body, or the parameters of its query, read alike.
///
/// Numbers may come as text, because clients send 64-bit ones that way; what is absent stays absent, and `null` is.
package struct Fields: Sendable {
    /// Few, so that looking through them is faster than hashing names; of equal names the last one counts.
    private let values: [JSON.Member]
    /// A body says of each value what it is; a query knows only text.
    private let isTyped: Bool

    /// - Parameter query: decoded pairs; a name given several times is a list.
    package init(body: JSON?, query: [(name: String, value: String)]) throws(MLflowError) {
        var values: [JSON.Member] = []
        for (name, value) in query {
            guard let i = values.firstIndex(where: { $0.key == name }) else {
                values.append(JSON.Member(name, .string(value)))
                continue
            }
            values[i].value = .array((values[i].value.arrayValue ?? [values[i].value]) + [.string(value)])
        }
        if let body {
            guard case .object(let members) = body else { throw .invalid("The request body must be one JSON object.") }
            guard members.count <= Self.maximum else {
                throw .invalid("The object has more than \(Self.maximum) members.")
            }
            values = values.isEmpty ? members : values + members
        }
        self.values = values
        isTyped = body != nil
    }

    private static let maximum = 256

    private func value(_ name: String) -> JSON? {
        let found = values.last { $0.key == name || (isTyped && Self.isCamelCase($0.key, of: name)) }
        guard let value = found?.value, value != .null else { return nil }
        return value
    }

    /// Whether a key is a name as protobuf's JSON mapping also has it: `runId` for `run_id`. MLflow's server takes both.
    private static func isCamelCase(_ key: String, of name: String) -> Bool {
        var rest = key.utf8.makeIterator()
        var isRaised = false
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                isRaised = true
                continue
            }
            let wanted = isRaised && byte &- 0x61 < 26 ? byte - 0x20 : byte
            isRaised = false
            guard rest.next() == wanted else { return false }
        }
        return rest.next() == nil
    }

    init(_ object: JSON, at path: String) throws(MLflowError) {
        guard case .object = object else {
            throw .invalid("Invalid value \(object.text) for parameter '\(path)' supplied: it must be an object.")
        }
        try self.init(body: object, query: [])
    }

    func has(_ name: String) -> Bool { value(name) != nil }

    func text(_ name: String) throws(MLflowError) -> String? {
        switch value(name) {
        case nil: nil
        case .string(let text): text
        case .some: throw wrong(name, "a string")
        }
    }

    func required(_ name: String) throws(MLflowError) -> String {
        guard let text = try text(name), !text.isEmpty else { throw Self.absent(name) }
        return text
    }

    func whole(_ name: String) throws(MLflowError) -> Int64? {
        switch value(name) {
        case nil: return nil
        case .integer(let whole): return whole
        case .number(let value):
            guard let whole = Int64(exactly: value) else { throw wrong(name, "a whole number") }
            return whole
        case .string(let text):
            guard let whole = Int64(text) else { throw wrong(name, "a whole number") }
            return whole
        case .some: throw wrong(name, "a whole number")
        }
    }

    /// NaN and infinities come as text.
    func number(_ name: String) throws(MLflowError) -> Double? {
        switch value(name) {
        case nil: return nil
        case .integer(let whole): return Double(whole)
        case .number(let value): return value
        case .string("NaN"): return .nan
        case .string("Infinity"): return .infinity
        case .string("-Infinity"): return -.infinity
        case .string(let text):
            guard let value = Double(text) else { throw wrong(name, "a valid double (64-bit floating point)") }
            return value
        case .some: throw wrong(name, "a valid double (64-bit floating point)")
        }
    }

    func flag(_ name: String) throws(MLflowError) -> Bool? {
        switch value(name) {
        case nil: nil
        case .bool(let flag): flag
        case .string("true"), .string("True"): true
        case .string("false"), .string("False"): false
        case .some: throw wrong(name, "true or false")
        }
    }

    func list(_ name: String) throws(MLflowError) -> [JSON] {
        switch value(name) {
        case nil: []
        case .array(let items): items
        // A query that names a parameter once.
        case .string(let text) where !isTyped: [.string(text)]
        case .some: throw wrong(name, "a list")
        }
    }

    func texts(_ name: String) throws(MLflowError) -> [String] {
        var texts: [String] = []
        for item in try list(name) {
            switch item {
            case .string(let text): texts.append(text)
            case .integer(let whole): texts.append(String(whole))
            default: throw wrong(name, "a list of strings")
            }
        }
        return texts
    }

    func objects(_ name: String) throws(MLflowError) -> [Fields] {
        var objects: [Fields] = []
        for (i, item) in try list(name).enumerated() {
            // A thousand paths are not written for the one that a message may need.
            if case .object = item {
                objects.append(try Fields(body: item, query: []))
            } else {
                objects.append(try Fields(item, at: "\(name)[\(i)]"))
            }
        }
        return objects
    }

    func object(_ name: String) throws(MLflowError) -> Fields? {
        guard let value = value(name) else { return nil }
        return try Fields(value, at: name)
    }

    /// `[{key, value}]`; the last one counts where a key is given twice.
    func pairs(_ name: String) throws(MLflowError) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        for item in try objects(name) {
            pairs.append((try item.text("key") ?? "", try item.text("value") ?? ""))
        }
        return pairs
    }

    private func wrong(_ name: String, _ wanted: String) -> MLflowError {
        .invalid(
            "Invalid value \(shown(name)) for parameter '\(name)' supplied: it must be \(wanted). "
                + "See the API docs for more information about request parameters.")
    }

    /// As the client wrote it, as far as that is known: the fraction of a whole number is what was wrong with it.
    private func shown(_ name: String) -> String {
        switch value(name) {
        case .number(let value) where value == value.rounded() && value.magnitude < 1e15: "\(value)"
        case let value: value?.text ?? ""
        }
    }

    static func absent(_ name: String) -> MLflowError {
        .invalid(
            "Missing value for required parameter '\(name)'. See the API docs for more information about request "
                + "parameters.")
    }
}
