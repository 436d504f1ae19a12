/// How a producer writes `ts`.
enum TimeStyle: Int, CaseIterable {
    case millisecondsZ, secondsZ, micros, offset, epochSeconds, epochFraction, epochMilliseconds, constant, odd
}

extension Bytes {
    mutating func addTime(_ style: TimeStyle, _ dice: inout Dice) {
        switch style {
        case .millisecondsZ: addDate(&dice, fraction: 3, zone: "Z")
        case .secondsZ: addDate(&dice, fraction: 0, zone: "Z")
        case .micros: addDate(&dice, fraction: dice.between(1, 9), zone: dice.pick(["Z", "z", "+00:00", "-00:00"]))
        case .offset: addDate(&dice, fraction: 0, zone: dice.pick(["+01:00", "-08:30", "+23:59", "-00:01"]))
        case .epochSeconds: add(1_772_366_400 + dice.below(86_400))
        case .epochFraction:
            add(1_772_366_400 + dice.below(86_400))
            append(0x2e)
            addDigitsOfTime(dice.between(1, 9), &dice)
        case .epochMilliseconds:
            add(1_772_366_400_000 + dice.below(86_400_000))
            if dice.chance(100) { add(".5") }
        case .constant: add("\"2026-03-01T12:00:00Z\"")
        case .odd: add(dice.pick(Self.oddTimes))
        }
    }

    private mutating func addDigitsOfTime(_ count: Int, _ dice: inout Dice) {
        for _ in 0..<count { append(0x30 + UInt8(dice.below(10))) }
    }

    private mutating func addDate(_ dice: inout Dice, fraction: Int, zone: String) {
        let wild = dice.chance(20)
        append(0x22)
        add(wild ? dice.pick([0, 1, 1582, 1900, 1969, 1970, 2000, 2024, 9999]) : 2026, width: 4)
        append(0x2d)
        add(wild ? dice.below(14) : 3, width: 2)
        append(0x2d)
        add(wild ? dice.below(33) : 1 + dice.below(2), width: 2)
        append(wild ? dice.pick([0x54, 0x74, 0x20, 0x5f]) : 0x54)
        add(wild ? dice.below(25) : dice.below(24), width: 2)
        append(0x3a)
        add(wild ? dice.below(61) : dice.below(60), width: 2)
        append(0x3a)
        add(wild ? dice.below(62) : dice.below(60), width: 2)
        if fraction > 0 {
            append(0x2e)
            addDigitsOfTime(fraction, &dice)
        }
        add(zone)
        append(0x22)
    }

    private static let oddTimes = [
        "true", "[0]", "{}", "null", "1e999", "-1e999", "1e300", "0", "-0", "-1", "-1.5", "0.0000005", "0.0000004999",
        "1.5e-6",
        "2.5e-6", "-2.5e-6", "99999999999", "99999999999.5", "100000000000", "-99999999999", "-100000000000",
        "1.772366400e9",
        "1772366400250.5", "17723664E2", "253402300799999", "253402300799999.999", "253402300800000", "-62167219200000",
        "-62167219200001", "259999999999999", "9007199254740993", "1772366400.123456789", "1772366400.0000005",
        "\"1772366400\"", "\"2026-02-30T00:00:00Z\"", "\"2026-02-28T24:00:00Z\"", "\"2024-02-29T23:59:60Z\"",
        "\"0000-01-01T00:00:00Z\"", "\"0000-01-01T00:00:00+00:01\"", "\"9999-12-31T23:59:59.999999Z\"",
        "\"9999-12-31T23:59:60Z\"", "\"9999-12-31T23:59:59-00:01\"", "\"2026-03-01t12:00:00z\"",
        "\"2026-03-01 12:00:00Z\"",
        "\"2026-03-01T12:00:00.Z\"", "\"2026-03-01T12:00:00\"", "\"2026-03-01T12:00:00+0100\"",
        "\"2026-03-01T12:00:00+24:00\"",
        "\"2026-03-01T12:00:00.123456789123456789Z\"", "\"2026-03-01T12:00:00.9999999Z\"", "\"2026-03-01T12:00Z\"",
        "\"\"",
        "\"2026-03-01T12:00\\u003a00Z\"", "\"\\u0032026-03-01T12:00:00\\u002e5Z\"", "\"2026-03-01T12:00:00Z \"",
        "\" 2026-03-01T12:00:00Z\"", "\"２026-03-01T12:00:00Z\"", "\"+026-03-01T12:00:00Z\"", "\"1900-02-29T00:00:00Z\"",
        "\"2000-02-29T00:00:00Z\"", "\"2026-03-01T12:00:00,5Z\"", "\"2026-03-01T12:60:00Z\"",
        "\"2026-00-01T12:00:00Z\"",
        "\"2026-03-00T12:00:00Z\"", "\"2026-3-01T12:00:00Z\"", "\"2026-03-01T12:00:00ZZ\"",
        "\"2026-03-01T12:00:00Z\\u0000\"",
    ]
}
