import Values

/// The memory of an `EventBatch`: a plain value of pointers, which the batch keeps on the heap and frees.
struct EventRows: BitwiseCopyable {
    let numberWidth: Int
    let codeWidth: Int
    let segmentWidth: Int

    private(set) var count = 0
    private var capacity: Int
    private(set) var numbers: UnsafeMutablePointer<Double>
    private(set) var codes: UnsafeMutablePointer<UInt16>
    private(set) var segments: UnsafeMutablePointer<UInt16>
    private(set) var timestamps: UnsafeMutablePointer<Timestamp>
    private(set) var sources: UnsafeMutablePointer<UInt16>
    private(set) var versions: UnsafeMutablePointer<UInt16>
    /// A row's numbers before anything is read into it, by `EventBatch.Blank`.
    let blankNumbers: UnsafeMutablePointer<Double>
    let blankCodes: UnsafeMutablePointer<UInt16>

    /// Rows from here on and before `blankTo` are blank already, with features and prediction.
    private var blankFrom = 0
    private var blankTo = 0
    private static let blankAhead = 64

    private static let initialCapacity = 512
    private static let keptCapacity = 16_384

    init(numberWidth: Int, codeWidth: Int, segmentWidth: Int, blanks: Int) {
        self.numberWidth = numberWidth
        self.codeWidth = codeWidth
        self.segmentWidth = segmentWidth
        capacity = Self.initialCapacity
        // Allocations of nothing are avoided, so that every pointer is one of its own.
        numbers = .allocate(capacity: max(1, capacity * numberWidth))
        codes = .allocate(capacity: max(1, capacity * codeWidth))
        segments = .allocate(capacity: max(1, capacity * segmentWidth))
        timestamps = .allocate(capacity: capacity)
        sources = .allocate(capacity: capacity)
        versions = .allocate(capacity: capacity)
        blankNumbers = .allocate(capacity: max(1, blanks * numberWidth))
        blankCodes = .allocate(capacity: max(1, blanks * codeWidth))
    }

    func destroy() {
        numbers.deallocate()
        codes.deallocate()
        segments.deallocate()
        timestamps.deallocate()
        sources.deallocate()
        versions.deallocate()
        blankNumbers.deallocate()
        blankCodes.deallocate()
    }

    @inline(__always)
    mutating func begin(_ blank: EventBatch.Blank) {
        makeRoom()
        self.blank(blank)
        blankSegments()
    }

    /// The same as `begin(.featuresAndPrediction)`, which nearly every row is: many are blanked at once.
    @inline(__always)
    mutating func beginUsual() {
        if count == capacity { grow() }
        if count < blankFrom || count >= blankTo { blankMany() }
        blankFrom = count &+ 1
    }

    @inline(never)
    private mutating func blankMany() {
        // A row that is begun anew stands before blank ones.
        let isAgain = count + 1 == blankFrom
        let end = isAgain ? count + 1 : min(capacity, count + Self.blankAhead)
        let blank = EventBatch.Blank.featuresAndPrediction.rawValue
        for row in count..<end {
            (numbers + row * numberWidth).update(from: blankNumbers + blank * numberWidth, count: numberWidth)
            (codes + row * codeWidth).update(from: blankCodes + blank * codeWidth, count: codeWidth)
        }
        (segments + count * segmentWidth).update(repeating: EventBatch.noSegment, count: (end - count) * segmentWidth)
        if !isAgain { blankTo = end }
    }

    @inline(__always)
    mutating func makeRoom() {
        if count == capacity { grow() }
        blankFrom = count &+ 1
    }

    @inline(__always)
    func blankSegments() {
        let row = segments + count &* segmentWidth
        for i in 0..<segmentWidth { row[i] = EventBatch.noSegment }
    }

    /// Blanks the numbers and codes of the row being written.
    @inline(__always)
    func blank(_ blank: EventBatch.Blank) {
        (numbers + count &* numberWidth).update(
            from: blankNumbers + blank.rawValue &* numberWidth, count: numberWidth)
        (codes + count &* codeWidth).update(from: blankCodes + blank.rawValue &* codeWidth, count: codeWidth)
    }

    @inline(__always)
    mutating func commit(_ time: Timestamp, source: UInt16, version: UInt16) {
        timestamps[count] = time
        sources[count] = source
        versions[count] = version
        count &+= 1
    }

    /// Takes the rows from `count` on back.
    mutating func removeRows(from count: Int) {
        self.count = count
        blankFrom = count
        blankTo = count
    }

    mutating func removeAll() {
        removeRows(from: 0)
        if capacity > Self.keptCapacity { resize(to: Self.initialCapacity) }
    }

    private mutating func grow() { resize(to: capacity * 2) }

    private mutating func resize(to capacity: Int) {
        func moved<T: BitwiseCopyable>(_ old: UnsafeMutablePointer<T>, _ width: Int) -> UnsafeMutablePointer<T> {
            let new = UnsafeMutablePointer<T>.allocate(capacity: max(1, capacity * width))
            new.update(from: old, count: count * width)
            old.deallocate()
            return new
        }
        numbers = moved(numbers, numberWidth)
        codes = moved(codes, codeWidth)
        segments = moved(segments, segmentWidth)
        timestamps = moved(timestamps, 1)
        sources = moved(sources, 1)
        versions = moved(versions, 1)
        self.capacity = capacity
        blankFrom = count
        blankTo = count
    }
}
