import Events
import HTTPTypes
import Hummingbird
import NIOCore
import Values

extension Call {
    /// The whole body, 413 where it is longer than `maximum`.
    func bytes(upTo maximum: Int) async throws -> [UInt8] {
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Failure(
                .unsupportedMediaType, "unsupported", "Content-Encoding \(encoding) is not taken: send it plain")
        }
        // A length that is announced is refused before anything is read.
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > maximum {
            throw Failure.tooLarge(maximum)
        }
        var bytes: [UInt8] = []
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= maximum else { throw Failure.tooLarge(maximum) }
            bytes += buffer.readableBytesView
        }
        return bytes
    }

    /// The members of a JSON object, each known to the route and of the type it says.
    func members(_ fields: [Route.Field]) async throws -> [String: JSON] {
        let body: JSON
        do {
            body = try JSON(parsing: try await bytes(upTo: Limits.requestBytes))
        } catch let error as JSONError {
            throw Failure.invalid("the body is not JSON: \(error.reason) at byte \(error.offset)")
        }
        guard let members = body.objectValue else { throw Failure.invalid("the body must be one JSON object") }
        var values: [String: JSON] = [:]
        for member in members where member.value != .null {
            guard let field = fields.first(where: { $0.name == member.key }) else {
                throw Failure.invalid(
                    "'\(member.key)' is not known here: use \(fields.map(\.name).joined(separator: ", "))")
            }
            guard field.accepts(member.value) else {
                throw Failure.invalid(
                    "'\(member.key)' must be \(field.typeInWords)")
            }
            guard values.updateValue(member.value, forKey: member.key) == nil else {
                throw Failure.invalid("'\(member.key)' is given twice: give it once")
            }
        }
        if let missing = fields.first(where: { $0.isRequired && values[$0.name] == nil }) {
            throw Failure.invalid("'\(missing.name)' is missing: \(missing.about)")
        }
        return values
    }
}

extension Route.Field {
    fileprivate func accepts(_ value: JSON) -> Bool {
        switch type {
        case "integer": value.integerValue != nil
        case "number": value.numberValue != nil
        case "boolean": value == .bool(true) || value == .bool(false)
        case "array": value.arrayValue?.allSatisfy { $0.stringValue != nil } ?? false
        default: value.stringValue != nil
        }
    }

    fileprivate var typeInWords: String {
        switch type {
        case "integer": "a whole number"
        case "number": "a number"
        case "boolean": "true or false"
        case "array": "a list of strings"
        default: "a string"
        }
    }
}
