import Foundation
import Values

/// The events of the demo's scoring fleet: a made-up card-fraud model. Version 14 has a bug: for Brazilian cards it is fed the amount
/// in cents, so its scores there are wrong as well.
struct DemoTraffic {
    static let model = "fraud"
    static let good = "13"
    static let bad = "14"

    /// SplitMix64: the same demo every time.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    private var generator: Generator
    private var sequence = 0

    init(seed: UInt64) { generator = Generator(state: seed) }

    private mutating func uniform() -> Double { Double.random(in: 0..<1, using: &generator) }

    private mutating func normal() -> Double {
        // Box and Muller (1958); 1 − u keeps the logarithm finite.
        (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
    }

    private mutating func pick<T>(_ choices: [(T, Double)]) -> T {
        var u = uniform() * choices.reduce(0) { $0 + $1.1 }
        for (value, weight) in choices {
            u -= weight
            if u < 0 { return value }
        }
        return choices[choices.count - 1].0
    }

    /// One prediction, as the fleet publishes it.
    mutating func event(at time: Timestamp, version: String) -> [UInt8] {
        sequence += 1
        let country = pick([("US", 0.34), ("BR", 0.22), ("DE", 0.16), ("MX", 0.14), ("IN", 0.14)])
        let device = pick([("ios", 0.38), ("android", 0.42), ("web", 0.2)])
        let merchant = pick([
            ("grocery", 0.34), ("travel", 0.14), ("electronics", 0.2), ("fashion", 0.22), ("gaming", 0.1),
        ])
        let base = merchant == "travel" ? 4.6 : merchant == "electronics" ? 4.2 : 3.2
        let amount = (exp(base + 0.7 * normal()) * 100).rounded() / 100
        let age = (abs(normal()) * 900).rounded()
        let velocity = Double(pick([(0, 0.55), (1, 0.25), (2, 0.12), (3, 0.05), (6, 0.03)]))
        let ipRisk = (pow(uniform(), 2.2) * 1_000).rounded() / 1_000
        // What the model is fed: in version 14 cents for Brazil.
        let fed = version == Self.bad && country == "BR" ? amount * 100 : amount
        let logit =
            -3.4 + 0.55 * log(max(fed, 0.01)) / 2 + 0.35 * velocity + 2.1 * ipRisk - 0.0006 * age + 0.4 * normal()
        let score = (1 / (1 + exp(-logit)) * 1e4).rounded() / 1e4
        let missing = uniform() < 0.03
        let features = JSON.members(
            ("amount", .number(fed)), ("account_age_days", .number(age)), ("txn_24h", .number(velocity)),
            ("ip_risk", .number(ipRisk)), ("email_age_days", missing ? .null : .number((uniform() * 2_000).rounded())),
            ("merchant", .string(merchant)), ("channel", .string(device == "web" ? "browser" : "app")))
        return JSON.members(
            ("type", "prediction"), ("model", .string(Self.model)), ("version", .string(version)),
            ("id", .string("tx-\(sequence)")), ("ts", .time(time)), ("features", features),
            ("prediction", .members(("score", .number(score)), ("label", .string(score > 0.5 ? "1" : "0")))),
            ("segments", .members(("country", .string(country)), ("device", .string(device))))
        ).bytes
    }
}
