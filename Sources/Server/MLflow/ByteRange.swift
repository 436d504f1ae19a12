/// What a `Range` header asks for of something so many bytes long (RFC 9110, 14.2): downloads that broke off go on where they
/// were. Several ranges at once, other units and what cannot be read are passed over, as the RFC allows.
enum ByteRange: Hashable {
    case all
    case part(Range<Int64>)
    /// Nothing of it is there.
    case none

    init(_ header: String?, size: Int64) {
        guard let header, header.lowercased().hasPrefix("bytes="), let dash = header.firstIndex(of: "-") else {
            self = .all
            return
        }
        let (first, last) = (header[..<dash].dropFirst("bytes=".count), header[header.index(after: dash)...])
        func number(_ text: Substring) -> Int64? {
            text.utf8.allSatisfy { $0 &- 0x30 < 10 } ? Int64(text) : nil
        }
        switch (number(first), number(last)) {
        case (let start?, let end?) where start <= end:
            self = start < size ? .part(start..<min(end, size - 1) + 1) : .none
        case (let start?, nil) where last.isEmpty: self = start < size ? .part(start..<size) : .none
        case (nil, let count?) where first.isEmpty:
            self = count > 0 && size > 0 ? .part(max(0, size - count)..<size) : .none
        default: self = .all
        }
    }
}
