/// The names one model's events are read with: its features, categories, dimensions, and the versions and segment values met so far.
///
/// Both ways of reading an event share them, so a version or a segment value has one number whichever way it came first. One decoder
/// owns them; numbers are given in order of first sight and never taken back.
final class ModelTables {
    /// Past this many values of its own, beyond those the reference knows, a dimension's new values share one number: a hostile
    /// stream stays bounded.
    static let maximumSegmentValues = 1_000
    static let maximumVersions = 1_000
    /// Longer names of versions and segment values share the number of `(other)`.
    static let maximumNameBytes = 512
    static let overflowName = "(other)"
    /// Numbers are 16 bits wide, so a reference cannot claim them all.
    private static let maximumKnownValues = 60_000

    /// Where a feature's value goes.
    enum Target {
        /// An index into a row's numbers.
        case numeric(Int)
        /// An index into a row's codes and into `categories`.
        case categorical(Int)
        case ignored
    }

    /// A categorical column's codes.
    struct Categories: BitwiseCopyable {
        let names: ByteStringIndex
        /// By number in `names`.
        let codes: UnsafeMutablePointer<UInt16>
        let unseen: UInt16
    }

    /// A dimension's values.
    struct Dimension: BitwiseCopyable {
        let values: ByteStringIndex
        /// `values` takes no more once it holds this many, but for the one that all others share.
        let limit: Int
        /// The number that all others share, −1 until there are others.
        var overflowNumber: Int32 = -1
        /// Rows that got it since the counter was taken.
        var overflowed: UInt64 = 0

        /// The number of a value, −1 where it has none yet and would get one.
        func known(_ bytes: UnsafeRawBufferPointer) -> Int {
            let found = values.find(bytes)
            if found >= 0 { return found }
            return values.count >= limit || ModelTables.isReserved(bytes) ? Int(overflowNumber) : -1
        }
    }

    let features: ByteStringIndex
    /// By number of the feature.
    let targets: [Target]
    /// The dimension of the same name, by number of the feature.
    let dimensionOfFeature: [Int?]
    let prediction: Target?
    let categories: UnsafeMutablePointer<Categories>
    let categoryCount: Int
    /// By column: the codes of the texts that have a second spelling.
    let codesByText: [[String: UInt16]]
    let dimensionNames: ByteStringIndex
    let dimensions: UnsafeMutablePointer<Dimension>
    let dimensionCount: Int
    let versions = ByteStringIndex(minimumCapacity: 16)
    let unnamedVersion: UInt16

    init(_ schema: ModelSchema) {
        var names: [String] = []
        var targets: [Target] = []
        var prediction: Target?
        var numbers = 0
        var codes: [[String: Int]] = []
        var unseen: [Int] = []
        for column in schema.columns {
            let target: Target
            switch column.kind {
            case .numeric:
                target = .numeric(numbers)
                numbers += 1
            case .categorical(let table, let other):
                target = .categorical(codes.count)
                codes.append(table)
                unseen.append(other)
            }
            if column.name == ModelSchema.predictionColumn {
                prediction = target
            } else {
                names.append(column.name)
                targets.append(target)
            }
        }
        for name in schema.ignored + schema.dimensions where !names.contains(name) {
            names.append(name)
            targets.append(.ignored)
        }
        features = ByteStringIndex(minimumCapacity: names.count)
        for name in names { _ = features.insert(name) }
        self.targets = targets
        self.prediction = prediction
        dimensionOfFeature = names.map { name in schema.dimensions.firstIndex(of: name) }
        categoryCount = codes.count
        categories = .allocate(capacity: max(1, codes.count))
        for i in codes.indices { (categories + i).initialize(to: Categories(codes[i], unseen: unseen[i])) }
        codesByText = codes.map { table in
            table.filter { text, _ in !text.utf8.allSatisfy { $0 < 0x80 } }.mapValues { UInt16($0) }
        }
        dimensionNames = ByteStringIndex(minimumCapacity: schema.dimensions.count)
        for name in schema.dimensions { _ = dimensionNames.insert(name) }
        dimensionCount = schema.dimensions.count
        dimensions = .allocate(capacity: max(1, dimensionCount))
        for i in 0..<dimensionCount {
            let known = schema.knownValues.indices.contains(i) ? schema.knownValues[i] : []
            (dimensions + i).initialize(to: Dimension(known: known.prefix(Self.maximumKnownValues)))
        }
        unnamedVersion = UInt16(versions.insert(""))
    }

    deinit {
        features.destroy()
        for i in 0..<categoryCount { categories[i].destroy() }
        categories.deallocate()
        dimensionNames.destroy()
        for i in 0..<dimensionCount { dimensions[i].values.destroy() }
        dimensions.deallocate()
        versions.destroy()
    }

    /// The number of a dimension's value, added if new.
    func segmentNumber(_ bytes: UnsafeRawBufferPointer, dimension: Int) -> UInt16 {
        let known = dimensions[dimension].known(bytes)
        if known >= 0 { return UInt16(known) }
        let values = dimensions[dimension].values
        let isOther = values.count >= dimensions[dimension].limit || Self.isReserved(bytes)
        let number = isOther ? values.insert(Self.overflowName) : values.insert(bytes)
        if dimensions[dimension].overflowNumber < 0 {
            dimensions[dimension].overflowNumber = Int32(values.find(Self.overflowName))
        }
        return UInt16(number)
    }

    /// The number of a version that an event names, −1 where it has none yet and would get one.
    func knownVersion(_ bytes: UnsafeRawBufferPointer) -> Int {
        let found = versions.find(bytes)
        if found >= 0 { return found }
        return versions.count >= Self.maximumVersions || Self.isReserved(bytes) ? versions.find(Self.overflowName) : -1
    }

    /// The number of a version that an event names, added if new.
    func versionNumber(_ bytes: UnsafeRawBufferPointer) -> UInt16 {
        let known = knownVersion(bytes)
        if known >= 0 { return UInt16(known) }
        let isOther = versions.count >= Self.maximumVersions || Self.isReserved(bytes)
        return UInt16(isOther ? versions.insert(Self.overflowName) : versions.insert(bytes))
    }

    /// Counts, or with −1 takes back, for each dimension, a row whose value had to share the last number.
    @inline(__always)
    func countOverflow(_ segments: UnsafeMutablePointer<UInt16>, by step: Int64 = 1) {
        for i in 0..<dimensionCount where Int32(segments[i]) == dimensions[i].overflowNumber {
            dimensions[i].overflowed &+= UInt64(bitPattern: step)
        }
    }

    func takeOverflow() -> [UInt64] {
        (0..<dimensionCount).map { i in
            defer { dimensions[i].overflowed = 0 }
            return dimensions[i].overflowed
        }
    }

    /// `*` means all versions or values together, so none may be called that; and what is as long as a text is no name, and would be
    /// kept as long as the process lives.
    fileprivate static func isReserved(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count == 1 && bytes[0] == 0x2a || bytes.count > maximumNameBytes
    }
}

extension ModelTables.Categories {
    fileprivate init(_ codes: [String: Int], unseen: Int) {
        let ordered = codes.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value < $1.value }
        names = ByteStringIndex(minimumCapacity: ordered.count)
        self.codes = .allocate(capacity: max(1, ordered.count))
        for (i, entry) in ordered.enumerated() {
            // Two spellings of one text are one key of the dictionary, so every insertion is a new number.
            _ = names.insert(entry.key)
            (self.codes + i).initialize(to: UInt16(entry.value))
        }
        self.unseen = UInt16(unseen)
    }

    fileprivate func destroy() {
        names.destroy()
        codes.deallocate()
    }
}

extension ModelTables.Dimension {
    fileprivate init(known: ArraySlice<String>) {
        values = ByteStringIndex(minimumCapacity: known.count)
        for value in known { _ = values.insert(value) }
        limit = values.count + ModelTables.maximumSegmentValues
        overflowNumber = Int32(values.find(ModelTables.overflowName))
    }
}

extension ModelTables {
    /// The code of a category's text in a categorical column.
    func categoryCode(_ bytes: UnsafeRawBufferPointer, column: Int) -> UInt16 {
        let table = categories[column]
        let found = table.names.find(bytes)
        if found >= 0 { return table.codes[found] }
        // The reference counts texts as Swift compares them: é is one category, composed or not. ASCII has no
        // second spelling.
        guard bytes.contains(where: { $0 >= 0x80 }) else { return table.unseen }
        return codesByText[column][String(decoding: bytes, as: UTF8.self)] ?? table.unseen
    }

    /// The same for a string's text, where a word for a number that is none makes a hole: a reference is built without these
    /// words (`DataTable`), so they are no new category either.
    func textCode(_ bytes: UnsafeRawBufferPointer, column: Int) -> UInt16 {
        let code = categoryCode(bytes, column: column)
        return code == categories[column].unseen && NonFiniteWord.matches(bytes) ? Hole.invalid.asCode : code
    }

    /// The number of the version that stands for an event which names none.
    func defaultVersionNumber(_ name: String?) -> UInt16 {
        guard let name else { return unnamedVersion }
        return UInt16(versions.insert(name))
    }
}
