extension ModelReader {
    /// The number of a dimension's value that has one.
    func knownSegment(_ bytes: UnsafeRawBufferPointer, dimension: Int) -> UInt16? {
        let known = tables.dimensions[dimension].known(bytes)
        return known < 0 ? nil : UInt16(known)
    }

    /// The number of a version that has one.
    func knownVersion(_ bytes: UnsafeRawBufferPointer) -> UInt16? {
        let known = tables.knownVersion(bytes)
        return known < 0 ? nil : UInt16(known)
    }
}
