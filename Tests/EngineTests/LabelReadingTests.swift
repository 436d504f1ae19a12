import Events
import TestSupport
import Testing
import Values

/// What can be a label, and what is refused with its reason.
struct LabelReadingTests {
    private static func schema(_ name: String, _ outcome: OutcomeKind) -> ModelSchema {
        ModelSchema(
            model: name, columns: [.init(name: "prediction", kind: .numeric)], dimensions: [], outcome: outcome)
    }

    private static let schemas = [
        schema("fraud", .positive(LabelVocabulary(positives: ["1", "true", "True"]))),
        schema("loan", .positive(LabelVocabulary(positives: ["default"], others: ["default", "paid"]))),
        schema("pets", .classes), schema("price", .numbers),
    ]

    /// The class or number that labels and predictions have, or the reason they were refused for, both ways.
    private static func read(_ model: String, _ label: String, prediction: Bool = false) -> [String] {
        let message = Array(
            #"{"model":"\#(model)","id":"a","ts":"2026-03-01T12:00:00Z",\#(prediction ? #""prediction":0.5,"# : "")"label":\#(label)}"#
                .utf8)
        return [true, false].map { isFast in
            var decoder = EventDecoder(Self.schemas, isFast: isFast)
            var found = ""
            message.withUnsafeBytes {
                decoder.decode($0, defaults: TopicDefaults(), now: nil) {
                    found = "\($0.reason.rawValue): \($0.detail)"
                }
            }
            for batch in decoder.batches {
                guard let outcomes = batch.outcomes else { continue }
                let values = outcomes.labels.map(\.value) + outcomes.predictions.map(\.label)
                if let value = values.first, !value.isNaN {
                    found += outcomes.kind == .numbers ? "\(value)" : outcomes.className(Int32(value))
                }
            }
            return found
        }
    }

    @Test(
        arguments: [
            ("fraud", "1", "1"), ("fraud", "1.0", "1"), ("fraud", #""1.0""#, "1.0"), ("fraud", "true", "true"),
            ("fraud", #""False""#, "False"), ("fraud", "0", "0"), ("fraud", "2", "2"), ("fraud", "-1", "-1"),
            ("loan", #""default""#, "default"), ("loan", #""paid""#, "paid"), ("pets", #""cat""#, "cat"),
            ("pets", "3", "3"), ("price", "-12.5", "-12.5"),
        ])
    func `a label that a model can have is read`(model: String, label: String, expected: String) {
        #expect(Self.read(model, label) == [expected, expected])
        #expect(Self.read(model, label, prediction: true) == [expected, expected], "beside its prediction")
    }

    private static let classes = "and this model's are classes: a text, a number or a boolean"

    @Test(
        arguments: [
            ("fraud", #"{"y":1}"#, "label has a type that a label cannot have, \(classes)"),
            ("fraud", "[1]", "label has a type that a label cannot have, \(classes)"),
            ("fraud", #""""#, "label is an empty text, \(classes)"), ("fraud", #""NaN""#, "label 'NaN' names no class"),
            (
                "fraud", #""fraud""#,
                "label 'fraud' is neither the positive class (1) nor a number; the model's `positive` names the class that counts"
            ),
            (
                "loan", #""pending""#,
                "label 'pending' is neither the positive class (default) nor another class of the reference (paid); the model's "
                    + "`positive` names the class that counts"
            ),
            ("pets", "{}", "label has a type that a label cannot have, \(classes)"),
            ("price", "true", "label 'true' is no number, and this model's are numbers"),
            ("price", #""12.5""#, "label '12.5' is no number, and this model's are numbers"),
            ("price", "[1]", "label has a type that a label cannot have, and this model's are numbers"),
            ("price", "1e999", "label is no finite number"),
        ])
    func `a label that a model cannot have is refused, and says why`(model: String, label: String, detail: String) {
        #expect(Self.read(model, label) == ["bad_label: \(detail)", "bad_label: \(detail)"])
        #expect(
            Self.read(model, label, prediction: true) == ["bad_label: \(detail)", "bad_label: \(detail)"],
            "beside its prediction")
    }

    @Test func `a label that is null says so`() {
        let refused = Self.read("fraud", "null")
        #expect(refused == Array(repeating: "no_prediction: \(Self.nothing)", count: 2))
        #expect(Self.read("fraud", "null", prediction: true) == ["", ""], "a prediction without a label yet")
    }

    private static let nothing = "neither prediction nor features nor label: they are missing or null"

    @Test func `words that are refused take no room from classes`() {
        var decoder = EventDecoder(Self.schemas)
        var refused = 0
        for i in 0..<3_000 {
            let message = Array(#"{"model":"loan","id":"a","ts":0,"label":"w\#(i)"}"#.utf8)
            message.withUnsafeBytes { decoder.decode($0, defaults: TopicDefaults(), now: nil) { _ in refused += 1 } }
        }
        let last = Array(#"{"model":"loan","id":"a","ts":0,"label":"default"}"#.utf8)
        last.withUnsafeBytes { decoder.decode($0, defaults: TopicDefaults(), now: nil) { _ in refused += 1 } }
        #expect(refused == 3_000 && decoder.batches[1].outcomes?.classNames == ["default"])
    }

    @Test func `classes are compared by what they mean`() {
        let fraud = LabelVocabulary(positives: ["1"])
        #expect(["1", "1.0", "true", "True", "1e0", "+1"].allSatisfy { fraud.isPositive($0) })
        #expect(["0", "false", "2", "", "yes", "nan"].allSatisfy { !fraud.isPositive($0) })
        #expect(LabelVocabulary(positives: ["yes"]).accepts("maybe"), "nobody knows what others there are")
        #expect(!LabelVocabulary(positives: ["yes"], others: ["no"]).accepts("maybe"))
        #expect(LabelVocabulary(positives: ["true"], others: ["0"]).accepts("false"))
    }
}
