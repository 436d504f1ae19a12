import Foundation

/// What an entry of the trail tells of its change. Which members there are depends on the action, and on how old the
/// program was that wrote it.
struct AuditDetail: Decodable {
    struct Move: Decodable, Hashable {
        let alias: String
        let from: String?
        let to: String?
    }

    struct Metric: Decodable {
        let name: String
        let dataset: String
        let value: Double
        /// `nil` where the entry does not tell whether there was one.
        let error: Double??

        private enum Key: String, CodingKey {
            case name, dataset, value
            case error = "standard_error"
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Key.self)
            name = try values.decode(String.self, forKey: .name)
            dataset = try values.decode(String.self, forKey: .dataset)
            value = try values.decode(Double.self, forKey: .value)
            error = values.contains(.error) ? .some(try values.decode(Double?.self, forKey: .error)) : nil
        }
    }

    let from, to, alias, version, source, runID, storage, referencePath, description, gate, decision: String?
    let number: Int64?
    let tags: [String: String?]?
    let moves: [Move]?
    let aliases, versions: [String]?
    let metrics: [Metric]?
    let checks: [GateCheck]?
    let isProtected: Bool?
    let policySHA256, profileSHA256, gateSHA256, dossierSHA256, evidenceSHA256: String?

    private enum CodingKeys: String, CodingKey {
        case from, to, alias, version, source, storage, description, gate, decision, number, tags, moves, aliases,
            versions
        case metrics, checks
        case runID = "run_id"
        case referencePath = "reference_path"
        case isProtected = "protected"
        case policySHA256 = "policy_sha256"
        case profileSHA256 = "sha256"
        case gateSHA256 = "gate_sha256"
        case dossierSHA256 = "dossier_sha256"
        case evidenceSHA256 = "evidence_sha256"
    }

    /// - Parameter decoder: kept by the caller, as there are many entries.
    init(_ entry: AuditEntry, _ decoder: JSONDecoder) throws(RegistryError) {
        do {
            self = try decoder.decode(AuditDetail.self, from: Data(entry.detail.utf8))
        } catch {
            throw RegistryError(
                .unavailable, "entry \(entry.id) of the audit trail cannot be understood: it is of a newer holdfast")
        }
    }
}
