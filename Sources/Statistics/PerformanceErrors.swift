/// Sums over labelled rows of a regression model, in whole multiples of a quantum: any order of adding, merging and taking back gives
/// the same.
package struct ErrorSums: Sendable, Hashable {
    /// Values are whole multiples of 2^−exponent; a choice of the model's, from its reference (`Moments.exponent`).
    package let exponent: Int
    package private(set) var rows: Int64 = 0
    /// Rows whose value was too large for the sums: then they say nothing.
    package private(set) var clamped: Int64 = 0
    package private(set) var errors: Int128 = 0
    package private(set) var absolute: Int128 = 0
    package private(set) var squares: Int128 = 0
    package private(set) var labels: Int128 = 0
    package private(set) var labelSquares: Int128 = 0
    /// Σ |error|/|label|, in units of 2^−30.
    package private(set) var relative: Int128 = 0

    /// Past 2^46 multiples a square could not be added often enough.
    private static let limit = 0x1p46
    private static let relativeUnit = 0x1p30
    /// Takes the place of a label of zero, as in scikit-learn.
    private static let smallest = 0x1p-52
    private static let largestRatio = 0x1p60

    package init(exponent: Int) { self.exponent = exponent }

    /// What a codec read, in the order of `numbers`.
    package init?(exponent: Int, numbers: [Int128]) {
        guard numbers.count == 8, let rows = Int64(exactly: numbers[0]), let clamped = Int64(exactly: numbers[1]) else {
            return nil
        }
        self.exponent = exponent
        self.rows = rows
        self.clamped = clamped
        errors = numbers[2]
        absolute = numbers[3]
        squares = numbers[4]
        labels = numbers[5]
        labelSquares = numbers[6]
        relative = numbers[7]
    }

    package var numbers: [Int128] {
        [Int128(rows), Int128(clamped), errors, absolute, squares, labels, labelSquares, relative]
    }

    private var scale: Double { Double(sign: .plus, exponent: exponent, significand: 1) }

    /// Adds a labelled row of finite values, or with `times` −1 takes it back.
    package mutating func add(value: Double, label: Double, times: Int64 = 1) {
        rows += times
        let scale = scale
        let scaled = ((value * scale).rounded(.toNearestOrEven), (label * scale).rounded(.toNearestOrEven))
        guard abs(scaled.0) <= Self.limit, abs(scaled.1) <= Self.limit else {
            clamped += times
            return
        }
        let times = Int128(times)
        let error = Int128(scaled.0) - Int128(scaled.1)
        errors += times * error
        absolute += times * (error < 0 ? -error : error)
        squares += times * error * error
        labels += times * Int128(scaled.1)
        labelSquares += times * Int128(scaled.1) * Int128(scaled.1)
        let ratio = min(abs(value - label) / max(abs(label), Self.smallest), Self.largestRatio)
        relative += times * Int128((ratio * Self.relativeUnit).rounded(.toNearestOrEven))
    }

    package mutating func merge(_ other: ErrorSums) {
        precondition(exponent == other.exponent, "sums of different quanta")
        rows += other.rows
        clamped += other.clamped
        errors += other.errors
        absolute += other.absolute
        squares += other.squares
        labels += other.labels
        labelSquares += other.labelSquares
        relative += other.relative
    }

    private func mean(_ sum: Int128) -> Double? { rows > 0 && clamped == 0 ? Double(sum) / Double(rows) : nil }

    package var mae: Double? { mean(absolute).map { $0 / scale } }
    package var rmse: Double? { mean(squares).map { $0.squareRoot() / scale } }
    /// Mean of prediction less label: positive where the model says too much.
    package var bias: Double? { mean(errors).map { $0 / scale } }
    package var mape: Double? { mean(relative).map { $0 / Self.relativeUnit } }
    package var meanLabel: Double? { mean(labels).map { $0 / scale } }
    /// 1 − Σ error² / Σ (label − mean)²; `nil` where the labels do not vary, or for fewer than two.
    package var r2: Double? {
        guard rows > 1, clamped == 0 else { return nil }
        let (a, overflowA) = labelSquares.multipliedReportingOverflow(by: Int128(rows))
        let (b, overflowB) = labels.multipliedReportingOverflow(by: labels)
        let n = Double(rows)
        let total =
            overflowA || overflowB
            ? Double(labelSquares) - Double(labels) * (Double(labels) / n) : Double(a - b) / n
        return total > 0 ? 1 - Double(squares) / total : nil
    }
}
