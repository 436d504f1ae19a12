/// A request to be sent over and over, with places that are new each time: `@THREAD@` is the thread's two digits, `@NUMBER@` a
/// number of thirteen that nobody sends twice. They have as many digits as the text they stand for, so that a request is made
/// by writing digits over the last one.
struct Template {
    private(set) var bytes: [UInt8]
    private var numbers: [Int] = []

    static let first = 1_000_000_000_000

    init(_ text: [UInt8], thread: Int) {
        bytes = []
        bytes.reserveCapacity(text.count + 1_024)
        let (threadMark, numberMark) = (Array("@THREAD@".utf8), Array("@NUMBER@".utf8))
        var i = 0
        while i < text.count {
            if text[i...].starts(with: threadMark) {
                bytes += [UInt8(0x30 + thread / 10 % 10), UInt8(0x30 + thread % 10)]
                i += threadMark.count
            } else if text[i...].starts(with: numberMark) {
                numbers.append(bytes.count)
                bytes += [UInt8](repeating: 0x30, count: 13)
                i += numberMark.count
            } else {
                bytes.append(text[i])
                i += 1
            }
        }
    }

    mutating func number(_ value: Int) {
        guard let first = numbers.first else { return }
        var rest = value
        for k in stride(from: 12, through: 0, by: -1) {
            bytes[first + k] = UInt8(0x30 + rest % 10)
            rest /= 10
        }
        for place in numbers.dropFirst() {
            for k in 0..<13 { bytes[place + k] = bytes[first + k] }
        }
    }
}
