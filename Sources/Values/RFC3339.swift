extension Timestamp {
    /// The instants that RFC 3339 can write: the years 0 to 9999 in UTC. No event may lie outside, or reports would
    /// name the wrong year.
    package static let writable =
        Timestamp(microseconds: -62_167_219_200_000_000)...Timestamp(microseconds: 253_402_300_799_999_999)

    /// RFC 3339 in UTC, with as many of six fractional digits as the value needs: `2026-03-01T12:00:00.25Z`.
    package var rfc3339: String {
        let day = microseconds.flooredQuotient(by: 86_400_000_000)
        var rest = microseconds - day * 86_400_000_000
        let date = CivilDate(daysSinceEpoch: day)
        let hour = rest / 3_600_000_000
        rest -= hour * 3_600_000_000
        let minute = rest / 60_000_000
        rest -= minute * 60_000_000
        let second = rest / 1_000_000
        rest -= second * 1_000_000
        var text = [UInt8]()
        text.reserveCapacity(27)
        func put(_ value: Int64, _ width: Int) {
            var digits = [UInt8](repeating: 48, count: width)
            var v = value
            for i in stride(from: width - 1, through: 0, by: -1) {
                digits[i] = UInt8(48 + v % 10)
                v /= 10
            }
            text += digits
        }
        put(Int64(date.year), 4)
        text.append(45)
        put(Int64(date.month), 2)
        text.append(45)
        put(Int64(date.day), 2)
        text.append(84)
        put(hour, 2)
        text.append(58)
        put(minute, 2)
        text.append(58)
        put(second, 2)
        if rest > 0 {
            text.append(46)
            put(rest, 6)
            while text.last == 48 { text.removeLast() }
        }
        text.append(90)
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads RFC 3339 (`T` or a space between date and time, `Z` or an offset, any number of fractional digits,
    /// a leap second counted as the next second); `nil` where the text is not one, or its offset leads out of the
    /// years 0 to 9999.
    package init?(rfc3339 text: some StringProtocol) {
        var copy = String(text)
        guard let parsed = copy.withUTF8({ Timestamp(rfc3339: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = parsed
    }

    /// The same over raw bytes, for decoders: no allocation.
    package init?(rfc3339 bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 20 else { return nil }
        func number(_ at: Int, _ width: Int) -> Int64? {
            var value: Int64 = 0
            for i in at..<at + width {
                let d = bytes[i] &- 48
                if d > 9 { return nil }
                value = value * 10 + Int64(d)
            }
            return value
        }
        guard let year = number(0, 4), bytes[4] == 45, let month = number(5, 2), bytes[7] == 45,
            let day = number(8, 2), bytes[10] == 84 || bytes[10] == 116 || bytes[10] == 32,
            let hour = number(11, 2), bytes[13] == 58, let minute = number(14, 2), bytes[16] == 58,
            let second = number(17, 2),
            (1...12).contains(month), hour < 24, minute < 60, second <= 60,
            day >= 1, day <= CivilDate.daysInMonth(year: Int(year), month: Int(month))
        else { return nil }
        var i = 19
        var micros: Int64 = 0
        if bytes[i] == 46 {
            i += 1
            var scale: Int64 = 100_000
            let first = i
            while i < bytes.count, bytes[i] >= 48, bytes[i] <= 57 {
                micros += Int64(bytes[i] - 48) * scale
                scale /= 10
                i += 1
            }
            guard i > first else { return nil }
        }
        guard i < bytes.count else { return nil }
        var offsetMinutes: Int64 = 0
        switch bytes[i] {
        case 90, 122:
            guard i + 1 == bytes.count else { return nil }
        case 43, 45:
            guard i + 6 == bytes.count, let h = number(i + 1, 2), bytes[i + 3] == 58, let m = number(i + 4, 2),
                h < 24, m < 60
            else { return nil }
            offsetMinutes = (h * 60 + m) * (bytes[i] == 45 ? -1 : 1)
        default: return nil
        }
        let days = CivilDate.daysSinceEpoch(year: Int(year), month: Int(month), day: Int(day))
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offsetMinutes * 60
        self.init(microseconds: seconds * 1_000_000 + micros)
        guard Self.writable.contains(self) else { return nil }
    }
}

/// A day of the proleptic Gregorian calendar. Conversions follow Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms" (days_from_civil, civil_from_days).
package struct CivilDate: Hashable, Sendable {
    package var year: Int
    package var month: Int
    package var day: Int

    package init(daysSinceEpoch: Int64) {
        let z = daysSinceEpoch + 719_468
        let era = z.flooredQuotient(by: 146_097)
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shifted + 2) / 5 + 1)
        month = Int(shifted < 10 ? shifted + 3 : shifted - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    package static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int64 {
        let y = Int64(month <= 2 ? year - 1 : year)
        let era = y.flooredQuotient(by: 400)
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * Int64(month > 2 ? month - 3 : month + 9) + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    package static func daysInMonth(year: Int, month: Int) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        default: 31
        }
    }
}

extension Int64 {
    /// Division rounding towards negative infinity, for times before 1970. `divisor` must be positive.
    package func flooredQuotient(by divisor: Int64) -> Int64 {
        let (q, r) = quotientAndRemainder(dividingBy: divisor)
        return r < 0 ? q - 1 : q
    }
}
