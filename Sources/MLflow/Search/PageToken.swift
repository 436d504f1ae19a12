import Events
import FoundationEssentials
import Values

/// Where a search goes on. Opaque to clients; base64 of `{"offset": N}`, as MLflow has it.
enum PageToken {
    static func offset(_ token: String?) throws(MLflowError) -> Int {
        guard let token, !token.isEmpty else { return 0 }
        guard let data = Data(base64Encoded: token) else {
            throw .invalid("Invalid page token, could not base64-decode")
        }
        guard let offset = (try? JSON(parsing: data))?["offset"]?.integerValue, (0...Int64(Int32.max)).contains(offset)
        else { throw .invalid("Invalid page token, decoded value is not an offset") }
        return Int(offset)
    }

    static func text(offset: Int) -> String { Data("{\"offset\": \(offset)}".utf8).base64EncodedString() }
}

/// How many results are asked for, and from where on.
struct Page: Hashable, Sendable {
    let offset: Int
    let limit: Int

    init(_ fields: Fields, default fallback: Int, maximum: Int) throws(MLflowError) {
        offset = try PageToken.offset(try fields.text("page_token"))
        let asked = try fields.whole("max_results") ?? Int64(fallback)
        guard asked >= 1 else {
            throw .invalid(
                "Invalid value \(asked) for parameter 'max_results' supplied. It must be a positive integer")
        }
        guard asked <= Int64(maximum) else {
            throw .invalid(
                "Invalid value \(asked) for parameter 'max_results' supplied. It must be at most \(maximum), "
                    + "but got value \(asked)")
        }
        limit = Int(asked)
    }

    /// One row more than asked for is fetched: it tells whether there is a next page.
    func cut<Row>(_ rows: [Row]) -> (rows: [Row], next: JSON?) {
        guard rows.count > limit else { return (rows, nil) }
        return (Array(rows.prefix(limit)), .string(PageToken.text(offset: offset + limit)))
    }
}
