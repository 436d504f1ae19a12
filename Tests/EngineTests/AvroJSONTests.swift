import Events
import TestSupport
import Testing
import Values

/// An event means the same, whichever format it comes in.
struct AvroJSONTests {
    /// One event as a list of fields, in the order the Avro record has them, and as JSON.
    struct Twin {
        var fields: [(String, AvroType)] = []
        var values: [AvroValue] = []
        /// JSON members; a flat record has its features together here.
        var members: [String] = []

        mutating func add(_ name: String, _ item: AvroItem, _ random: inout SeededGenerator) {
            let (type, value) = item.wrapped(name, &random)
            add(name, type, value, item.json)
        }

        mutating func add(_ name: String, _ type: AvroType, _ value: AvroValue, _ json: String) {
            fields.append((name, type))
            values.append(value)
            members.append("\(JSON.string(name).text):\(json)")
        }

        var type: AvroType { .record("Event", fields) }
        var value: AvroValue { .record(values) }
        var json: String { "{" + members.joined(separator: ",") + "}" }
    }

    private static let featureNames = ["amount", "country", "device", "note", "region", "surprise", "other_key"]

    private static func twin(_ random: inout SeededGenerator) -> Twin {
        var twin = Twin()
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
        var parts = ["model", "ts", "features", "prediction", "segments", "type", "version", "id", "label"]
        parts.shuffle(using: &random)
        let isFlat = chance(30)
        var flat: [(String, AvroItem)] = []
        for part in parts {
            switch part {
            case "model":
                let models: [AvroItem] = [.string("fraud"), .string("pets"), .string("nobody"), .null, .symbol(4)]
                if chance(90) {
                    twin.add(part, chance(85) ? models[0] : models.randomElement(using: &random) ?? .null, &random)
                }
            case "ts":
                let times: [AvroItem] = [
                    .long(1_772_366_400_250), .double(1_772_366_400.25), .string("2026-03-01T12:00:00.25Z"),
                    .int(1_772_366_400), .long(.random(in: 0..<253_402_300_800_000, using: &random)),
                ]
                let odd: [AvroItem] = [.string("soon"), .long(.max)]
                let time = (chance(97) ? times : odd).randomElement(using: &random) ?? .null
                twin.add(part, time, &random)
            case "features":
                if isFlat {
                    for name in featureNames.shuffled(using: &random) where chance(70) {
                        let item = AvroItem.random(&random)
                        flat.append((name, item))
                        let (type, value) = item.wrapped(name, &random)
                        twin.fields.append((name, type))
                        twin.values.append(value)
                    }
                } else if chance(85) {
                    addMembers(part, featureNames, &twin, &random)
                }
            case "segments": if chance(60) { addMembers(part, ["region", "country", "unused"], &twin, &random) }
            case "prediction": if chance(80) { addPrediction(&twin, &random) }
            case "type":
                let kinds: [AvroItem] = [
                    .string("prediction"), .string("features"), .null, .symbol(4), .string("label"),
                ]
                if chance(40) {
                    twin.add(part, chance(97) ? kinds.randomElement(using: &random) ?? .null : .string("vote"), &random)
                }
            case "label": if chance(20) { twin.add(part, AvroItem.random(&random), &random) }
            default:
                let item = AvroItem.scalar(&random)
                if case .boolean = item { continue }
                // JSON keeps the spelling of a fraction in a version.
                let spelled: AvroItem =
                    switch item {
                    case .double, .float, .decimal: .string("7")
                    default: item
                    }
                if chance(70) { twin.add(part, spelled, &random) }
            }
        }
        if !flat.isEmpty { twin.members.append("\"features\":" + AvroItem.object(flat)) }
        return twin
    }

    private static func addMembers(
        _ part: String, _ names: [String], _ twin: inout Twin, _ random: inout SeededGenerator
    ) {
        let chosen = names.shuffled(using: &random).filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
        let items = chosen.map { ($0, AvroItem.random(&random)) }
        switch Int.random(in: 0..<20, using: &random) {
        case 0: twin.add(part, .optional(.map(.string)), .branch(0, .null), "null")
        case 1..<8:
            let any = items.map { ($0.0, $0.1.any) }
            twin.add(
                part, .map(AvroItem.anyType), .map(any.map { ($0.0, $0.1.value) }),
                AvroItem.object(any.map { ($0.0, $0.1.item) }))
        default:
            let wrapped = items.enumerated().map {
                ($0.element.0, $0.element.1.wrapped("\(part)\($0.offset)", &random))
            }
            twin.add(
                part, .record("Part_\(part)", wrapped.map { ($0.0, $0.1.type) }), .record(wrapped.map(\.1.value)),
                AvroItem.object(items))
        }
    }

    private static func addPrediction(_ twin: inout Twin, _ random: inout SeededGenerator) {
        let scores: [(String, AvroItem)] = [
            ("cat", .double(.random(in: 0...1, using: &random))), ("dog", .float(.random(in: 0...1, using: &random))),
            ("1", .int(0)), ("odd", .string("9")),
        ]
        let outputs: [(String, AvroItem)] = [
            ("score", AvroItem.scalar(&random)), ("value", .double(0.5)), ("label", AvroItem.scalar(&random)),
            ("scores", .object(scores.shuffled(using: &random))), ("extra", AvroItem.random(&random)),
        ]
        var chosen = outputs.shuffled(using: &random).filter { _ in Bool.random(using: &random) }
        // A null leaves the next output to count in Avro, where fields cannot be left out: not so in JSON.
        chosen.removeAll { if case .null = $0.1 { true } else { false } }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: twin.add("prediction", .double(.random(in: 0...1, using: &random)), &random)
        case 1: twin.add("prediction", AvroItem.scalar(&random), &random)
        case 2:
            chosen.removeAll { $0.0 == "scores" }
            let any = chosen.map { ($0.0, $0.1.any) }
            twin.add(
                "prediction", .map(AvroItem.anyType), .map(any.map { ($0.0, $0.1.value) }),
                AvroItem.object(any.map { ($0.0, $0.1.item) }))
        default: twin.add("prediction", .object(chosen), &random)
        }
    }

    @Test func `an event fills the same row as JSON and as Avro, and joins the same label`() {
        var random = SeededGenerator(seed: 31)
        var avro = EventFixture()
        var json = EventFixture()
        var rows = 0
        var refused = 0
        var outcomes = 0
        for round in 0..<8_000 {
            // JSON also numbers values that another one overrides, so that it would reach the limit of values sooner.
            if round % 300 == 0 { (avro, json) = (EventFixture(), EventFixture()) }
            let twin = Self.twin(&random)
            avro.setSchema(7, twin.type)
            let message = AvroWriter.message(
                7, twin.value, twin.type, blockSize: round % 3 + 1, statesSizes: round % 2 == 0)
            let model = round % 5 == 0 ? "pets" : "fraud"
            let version = round % 7 == 0 ? nil : "9"
            let counts = json.counts
            #expect(avro.decodeAvro(message, model: model, version: version) == .done)
            json.decode(twin.json, model: model, version: version)
            let place: Comment = "seed \(random.seed) round \(round): \(twin.json) \(twin.type.json.text)"
            // Where no value of a field could do, the schema is to blame.
            let refusals = zip(avro.rejections, json.rejections).suffix(1).allSatisfy {
                $0.reason == .badSchema || $0.reason == $1.reason && $0.detail == $1.detail
            }
            #expect(avro.counts == json.counts && refusals, place)
            for i in 0..<2 where json.decoder.batches[i].count > 0 && avro.decoder.batches[i].count > 0 {
                #expect(avro.words(model: i, row: 0) == json.words(model: i, row: 0), place)
                rows += 1
            }
            for i in 0..<2 {
                #expect(avro.outcomes(model: i) == json.outcomes(model: i), place)
                outcomes += json.outcomes(model: i).count
            }
            guard avro.counts == json.counts else { return }
            if json.counts[2] > counts[2] { refused += 1 }
            for i in 0..<2 {
                avro.decoder.removeAll(model: i)
                json.decoder.removeAll(model: i)
            }
        }
        #expect(rows > 5_000 && refused > 200 && outcomes > 3_000, "\(rows) \(refused) \(outcomes)")
    }
}
