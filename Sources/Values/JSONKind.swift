/// The types of JSON values, for saying what a field holds.
package enum JSONKind: UInt8, CaseIterable, Sendable {
    case string, number, boolean, null, object, array

    /// The type of the value whose first byte this is; `number` for what is none of the others.
    package init(firstByte: UInt8) {
        switch firstByte {
        case 0x22: self = .string
        case 0x74, 0x66: self = .boolean
        case 0x6e: self = .null
        case 0x7b: self = .object
        case 0x5b: self = .array
        default: self = .number
        }
    }

    package var name: String { String(describing: self) }
    /// The kind's place in a set of kinds.
    package var bit: UInt8 { 1 << rawValue }

    /// The kinds whose bits are set.
    package static func names(_ bits: UInt8) -> [String] { allCases.filter { bits & $0.bit != 0 }.map(\.name) }
}
