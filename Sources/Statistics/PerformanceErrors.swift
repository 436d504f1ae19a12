/// Sums over labelled rows of a regression model, in whole multiples of a quantum: any order of adding, merging and taking back gives
/// the same.
///
/// The quantum suits the reference's values. A row with a value too large for it is summed by a quantum that is coarser by as many times
/// sixteen bits as it takes, still 2^−30 of its larger value or finer: one absurd label leaves every figure as right as its size allows.
package struct ErrorSums: Sendable, Hashable {
    /// Sums of rows that share a quantum.
    package struct Tier: Sendable, Hashable {
        package internal(set) var rows: Int64 = 0
        package internal(set) var errors: Int128 = 0
        package internal(set) var absolute: Int128 = 0
        package internal(set) var squares: Int128 = 0
        package internal(set) var labels: Int128 = 0
        package internal(set) var labelSquares: Int128 = 0

        init() {}

        /// What a codec read, in the order of `numbers`.
        init?(_ numbers: [Int128]) {
            guard numbers.count == 6, let rows = Int64(exactly: numbers[0]) else { return nil }
            self.rows = rows
            errors = numbers[1]
            absolute = numbers[2]
            squares = numbers[3]
            labels = numbers[4]
            labelSquares = numbers[5]
        }

        var numbers: [Int128] { [Int128(rows), errors, absolute, squares, labels, labelSquares] }
        var isEmpty: Bool { numbers.allSatisfy { $0 == 0 } }

        mutating func add(value: Int128, label: Int128, times: Int64) {
            let error = value - label
            let many = Int128(times)
            rows += times
            errors += many * error
            absolute += many * (error < 0 ? -error : error)
            squares += many * error * error
            labels += many * label
            labelSquares += many * label * label
        }

        mutating func merge(_ other: Tier) {
            rows += other.rows
            errors += other.errors
            absolute += other.absolute
            squares += other.squares
            labels += other.labels
            labelSquares += other.labelSquares
        }

        /// Σ (label − mean)², from whole numbers of 256 bits: labels far from zero and near each other lose nothing.
        var spread: Double {
            guard rows > 0 else { return 0 }
            let squares = labelSquares.multipliedFullWidth(by: Int128(rows))
            let square = labels.multipliedFullWidth(by: labels)
            let (low, borrows) = squares.low.subtractingReportingOverflow(square.low)
            let high = squares.high &- square.high &- (borrows ? 1 : 0)
            return (Double(high) * 0x1p128 + Double(low)) / Double(rows)
        }
    }

    /// Values are whole multiples of 2^−exponent; a choice of the model's, from its reference (`Moments.exponent`).
    package let exponent: Int
    /// Rows whose values suit the quantum.
    package private(set) var near = Tier()
    /// Rows with a larger value, by how many times sixteen bits their quantum is coarser.
    package private(set) var far: [Int: Tier] = [:]
    /// Σ |error|/|label| of all rows, in units of 2^−30.
    package private(set) var relative: Int128 = 0

    /// Past 2^46 multiples a square could not be added often enough.
    private static let limit = 0x1p46
    private static let limitBits = 46
    private static let tierBits = 16
    /// So many tiers reach the largest double from the finest quantum there is.
    package static let maximumTier = 128
    private static let relativeUnit = 0x1p30
    /// Takes the place of a label of zero, as in scikit-learn.
    private static let smallest = 0x1p-52
    private static let largestRatio = 0x1p60

    package init(exponent: Int) { self.exponent = exponent }

    /// What a codec read.
    init(exponent: Int, near: Tier, far: [Int: Tier], relative: Int128) {
        self.exponent = exponent
        self.near = near
        self.far = far
        self.relative = relative
    }

    private static func power(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }

    /// Adds a labelled row of finite values, or with `times` −1 takes it back.
    package mutating func add(value: Double, label: Double, times: Int64 = 1) {
        let ratio = min(abs(value - label) / max(abs(label), Self.smallest), Self.largestRatio)
        relative += Int128(times) * Int128((ratio * Self.relativeUnit).rounded(.toNearestOrEven))
        let number = tier(max(abs(value), abs(label)))
        let scale = Self.power(exponent - number * Self.tierBits)
        func whole(_ value: Double) -> Int128 { Int128((value * scale).rounded(.toNearestOrEven)) }
        guard number > 0 else { return near.add(value: whole(value), label: whole(label), times: times) }
        var tier = far[number] ?? Tier()
        tier.add(value: whole(value), label: whole(label), times: times)
        far[number] = tier.isEmpty ? nil : tier
    }

    /// The finest tier with room for a value.
    private func tier(_ magnitude: Double) -> Int {
        guard (magnitude * Self.power(exponent)).rounded(.toNearestOrEven) > Self.limit else { return 0 }
        return (Int(magnitude.exponent) + exponent - Self.limitBits + Self.tierBits) / Self.tierBits
    }

    package mutating func merge(_ other: ErrorSums) {
        precondition(exponent == other.exponent, "sums of different quanta")
        near.merge(other.near)
        relative += other.relative
        for (number, tier) in other.far {
            far[number, default: Tier()].merge(tier)
            if far[number]?.isEmpty == true { far[number] = nil }
        }
    }

    /// Every tier with the exponent of its quantum, finest first.
    private var tiers: [(exponent: Int, sums: Tier)] {
        [(exponent, near)]
            + far.sorted { $0.key < $1.key }.map { (exponent - $0.key * Self.tierBits, $0.value) }
    }

    package var rows: Int64 { far.values.reduce(near.rows) { $0 + $1.rows } }

    /// The mean over all rows of what each tier sums, in units of the coarsest quantum, whose exponent comes with it: its square is still a
    /// double.
    /// - Parameter power: of the quantum that the sum is in.
    private func mean(_ power: Int, _ sum: (Tier) -> Int128) -> (value: Double, exponent: Int)? {
        let rows = Double(rows)
        guard rows > 0 else { return nil }
        let tiers = tiers
        let coarsest = tiers[tiers.count - 1].exponent
        let total = tiers.reduce(0) {
            $0 + Double(sum($1.sums)) * Self.power(power * (coarsest - $1.exponent))
        }
        return (total / rows, coarsest)
    }

    private static func scaled(_ value: Double, _ exponent: Int) -> Double? {
        let scaled = value * power(-exponent)
        return scaled.isFinite ? scaled : nil
    }

    package var mae: Double? { mean(1, \.absolute).flatMap { Self.scaled($0.value, $0.exponent) } }
    package var rmse: Double? {
        mean(2, \.squares).flatMap { Self.scaled(max(0, $0.value).squareRoot(), $0.exponent) }
    }
    /// Mean of prediction less label: positive where the model says too much.
    package var bias: Double? { mean(1, \.errors).flatMap { Self.scaled($0.value, $0.exponent) } }
    package var mape: Double? { rows > 0 ? Double(relative) / Double(rows) / Self.relativeUnit : nil }
    package var meanLabel: Double? { mean(1, \.labels).flatMap { Self.scaled($0.value, $0.exponent) } }

    /// 1 − Σ error² / Σ (label − mean)²; `nil` where the labels do not vary, or for fewer than two.
    package var r2: Double? {
        guard rows > 1, let errors = mean(2, \.squares), let center = mean(1, \.labels)?.value else { return nil }
        // Within the tiers and between them, all in units of the coarsest quantum.
        let total = tiers.reduce(0) { sum, tier in
            guard tier.sums.rows > 0 else { return sum }
            let unit = Self.power(errors.exponent - tier.exponent)
            let n = Double(tier.sums.rows)
            let distance = far.isEmpty ? 0 : Double(tier.sums.labels) * unit / n - center
            return sum + tier.sums.spread * unit * unit + n * distance * distance
        }
        return total > 0 ? 1 - errors.value * Double(rows) / total : nil
    }
}
