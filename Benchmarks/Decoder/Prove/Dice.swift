/// A repeatable source of randomness (SplitMix64; Steele, Lea, Flood 2014): a seed and a count name a corpus.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number from 0 to `bound - 1`. The bias of the multiplication is of no matter here.
    mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    /// True `permille` times in a thousand.
    mutating func chance(_ permille: Int) -> Bool { permille > 0 && below(1_000) < permille }

    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

    mutating func between(_ low: Int, _ high: Int) -> Int { low + below(high - low + 1) }
}
