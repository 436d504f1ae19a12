package import Sketches

/// A sketch as bytes, for the ledger and for references: formats 1 to 3. Whole numbers are zigzag LEB128 varints, of 128 bits where a
/// sum is; score keys are distances from the one before. Most of a small segment's sketch is its scores, at five to ten bytes each.
extension PerformanceSketch {
    private static let format: UInt8 = 1
    /// With the scores of classes behind their counts.
    private static let formatWithClassScores: UInt8 = 2
    /// With the sums of values that are far too large for the model's quantum behind the others.
    private static let formatWithFarErrors: UInt8 = 3
    private static let limit = 1 << 20

    package func encode() -> [UInt8] {
        var out = ByteWriter()
        let plain = errors.far.isEmpty ? Self.format : Self.formatWithFarErrors
        out.bytes.append(classScores.isEmpty ? plain : Self.formatWithClassScores)
        out.bytes.append(UInt8(PerformanceTask.allCases.firstIndex(of: task) ?? 0))
        for number in [predictions, labelled, unusable, corrections, positives] { out.signed(Int128(number)) }
        for side in delays {
            out.varint(UInt64(side.counts.count))
            for (bucket, count) in side.counts.sorted(by: { $0.key < $1.key }) {
                out.varint(UInt64(bucket))
                out.signed(Int128(count))
            }
        }
        Self.write(scores, to: &out)
        switch task {
        case .binary: write(binary, to: &out)
        case .multiclass:
            out.varint(UInt64(classes.counts.count))
            for (cell, count) in classes.counts.sorted(by: { $0.key < $1.key }) {
                for text in [cell.label, cell.predicted] { out.text(text) }
                out.signed(Int128(count))
            }
            if !classScores.isEmpty { write(classScores, to: &out) }
        case .regression: write(errors, to: &out)
        case .ranking: write(ranked, to: &out)
        }
        return out.bytes
    }

    private func write(_ binary: BinaryOutcomes, to out: inout ByteWriter) {
        for number in [
            binary.truePositives, binary.falsePositives, binary.trueNegatives, binary.falseNegatives,
            binary.probabilities, binary.outside,
        ] {
            out.signed(Int128(number))
        }
        out.signed(binary.squares)
        out.signed(binary.logs)
        for bin in binary.bins {
            out.signed(Int128(bin.rows))
            out.signed(Int128(bin.positives))
            out.signed(bin.scores)
        }
    }

    /// After the rows a number that older programs left other than 0 where rows had no place in the sums.
    private func write(_ errors: ErrorSums, to out: inout ByteWriter) {
        out.signed(Int128(errors.exponent))
        let near = errors.near.numbers
        for number in near[..<1] + [0] + near[1...] + [errors.relative] { out.signed(number) }
        guard !errors.far.isEmpty else { return }
        out.varint(UInt64(errors.far.count))
        for (number, tier) in errors.far.sorted(by: { $0.key < $1.key }) {
            out.varint(UInt64(number))
            for number in tier.numbers { out.signed(number) }
        }
    }

    /// Added to the level where scores that share a key are written first, and then those that have one of their own.
    private static let levelMark = 64

    private static func write(_ scores: ScoreCounts, to out: inout ByteWriter) {
        var scores = scores
        scores.settle()
        guard scores.level > 0 else {
            out.varint(0)
            return write(scores.entries, shift: 0, to: &out)
        }
        out.varint(UInt64(levelMark + scores.level))
        write(scores.entries.filter(\.isShared), shift: scores.level, to: &out)
        write(scores.entries.filter { !$0.isShared }, shift: 0, to: &out)
    }

    private static func write(_ entries: [ScoreCounts.Entry], shift: Int, to out: inout ByteWriter) {
        out.varint(UInt64(entries.count))
        var last: Int64 = 0
        for entry in entries {
            let key = entry.key >> Int64(shift)
            out.signed(Int128(key) - Int128(last))
            last = key
            out.signed(Int128(entry.predictions))
            out.signed(Int128(entry.negatives))
            out.signed(Int128(entry.positives))
        }
    }

    private func write(_ scores: ClassScores, to out: inout ByteWriter) {
        out.varint(UInt64(scores.classes.count))
        for (name, counts) in scores.classes.sorted(by: { $0.key < $1.key }) {
            out.text(name)
            Self.write(counts.all, to: &out)
            Self.write(counts.chosen, to: &out)
        }
    }

    private func write(_ ranked: RankedOutcomes, to out: inout ByteWriter) {
        var ranked = ranked
        ranked.settle()
        out.varint(UInt64(ranked.cutoff))
        out.varint(UInt64(ranked.level))
        out.varint(UInt64(ranked.entries.count))
        var last: UInt64 = 0
        for entry in ranked.entries {
            out.varint(entry.query - last)
            last = entry.query
            out.word(entry.score.bitPattern)
            out.word(entry.relevance.bitPattern)
            out.signed(Int128(entry.count))
        }
    }

    /// Reads what `encode` wrote. Damaged bytes throw; they never trap.
    package init(decoding bytes: [UInt8]) throws(CodecError) {
        var input = ByteReader(bytes)
        let format = try input.byte()
        guard (Self.format...Self.formatWithFarErrors).contains(format) else {
            throw CodecError(reason: "unknown performance format")
        }
        let number = Int(try input.byte())
        guard PerformanceTask.allCases.indices.contains(number) else { throw CodecError(reason: "unknown task") }
        self.init(PerformanceTask.allCases[number])
        predictions = try input.count()
        labelled = try input.count()
        unusable = try input.count()
        corrections = try input.count()
        positives = try input.count()
        for side in delays.indices {
            for _ in 0..<(try input.size(DelayCounts.bucketCount)) {
                let bucket = try input.size(DelayCounts.bucketCount - 1)
                delays[side].add(bucket: bucket, times: try input.count())
            }
        }
        scores = try Self.scores(&input)
        switch task {
        case .binary: binary = try Self.binary(&input)
        case .multiclass:
            for _ in 0..<(try input.size(Self.limit)) {
                let label = try input.text()
                let predicted = try input.text()
                classes.add(label: label, predicted: predicted, times: try input.count())
            }
            if format == Self.formatWithClassScores { classScores = try Self.classScores(&input) }
        case .regression:
            let read = try Self.errors(&input, hasFar: format == Self.formatWithFarErrors)
            errors = read.sums
            unusable += read.lost
        case .ranking: ranked = try Self.ranked(&input)
        }
        guard input.isAtEnd else { throw CodecError(reason: "bytes after the performance") }
    }

    private static func classScores(_ input: inout ByteReader) throws(CodecError) -> ClassScores {
        var classes: [String: ClassScores.Counts] = [:]
        for _ in 0..<(try input.size(ClassScores.maximumClasses)) {
            let name = try input.text()
            var counts = ClassScores.Counts()
            counts.all = try scores(&input)
            counts.chosen = try scores(&input)
            classes[name] = counts
        }
        return ClassScores(classes: classes)
    }

    private static func ranked(_ input: inout ByteReader) throws(CodecError) -> RankedOutcomes {
        let cutoff = try input.size(limit)
        let level = try input.size(63)
        var entries: [RankedOutcomes.Entry] = []
        var query: UInt64 = 0
        for _ in 0..<(try input.size(RankedOutcomes.maximumItems)) {
            query &+= try input.varint()
            let score = Double(bitPattern: try input.word())
            let relevance = Double(bitPattern: try input.word())
            entries.append(.init(query: query, score: score, relevance: relevance, count: try input.count()))
        }
        guard let ranked = RankedOutcomes(cutoff: cutoff, level: level, entries: entries) else {
            throw CodecError(reason: "ranked items out of order")
        }
        return ranked
    }

    /// - Returns: `lost`: rows that an older program left out of its sums because of their size.
    private static func errors(
        _ input: inout ByteReader, hasFar: Bool
    ) throws(CodecError) -> (sums: ErrorSums, lost: Int64) {
        guard let exponent = Int(exactly: try input.signed()), Moments.exponents.contains(exponent) else {
            throw CodecError(reason: "exponent out of range")
        }
        let rows = try input.count()
        let lost = try input.count()
        let near = try tier(&input, rows: rows - lost)
        let relative = try input.signed()
        var far: [Int: ErrorSums.Tier] = [:]
        for _ in 0..<(hasFar ? try input.size(ErrorSums.maximumTier) : 0) {
            let number = try input.size(ErrorSums.maximumTier)
            guard number > 0 else { throw CodecError(reason: "a tier out of range") }
            far[number] = try tier(&input, rows: try input.count())
        }
        return (ErrorSums(exponent: exponent, near: near, far: far, relative: relative), lost)
    }

    private static func tier(_ input: inout ByteReader, rows: Int64) throws(CodecError) -> ErrorSums.Tier {
        var numbers = [Int128(rows)]
        for _ in 0..<5 { numbers.append(try input.signed()) }
        guard let tier = ErrorSums.Tier(numbers) else { throw CodecError(reason: "number too large") }
        return tier
    }

    private static func scores(_ input: inout ByteReader) throws(CodecError) -> ScoreCounts {
        let mark = try input.size(levelMark + ScoreCounts.maximumLevel)
        let level = mark >= levelMark ? mark - levelMark : mark
        // What older programs wrote: past the first level no score has a key of its own.
        var entries = try Self.entries(&input, shift: level, isShared: level > 0)
        if mark >= levelMark {
            entries += try Self.entries(&input, shift: 0, isShared: false)
            entries.sort { $0.key < $1.key }
        }
        guard let scores = ScoreCounts(level: level, entries: entries) else {
            throw CodecError(reason: "scores out of order")
        }
        return scores
    }

    private static func entries(
        _ input: inout ByteReader, shift: Int, isShared: Bool
    ) throws(CodecError) -> [ScoreCounts.Entry] {
        let count = try input.size(ScoreCounts.budget)
        var entries: [ScoreCounts.Entry] = []
        entries.reserveCapacity(min(count, 1 << 12))
        var last: Int128 = 0
        for _ in 0..<count {
            last &+= try input.signed()
            guard abs(last) < 1 << 63, let key = Int64(exactly: last << Int128(shift)) else {
                throw CodecError(reason: "number too large")
            }
            let predictions = try input.count()
            let negatives = try input.count()
            entries.append(
                .init(
                    key: key, isShared: isShared, predictions: predictions, negatives: negatives,
                    positives: try input.count()))
        }
        return entries
    }

    private static func binary(_ input: inout ByteReader) throws(CodecError) -> BinaryOutcomes {
        var binary = BinaryOutcomes()
        binary.truePositives = try input.count()
        binary.falsePositives = try input.count()
        binary.trueNegatives = try input.count()
        binary.falseNegatives = try input.count()
        binary.probabilities = try input.count()
        binary.outside = try input.count()
        binary.squares = try input.signed()
        binary.logs = try input.signed()
        for i in binary.bins.indices {
            binary.bins[i].rows = try input.count()
            binary.bins[i].positives = try input.count()
            binary.bins[i].scores = try input.signed()
        }
        return binary
    }
}

extension ByteWriter {
    mutating func text(_ text: String) {
        varint(UInt64(text.utf8.count))
        bytes += text.utf8
    }

    mutating func signed(_ value: Int128) {
        var v = UInt128(truncatingIfNeeded: value << 1 ^ value >> 127)
        while v >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: v) | 0x80)
            v >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: v))
    }
}

extension ByteReader {
    mutating func signed() throws(CodecError) -> Int128 {
        var value: UInt128 = 0
        var shift = 0
        while true {
            let b = try byte()
            guard shift < 126 || (shift == 126 && b <= 3) else { throw CodecError(reason: "number too large") }
            value |= UInt128(b & 0x7f) << UInt128(shift)
            if b < 0x80 { break }
            shift += 7
        }
        return Int128(truncatingIfNeeded: value >> 1) ^ -Int128(truncatingIfNeeded: value & 1)
    }

    /// A count that fits sums of many: far below what would overflow.
    mutating func count() throws(CodecError) -> Int64 {
        guard let value = Int64(exactly: try signed()), abs(value) < 1 << 56 else {
            throw CodecError(reason: "number too large")
        }
        return value
    }

    mutating func size(_ limit: Int) throws(CodecError) -> Int {
        let value = try varint()
        guard value <= UInt64(limit) else { throw CodecError(reason: "number too large") }
        return Int(value)
    }

    mutating func text() throws(CodecError) -> String {
        var bytes: [UInt8] = []
        for _ in 0..<(try size(1 << 16)) { bytes.append(try byte()) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
