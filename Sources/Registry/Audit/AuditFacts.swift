/// What is so of the registry, as statements about subjects: the audit trail comes to some when it is played again, the
/// tables say others, and both must be the same.
struct AuditFacts {
    /// One thing that can be looked up in a table.
    struct Subject: Hashable {
        enum Kind: String {
            case model, version, description, source, storage, tag, metric, approval, quarantine, alias, move, policy
            case hold, gate, decision, protection
            case run = "run id"
            case error = "standard error of metric"
            case profile = "reference profile"
            case path = "reference path"
        }

        var kind: Kind
        /// The model's place in the order of registration, as names change; `nil` for what is kept by name.
        var model: Int?
        /// A version's label.
        var version: String?
        var key: String?
    }

    enum Value: Hashable {
        case known(String)
        case absent
        /// The trail does not tell, being of an older program.
        case any
    }

    private(set) var all: [Subject: (value: Value, sequence: Int64)] = [:]

    subscript(_ subject: Subject) -> Value { all[subject]?.value ?? .absent }

    mutating func set(_ subject: Subject, _ value: Value, at sequence: Int64) {
        all[subject] = (value, sequence)
    }

    mutating func set(_ subject: Subject, _ text: String?, at sequence: Int64) {
        set(subject, text.map { .known($0) } ?? .absent, at: sequence)
    }

    /// All subjects of a kind about a version are gone.
    mutating func clear(_ kinds: Set<Subject.Kind>, model: Int, version: String, at sequence: Int64) {
        for subject in all.keys
        where subject.model == model && subject.version == version && kinds.contains(subject.kind) {
            set(subject, .absent, at: sequence)
        }
    }
}

extension AuditFacts.Subject {
    /// - Parameter names: of the models, by their place.
    func text(_ names: [String]) -> String {
        var text = kind.rawValue
        if let key { text += " '\(key)'" }
        if kind == .version, let version { return "version '\(version)' of '\(name(names))'" }
        if kind == .model { return "model '\(name(names))'" }
        if let version { text += " of version '\(version)'" }
        if model != nil { text += " of '\(name(names))'" }
        return text
    }

    private func name(_ names: [String]) -> String {
        model.flatMap { names.indices.contains($0) ? names[$0] : nil } ?? "?"
    }
}
