import Statistics
package import Values

/// All that is known of one identity: its prediction, its label, or both. 48 bytes in memory and on disk, where the bytes are as they
/// lie in memory of a little-endian machine.
package struct JoinRecord: BitwiseCopyable, Sendable {
    package var id: UInt64
    package var predictionTime: Timestamp
    /// The score or value; NaN without one.
    package var score: Double
    /// When the label was last said: of two labels the one said last counts, whatever order they come in.
    package var labelTime: Timestamp
    /// A class's number or a value.
    package var label: Double
    /// A number of `LabelJoin.cells`.
    package var cell: UInt32
    /// A number of `LabelJoin.classes`, −1 where the prediction names none.
    package var predicted: Int16
    var flags: UInt16

    static let hasPredictionFlag: UInt16 = 1
    static let hasLabelFlag: UInt16 = 2
    /// Another version predicted the identity too: its record stands at `next`.
    static let hasNextFlag: UInt16 = 1 << 11
    /// Four bits: horizons for which the record is kept past its own, for the sake of those behind it.
    private static let extraShift: UInt16 = 12

    /// Nine bits: one more than the bucket of the label's delay; 0 where the times say it.
    private static let delayShift: UInt16 = 2
    private static let delayMask: UInt16 = 0x1ff << delayShift

    /// How long the label it has took to be known, as a bucket of `DelayCounts`. Its repetition does not make it later.
    package var delay: Int {
        let kept = Int((flags & Self.delayMask) >> Self.delayShift)
        return kept == 0 ? DelayCounts.bucket(labelTime - predictionTime) : kept - 1
    }

    mutating func keep(delay bucket: Int) {
        flags = flags & ~Self.delayMask | UInt16(bucket + 1) << Self.delayShift
    }

    /// Bytes of a record.
    package static let size = 48

    package init(id: UInt64) {
        self.id = id
        predictionTime = .distantPast
        score = .nan
        labelTime = .distantPast
        label = .nan
        cell = 0
        predicted = -1
        flags = 0
    }

    package var hasPrediction: Bool {
        get { flags & Self.hasPredictionFlag != 0 }
        set { flags = newValue ? flags | Self.hasPredictionFlag : flags & ~Self.hasPredictionFlag }
    }
    package var hasLabel: Bool {
        get { flags & Self.hasLabelFlag != 0 }
        set { flags = newValue ? flags | Self.hasLabelFlag : flags & ~Self.hasLabelFlag }
    }

    package var hasNext: Bool {
        get { flags & Self.hasNextFlag != 0 }
        set { flags = newValue ? flags | Self.hasNextFlag : flags & ~Self.hasNextFlag }
    }

    /// Where the prediction of a further version of an identity stands. The upper bits are the same, as those of a query's items are,
    /// and so is the neighbourhood on disk.
    static func next(_ id: UInt64) -> UInt64 {
        let low: UInt64 = (1 << 24) - 1
        // The finaliser of splitmix64 (Steele, Lea and Flood 2014).
        var z = id &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        z ^= z >> 31
        let found = id & ~low | z & low
        return found == id || found == 0 ? found ^ 1 : found
    }

    /// Notes that the prediction of another version stands behind the record, which is kept until that one can have no label any more.
    /// - Returns: what goes on there: the prediction, with the label that is known.
    mutating func sendOn(_ prediction: JoinRecord, _ horizon: Span) -> JoinRecord {
        var other = prediction
        other.id = Self.next(id)
        if hasLabel, !prediction.hasLabel || labelTime > prediction.labelTime {
            other.hasLabel = true
            other.label = label
            other.labelTime = labelTime
        }
        hasNext = true
        keep(until: prediction.predictionTime, horizon)
        return other
    }

    private mutating func keep(until time: Timestamp, _ horizon: Span) {
        let later = (time - predictionTime).microseconds
        guard later > 0 else { return }
        let extra = min(15, (later - 1) / max(1, horizon.microseconds) + 1)
        let known = flags >> Self.extraShift
        flags = flags & ((1 << Self.extraShift) - 1) | max(known, UInt16(extra)) << Self.extraShift
    }

    /// Whether the label came within the horizon of the prediction, on either side.
    func isMatched(_ horizon: Span) -> Bool {
        hasPrediction && hasLabel && labelTime - predictionTime <= horizon && predictionTime - labelTime <= horizon
    }

    /// The last instant at which something may still join it.
    func end(_ horizon: Span) -> Timestamp {
        (hasPrediction ? predictionTime : labelTime) + horizon * Int64(1 + (flags >> Self.extraShift))
    }

    static func bytes(_ records: some Collection<JoinRecord>) -> [UInt8] {
        let array = Array(records)
        return array.withUnsafeBytes { Array($0) }
    }

    /// - Returns: `nil` where the bytes are no whole number of records.
    static func records(_ bytes: [UInt8]) -> [JoinRecord]? {
        guard bytes.count % size == 0, MemoryLayout<JoinRecord>.stride == size else { return nil }
        return [JoinRecord](unsafeUninitializedCapacity: bytes.count / size) { buffer, count in
            UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
            count = bytes.count / size
        }
    }
}
