/// The most of each thing that one request may hold, as MLflow's own server has it.
enum Limit {
    static let metricsPerBatch = 1_000
    static let paramsPerBatch = 100
    static let tagsPerBatch = 100
    static let entitiesPerBatch = 1_000
    static let key = 250
    static let param = 6_000
    static let tag = 8_000
    static let experimentName = 500
    static let experimentTag = 20_000
    static let registryTag = 100_000
    static let alias = 255
    static let datasetName = 500
    static let datasetDigest = 36
    static let datasetSource = 65_535
    static let datasetSchema = 1_048_575
    static let datasetProfile = 16_777_215
    static let inputTagKey = 255
    static let inputTagValue = 500
    static let history = 25_000
    static let filter = 16_384
    static let clauses = 64
}

/// What names may look like: what MLflow's clients check before they send, said in the same words.
enum Check {
    /// Keys of metrics, params and tags.
    static func key(_ key: String, _ name: @autoclosure () -> String = "key") throws(MLflowError) {
        guard !key.isEmpty else { throw .invalid("Missing value for required parameter '\(name())'.") }
        // Nearly all keys are plain; asking Unicode about each character takes longer than storing the metric.
        let isPlain = key.utf8.allSatisfy {
            ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ":")
        }
        if isPlain, key.utf8.count <= Limit.key { return }
        let what = name()
        let allowed = key.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || $0.properties.numericType != nil || "_-. :/".unicodeScalars.contains($0)
        }
        guard allowed else {
            throw .invalid(
                "Invalid value \"\(key)\" for parameter '\(what)' supplied: Names may only contain alphanumerics, "
                    + "underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).")
        }
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw .invalid(
                "Invalid value \"\(key)\" for parameter '\(what)' supplied: Names may be treated as files in certain "
                    + "cases, and must not resolve to other names when treated as such.")
        }
        try length(key, Limit.key, what)
    }

    static func length(_ text: String, _ maximum: Int, _ what: String) throws(MLflowError) {
        guard text.utf8.count > maximum, text.unicodeScalars.count > maximum else { return }
        throw .invalid("'\(what)' exceeds the maximum length of \(maximum) characters")
    }

    /// The server cuts long values of params and tags as MLflow's does.
    static func cut(_ text: String, _ maximum: Int) -> String {
        text.utf8.count <= maximum ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(maximum)))
    }

    static func model(_ name: String) throws(MLflowError) {
        guard name.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
            throw .invalid("Missing value for required parameter 'name'.")
        }
        guard !name.contains("/"), !name.contains(":") else {
            throw .invalid("Invalid model name '\(name)'. Names cannot contain '/' or ':'.")
        }
        guard name != ".", name != ".." else {
            throw .invalid("Invalid value \"\(name)\" for parameter 'name' supplied.")
        }
    }

    static func alias(_ alias: String) throws(MLflowError) {
        guard !alias.isEmpty else { throw .invalid("Registered model alias name cannot be empty.") }
        let allowed = alias.unicodeScalars.allSatisfy {
            ($0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)) || $0 == "_" || $0 == "-"
        }
        guard allowed else {
            throw .invalid(
                "Invalid alias name: '\(alias)'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
            )
        }
        try length(alias, Limit.alias, "Registered model alias name")
    }

    static func aliasIsFree(_ alias: String) throws(MLflowError) {
        if alias.lowercased() == "latest" {
            throw .invalid("'latest' alias name (case insensitive) is reserved.")
        }
        let digits = alias.dropFirst()
        if alias.lowercased().hasPrefix("v"), !digits.isEmpty, digits.allSatisfy(\.isNumber) {
            throw .invalid("Version alias name '\(alias)' is reserved.")
        }
    }
}
