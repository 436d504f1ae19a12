import Values

/// The names one model's events are read with: its features, categories, dimensions, and the versions and segment values met so far.
///
/// Both ways of reading an event share them, so a version or a segment value has one number whichever way it came first. One decoder
/// owns them; numbers are given in order of first sight and never taken back. Which names get one of their own `NamePlaces` says.
final class ModelTables {
    static let overflowName = NamePlaces.other
    /// Numbers are 16 bits wide, so a reference cannot claim them all.
    private static let maximumKnownValues = 60_000
    fileprivate static let maximumNumbers = 65_000
    /// Beyond the names the reference knows; past it a further spelling of a name is looked up by the name's own.
    fileprivate static let maximumSpellings = 3_000

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

    /// A dimension's values, or the versions.
    struct Dimension: BitwiseCopyable {
        let values: ByteStringIndex
        /// `values` takes further spellings while it holds fewer than this many.
        let spellings: Int
        /// There are no more places: `values` has every name that has one.
        var isFull = false
        /// The number that all others share, −1 until there are others.
        var overflowNumber: Int32 = -1
        /// Rows that got it since the counter was taken.
        var overflowed: UInt64 = 0

        /// The number of a value, −1 where it has none yet and may get one.
        func known(_ bytes: UnsafeRawBufferPointer) -> Int {
            let found = values.find(bytes)
            if found >= 0 { return found }
            if NamePlaces.isReserved(bytes) { return Int(overflowNumber) }
            guard isFull else { return -1 }
            return bytes.contains { $0 >= 0x80 } ? spelledOtherwise(bytes) : Int(overflowNumber)
        }

        @inline(never)
        private func spelledOtherwise(_ bytes: UnsafeRawBufferPointer) -> Int {
            let found = values.find(String(decoding: bytes, as: UTF8.self).nameForm)
            return found >= 0 ? found : Int(overflowNumber)
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
    /// The versions stand behind the last dimension.
    let dimensions: UnsafeMutablePointer<Dimension>
    let dimensionCount: Int
    let versions: ByteStringIndex
    let unnamedVersion: UInt16
    private let places: NamePlaces
    /// Of `places`, when this was made.
    let generation: Int

    init(_ schema: ModelSchema, _ places: NamePlaces) {
        self.places = places
        generation = places.generation
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
        dimensions = .allocate(capacity: dimensionCount + 1)
        for i in 0..<dimensionCount {
            let known = schema.knownValues.indices.contains(i) ? schema.knownValues[i] : []
            (dimensions + i).initialize(to: Dimension(known: known.prefix(Self.maximumKnownValues)))
        }
        (dimensions + dimensionCount).initialize(to: Dimension(known: [""]))
        versions = dimensions[dimensionCount].values
        unnamedVersion = UInt16(versions.find(""))
    }

    deinit {
        features.destroy()
        for i in 0..<categoryCount { categories[i].destroy() }
        categories.deallocate()
        dimensionNames.destroy()
        for i in 0...dimensionCount { dimensions[i].values.destroy() }
        dimensions.deallocate()
    }

    /// The number of a dimension's value, added if new.
    func segmentNumber(_ bytes: UnsafeRawBufferPointer, dimension: Int) -> UInt16 { number(bytes, axis: dimension) }

    /// The number of a version that an event names, −1 where it has none yet and may get one.
    func knownVersion(_ bytes: UnsafeRawBufferPointer) -> Int { dimensions[dimensionCount].known(bytes) }

    /// The number of a version that an event names, added if new.
    func versionNumber(_ bytes: UnsafeRawBufferPointer) -> UInt16 { number(bytes, axis: dimensionCount) }

    private func number(_ bytes: UnsafeRawBufferPointer, axis: Int) -> UInt16 {
        let known = dimensions[axis].known(bytes)
        if known >= 0 { return UInt16(known) }
        let name = String(decoding: bytes, as: UTF8.self).nameForm
        guard !NamePlaces.isReserved(bytes), name != Self.overflowName else { return other(axis) }
        let values = dimensions[axis].values
        switch places.ask(name, axis: axis) {
        case .place:
            guard values.count < Self.maximumNumbers || values.find(name) >= 0 else { return other(axis) }
            let number = UInt16(values.insert(name))
            return values.count < dimensions[axis].spellings ? UInt16(values.insert(bytes)) : number
        case .none(let have):
            // Others may have given out places that this reader has not seen asked for.
            for name in have where values.count < Self.maximumNumbers { _ = values.insert(name) }
            dimensions[axis].isFull = true
            return other(axis)
        }
    }

    private func other(_ axis: Int) -> UInt16 {
        if dimensions[axis].overflowNumber < 0 {
            dimensions[axis].overflowNumber = Int32(dimensions[axis].values.insert(Self.overflowName))
        }
        return UInt16(dimensions[axis].overflowNumber)
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
        for value in known where values.count < ModelTables.maximumNumbers { _ = values.insert(value.nameForm) }
        spellings = min(values.count + ModelTables.maximumSpellings, ModelTables.maximumNumbers)
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
        let known = versions.find(name)
        if known >= 0 { return UInt16(known) }
        places.reserve(versions: CollectionOfOne(name))
        return UInt16(versions.insert(name))
    }
}
