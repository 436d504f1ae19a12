/// A slice of a model's traffic: one value for each of some dimensions, in the order the configuration names them.
/// The empty segment is all traffic.
package struct Segment: Hashable, Sendable, Codable {
    package struct Part: Hashable, Sendable, Codable {
        package var dimension: String
        package var value: String
        package init(_ dimension: String, _ value: String) {
            self.dimension = dimension
            self.value = value
        }
    }

    package var parts: [Part]

    package init(_ parts: [Part]) { self.parts = parts }
    package static let all = Segment([])

    package var isAll: Bool { parts.isEmpty }
    package var dimensions: [String] { parts.map(\.dimension) }
    package subscript(dimension: String) -> String? { parts.first { $0.dimension == dimension }?.value }

    /// `{"country":"BR","device":"web"}`, `{}` for all traffic.
    package var json: JSON { .object(parts.map { JSON.Member($0.dimension, .string($0.value)) }) }
}

extension Segment: CustomStringConvertible, Comparable {
    /// For people and for keys: `country=BR, device=web`, or `all traffic`.
    package var description: String {
        isAll ? "all traffic" : parts.map { "\($0.dimension)=\($0.value)" }.joined(separator: ", ")
    }

    /// All traffic first, then single dimensions, then crosses; within these by name and value in byte order.
    package static func < (a: Segment, b: Segment) -> Bool {
        if a.parts.count != b.parts.count { return a.parts.count < b.parts.count }
        for (x, y) in zip(a.parts, b.parts) {
            if x.dimension != y.dimension { return x.dimension < y.dimension }
            if x.value != y.value { return x.value < y.value }
        }
        return false
    }
}
