import Values

/// One line of JSON on standard output.
enum Output {
    enum Value {
        case text(String)
        case number(Double)
        case numbers([Double])

        fileprivate var json: JSON {
            switch self {
            case .text(let text): .string(text)
            case .number(let number): .number(number)
            case .numbers(let numbers): .numbers(numbers)
            }
        }
    }

    static func line(_ members: [(String, Value)]) {
        print(JSON.object(members.map { JSON.Member($0.0, $0.1.json) }).text)
    }
}
