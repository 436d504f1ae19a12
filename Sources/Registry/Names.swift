/// What names may look like: checked where they enter, so that everything stored can be trusted and every MLflow
/// client can address it in a `models:/name@alias` URI.
enum Names {
    static let lengthMaximum = 250
    static let sourceLengthMaximum = 8_000
    static let tagValueLengthMaximum = 100_000

    static func checkModel(_ name: String) throws(RegistryError) {
        try check(name, "model name")
        if name.contains("/") || name.contains(":") {
            throw RegistryError(.invalid, "model name '\(name)' holds '/' or ':', which model URIs use: choose another")
        }
    }

    /// A version is any text a fleet publishes in its events, except what would read as something else.
    static func checkVersion(_ version: String) throws(RegistryError) {
        try check(version, "version")
        if version == "*" || WarmSet.slots.contains(version) {
            throw RegistryError(
                .invalid, "a version may not be called '\(version)', which has a meaning of its own: choose another")
        }
    }

    /// A plain alias; the three of the warm set move with promotions and rollbacks only.
    static func checkPlainAlias(_ alias: String) throws(RegistryError) {
        try check(alias, "alias")
        if WarmSet.slots.contains(alias) {
            throw RegistryError(
                .refused, "alias '\(alias)' is protected: only promote and rollback move it, use one of them")
        }
        let allowed = alias.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard allowed else {
            throw RegistryError(.invalid, "alias '\(alias)' may hold only letters, digits, '_' and '-'")
        }
        // MLflow reserves both: `latest` is computed and `v1` would read as a version number.
        let digits = alias.dropFirst().utf8
        let isNumber = !digits.isEmpty && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        if alias.lowercased() == "latest" || (isNumber && alias.lowercased().hasPrefix("v")) {
            throw RegistryError(.invalid, "alias '\(alias)' is reserved: choose another")
        }
    }

    static func checkActor(_ actor: String) throws(RegistryError) {
        try check(actor, "actor")
    }

    static func checkSource(_ source: String) throws(RegistryError) {
        try check(source, "source", maximum: sourceLengthMaximum)
    }

    static func checkTags(_ tags: [String: String]) throws(RegistryError) {
        for (key, value) in tags {
            try check(key, "tag key")
            guard value.utf8.count <= tagValueLengthMaximum else {
                throw RegistryError(.invalid, "tag '\(key)' is longer than \(tagValueLengthMaximum) bytes: shorten it")
            }
        }
    }

    static func check(_ text: String, _ what: String, maximum: Int = lengthMaximum) throws(RegistryError) {
        guard !text.isEmpty else { throw RegistryError(.invalid, "\(what) is empty: give one") }
        guard text.utf8.count <= maximum else {
            throw RegistryError(.invalid, "\(what) is longer than \(maximum) bytes: shorten it")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw RegistryError(.invalid, "\(what) holds control characters: remove them")
        }
    }

    /// Who an actor is, whatever door they came through and whatever they called themselves there: `ann` of `http:ann as bob`.
    static func person(_ actor: String) -> String {
        let door = ["http:", "mlflow:"].first { actor.hasPrefix($0) } ?? ""
        let name = actor.dropFirst(door.count)
        return door.isEmpty ? String(name) : String(name.split(separator: " as ", maxSplits: 1).first ?? name)
    }
}
