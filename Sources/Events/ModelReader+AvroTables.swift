extension ModelReader {
    /// The code of a text in a categorical column, by the column's place among the row's codes.
    func categoryCode(_ bytes: UnsafeRawBufferPointer, column: Int) -> UInt16 { category(bytes, column) }

    /// The number of a dimension's value, given to it now if it is new.
    mutating func segmentNumber(_ bytes: UnsafeRawBufferPointer, dimension: Int) -> UInt16 {
        let full = dimensionValues[dimension].count >= Self.maximumSegmentValues
        return UInt16(Self.number(bytes, in: &dimensionValues[dimension], full: full))
    }

    /// The number of a version, given to it now if it is new.
    mutating func versionNumber(_ bytes: UnsafeRawBufferPointer) -> UInt16 {
        UInt16(Self.number(bytes, in: &versions, full: versions.count >= Self.maximumVersions))
    }

    /// The spellings serving code gives NaN and infinities in strings.
    static func isNonFiniteWord(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= 9 else { return false }
        let word = String(decoding: bytes, as: UTF8.self).lowercased()
        return ["nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"].contains(word)
    }

    /// The number of a dimension's value that has one.
    func knownSegment(_ bytes: UnsafeRawBufferPointer, dimension: Int) -> UInt16? {
        dimensionValues[dimension].find(bytes).map { UInt16($0) }
    }

    /// The number of a version that has one.
    func knownVersion(_ bytes: UnsafeRawBufferPointer) -> UInt16? { versions.find(bytes).map { UInt16($0) } }
}
