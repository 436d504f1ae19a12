import Events
import TestSupport

/// Messages as senders write them, and as nobody should: for reading them in two ways.
struct EventGenerator {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    var seed: UInt64 { random.seed }

    static let schemas = [
        ModelSchema(
            model: "fraud",
            columns: [
                .init(name: "amount", kind: .numeric), .init(name: "age", kind: .numeric),
                .init(name: "a_rather_long_feature_name", kind: .numeric),
                .init(
                    name: "country",
                    kind: .categorical(codes: ["BR": 0, "US": 1, "1": 2, "true": 3, "São": 4, "": 5], unseen: 7)),
                .init(
                    name: "merchant",
                    kind: .categorical(codes: ["grocery": 0, "books+music": 1, "electronics and more": 2], unseen: 3)),
                .init(name: "tier", kind: .numeric), .init(name: "prediction", kind: .numeric),
            ], dimensions: ["country", "region", "tier"], knownValues: [["BR", "US"], ["a region known before"]],
            ignored: ["note"], outcome: .classes),
        ModelSchema(
            model: "pets",
            columns: [
                .init(name: "weight", kind: .numeric),
                .init(name: "prediction", kind: .categorical(codes: ["cat": 0, "dog": 1, "1": 2], unseen: 3)),
            ], dimensions: ["region"], outcome: .classes),
        ModelSchema(
            model: "a \"name\" with é", columns: [.init(name: "x", kind: .numeric)], dimensions: [],
            outcome: .numbers),
    ]

    private mutating func oneIn(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }
    private mutating func pick<T>(_ list: [T]) -> T { list[Int.random(in: 0..<list.count, using: &random)] }

    /// A message of one event or several, now and then cut or changed in a few bytes.
    mutating func message() -> [UInt8] {
        var message: [UInt8]
        if oneIn(12) {
            let events = (0..<Int.random(in: 0...5, using: &random)).map { _ in event() }
            message = oneIn(2) ? lines(events) : array(events)
        } else {
            message = Array(event().utf8)
        }
        if oneIn(20) { message = Array(pick([" ", "\n", "\r\n", "\t "]).utf8) + message }
        if oneIn(20) { message += Array(pick([" ", "\n", "\r\n\n", "\t", " x", "{}", "]"]).utf8) }
        if oneIn(8) { mutate(&message) }
        if oneIn(30) { message = Array(message.prefix(Int.random(in: 0...message.count, using: &random))) }
        return message
    }

    private mutating func lines(_ events: [String]) -> [UInt8] {
        Array(events.joined(separator: pick(["\n", "\r\n", " \n\n ", ","])).utf8)
    }

    private mutating func array(_ events: [String]) -> [UInt8] {
        let comma = oneIn(20) ? pick([",,", "", "}"]) : pick([",", ", ", " ,\n"])
        let end = oneIn(20) ? pick(["", ",]", "] x", "]]"]) : pick(["]", " ]\n"])
        return Array(("[" + events.joined(separator: comma) + end).utf8)
    }

    private mutating func mutate(_ message: inout [UInt8]) {
        let spice = Array(#"{}[]",:\u0/eE+-.019ntf "#.utf8) + [0, 0x0a, 0x80, 0xc3, 0xe2, 0xf0, 0xff, 0x1f]
        for _ in 0..<Int.random(in: 1...3, using: &random) where !message.isEmpty {
            let at = Int.random(in: 0..<message.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: message[at] = pick(spice)
            case 1: message.remove(at: at)
            case 2: message.insert(pick(spice), at: at)
            default: message.removeSubrange(at..<min(message.count, at + Int.random(in: 0...20, using: &random)))
            }
        }
    }

    /// One event, most often in the order and the style of the ones before it.
    mutating func event() -> String {
        let model = oneIn(4) ? pick([1, 2]) : 0
        var members: [String] = []
        func add(_ key: String, _ value: String) { members.append(quoted(key) + colon + value) }
        let isPlain = !oneIn(4)
        let colon = isPlain ? ":" : pick([":", ": ", " : ", ":\n\t"])
        func quoted(_ key: String) -> String { "\"\(key)\"" }
        if oneIn(3) { add("type", pick(["\"prediction\"", "\"label\"", "\"features\"", "\"prediction\"", odd()])) }
        if !oneIn(12) {
            add("model", pick([#""fraud""#, #""pets""#, #""a \"name\" with é""#], model))
        }
        if !oneIn(6) { add("version", version()) }
        if !oneIn(5) { add("id", oneIn(15) ? odd() : "\"e\(Int.random(in: 0..<99_999, using: &random))\"") }
        add("ts", oneIn(30) ? odd() : time())
        if !oneIn(8) { add("features", oneIn(40) ? odd() : object(features(model), isPlain)) }
        if !oneIn(8) { add("prediction", oneIn(20) ? odd() : prediction(model, isPlain)) }
        if !oneIn(4) { add("segments", oneIn(40) ? odd() : object(segments(), isPlain)) }
        if oneIn(9) { add("label", oneIn(5) ? odd() : "\"1\"") }
        if oneIn(9) { add(pick(["trace", "x", "m\\u006fdel", "größe"]), odd()) }
        if oneIn(25) { members.append(pick(members)) }
        if oneIn(4) { members.shuffle(using: &random) }
        let comma = isPlain ? "," : pick([",", ", ", " ,\r\n  "])
        return "{" + members.joined(separator: comma) + "}"
    }

    private mutating func pick(_ names: [String], _ model: Int) -> String {
        oneIn(40) ? pick(["\"other\"", "\"fr\\u0061ud\"", odd()]) : names[model]
    }

    private mutating func version() -> String {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: odd()
        case 1: "\"\(Int.random(in: 0..<3_000, using: &random))\""
        case 2: "\(Int.random(in: 0..<20, using: &random))"
        case 3: pick(["\"*\"", "\"\"", "\"v\\u0031\"", "\"(other)\"", "\"a version of many bytes\"", "null"])
        default: "\"\(Int.random(in: 12..<15, using: &random))\""
        }
    }

    private mutating func two(_ range: ClosedRange<Int>) -> String {
        let n = Int.random(in: range, using: &random)
        return n < 10 ? "0\(n)" : "\(n)"
    }

    private mutating func time() -> String {
        if oneIn(10) {
            return pick(["1772366400", "1772366400.25", "1772366400250", "1.7e9", "-1", "0", "1e300", "99999999999"])
        }
        let day = pick([
            "2026-03-01", "2026-03-01", "2026-03-02", "2024-02-29", "2023-02-29", "1969-12-31", "9999-12-31",
        ])
        let clock =
            oneIn(30)
            ? pick(["24:00:00", "12:60:00", "12:00:60", "1a:00:00"]) : "\(two(0...23)):\(two(0...59)):\(two(0...59))"
        let fraction = pick(["", ".250", ".123456", ".1234567", ".123456789", ".", ".5"])
        let zone = pick(["Z", "Z", "Z", "z", "+00:00", "-00:00", "+01:00", "-23:59", "", "+0000", "Zx"])
        let mark = pick(["T", "T", "T", "t", " ", "x"])
        let text = oneIn(3) ? day + mark + clock + fraction + zone : "\(day)T\(clock)\(pick(["", ".250", ".123456"]))Z"
        return "\"\(oneIn(40) ? text.replacing(":", with: "\\u003a") : text)\""
    }

    private mutating func features(_ model: Int) -> [(String, String)] {
        let names =
            switch model {
            case 0: ["amount", "age", "a_rather_long_feature_name", "country", "merchant", "tier"]
            case 1: ["weight", "region"]
            default: ["x"]
            }
        var found: [(String, String)] = []
        for name in names where !oneIn(10) {
            let value =
                switch name {
                case _ where oneIn(12): odd()
                case "country":
                    pick([
                        #""BR""#, #""US""#, #""BR""#, "1", #""São""#, #""Sa\u0303o""#, "\"Sa\u{303}o\"", #""nan""#,
                        "true",
                    ])
                case "merchant":
                    pick([
                        #""grocery""#, #""books+music""#, #""electronics and more""#, #""electronics and less""#,
                        #""-Inf""#,
                    ])
                case "region": segment()
                default: number()
                }
            found.append((name, value))
        }
        if oneIn(6) {
            found.append((pick(["note", "surprise", "another_unknown_name", "région", "\\u0061ge"]), odd()))
        }
        if oneIn(15), !found.isEmpty { found.append((pick(found).0, oneIn(2) ? odd() : number())) }
        if oneIn(6) { found.shuffle(using: &random) }
        return found
    }

    private mutating func segments() -> [(String, String)] {
        var found: [(String, String)] = []
        for name in ["country", "region", "tier", "other"] where !oneIn(4) { found.append((name, segment())) }
        if oneIn(15), !found.isEmpty { found.append((pick(found).0, segment())) }
        if oneIn(6) { found.shuffle(using: &random) }
        return found
    }

    private mutating func segment() -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: odd()
        case 1: "\"region \(Int.random(in: 0..<2_500, using: &random)) of many\""
        case 2: pick(["1", "1.0", "2.50", "1e0", "\"*\"", "\"(other)\"", "\"\"", "\"\\u0042R\"", "-0", "\"eightbyt\""])
        default: pick(["\"BR\"", "\"US\"", "\"south\"", "\"a region known before\"", "\"north-west\""])
        }
    }

    private mutating func prediction(_ model: Int, _ isPlain: Bool) -> String {
        if oneIn(5) { return model == 1 ? pick(["\"cat\"", "\"cow\"", "1.0"]) : number() }
        var members: [(String, String)] = []
        if model != 1 || oneIn(4) { members.append(("score", oneIn(12) ? odd() : number())) }
        if oneIn(5) { members.append(("value", oneIn(6) ? odd() : number())) }
        if oneIn(3) || model == 1 { members.append(("label", pick(["\"cat\"", "\"dog\"", "\"1\"", "1", odd()]))) }
        if oneIn(12) { members.append(("scores", pick([#"{"cat":0.3,"dog":0.7}"#, "{}", odd()]))) }
        if oneIn(12) { members.append(("else", odd())) }
        if oneIn(20), !members.isEmpty { members.append((pick(members).0, number())) }
        if oneIn(4) { members.shuffle(using: &random) }
        return object(members, isPlain)
    }

    private mutating func object(_ members: [(String, String)], _ isPlain: Bool) -> String {
        let colon = isPlain ? ":" : pick([":", ": "])
        let comma = isPlain ? "," : pick([",", ", ", "\n,"])
        let brace = isPlain ? "" : pick(["", " ", "\n    "])
        return "{" + brace + members.map { "\"\($0.0)\"" + colon + $0.1 }.joined(separator: comma) + brace + "}"
    }

    private mutating func number() -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: EventsNumberTests.number(&random)
        case 1: "\(Double.random(in: -1e6...1e6, using: &random))"
        case 2: "\(Int.random(in: -1_000_000_000...1_000_000_000, using: &random))"
        case 3: pick(["0", "-0", "-0.0", "0.0", "1e5", "1E-5", "1e999", "01", "1.", ".5", "-", "00.5", "1.5e", "-01"])
        default: "\(Int.random(in: 0..<1_000, using: &random)).\(Int.random(in: 0..<10_000, using: &random))"
        }
    }

    /// A value of any type and any form.
    private mutating func odd() -> String {
        pick([
            "null", "null", "true", "false", "[]", "{}", "[1,{\"a\":[null]}]", #"{"a":{"b":[1,2,"x"]},"c":"}"}"#, "0",
            "-1.5e3",
            #""""#, #""NaN""#, #""+inf""#, #""text with \"escapes\" and \u00e9""#, #""\ud83d\ude00""#, #""\ud800""#,
            "\"é€😀\"", "\"\u{7f}\"", "\"a\tb\"", "nul", "nulll", "\"open", #""\q""#, "\"1\"",
            "\"a much longer text than eight bytes\"",
            "\"12345678\"", "[1,]", "{\"a\":1,}", "\"prediction\"", "1772366400", "12345678901234567890", "tru",
        ])
    }
}
