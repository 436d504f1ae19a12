package import Values

/// A model known to the registry.
package struct RegisteredModel: Sendable, Hashable {
    package let name: String
    package let description: String
    package let tags: [String: String]
    package let createdAt: Timestamp
    package let updatedAt: Timestamp
}

/// One immutable version of a model: where its artifact is and what it was trained from.
package struct ModelVersion: Sendable, Hashable {
    package let model: String
    /// The label fleets publish in their events: `14`, `3.2.0`.
    package let version: String
    /// The version as MLflow numbers it: unique within the model, ascending, never used again.
    package let number: Int64
    /// Where the artifact is. Opaque: the registry never opens it.
    package let source: String
    /// The run it was made from: as it was told, else as its source says.
    package let runID: String?
    package let description: String
    package let tags: [String: String]
    /// The reference profile learnt from the version's training data. Opaque here too: whoever opens it confines it
    /// to the folders it may read.
    package let referencePath: String?
    package let createdAt: Timestamp
    /// Rolled away from, and not to be champion again until a person clears it.
    package let isQuarantined: Bool
    /// The aliases that point at the version, in byte order.
    package let aliases: [String]
}

/// Where a version came from, as far as MLflow's clients tell.
package struct VersionOrigin: Sendable, Hashable {
    /// A page about the run, for people.
    package var runLink: String?
    /// The logged model (`m-…`) it was made from.
    package var loggedModel: String?
    package var user = ""
    /// Its source is an address of another server, also where it reads like one of ours.
    package var isElsewhere = false
    /// It is taken over as it was on another server, also where its source is a version that is gone.
    package var mayBeOrphaned = false

    package init(
        runLink: String? = nil, loggedModel: String? = nil, user: String = "", isElsewhere: Bool = false,
        mayBeOrphaned: Bool = false
    ) {
        self.runLink = runLink
        self.loggedModel = loggedModel
        self.user = user
        self.isElsewhere = isElsewhere
        self.mayBeOrphaned = mayBeOrphaned
    }
}

/// A name that points at one version of a model.
package struct Alias: Sendable, Hashable {
    package let alias: String
    package let version: String
    /// The event that moved it last.
    package let sequence: Int64
    package let updatedAt: Timestamp
}

/// One move of an alias. From the first on, they replay to the present aliases.
package struct AliasMove: Sendable, Hashable {
    package let alias: String
    /// `nil` where the alias did not exist before.
    package let from: String?
    /// `nil` where the alias was removed.
    package let to: String?
    package let sequence: Int64
    package let actor: String
    package let reason: String
    /// JSON text.
    package let evidence: String?
    package let at: Timestamp
}

/// Why a version may not become champion.
package struct Quarantine: Sendable, Hashable {
    package let version: String
    package let sequence: Int64
    package let actor: String
    package let reason: String
    /// JSON text.
    package let evidence: String?
    package let at: Timestamp
}

/// One entry of the ordered feed of everything that happened.
package struct RegistryEvent: Sendable, Hashable {
    package let sequence: Int64
    package let model: String
    package let kind: Kind
    /// JSON text.
    package let payload: String
    package let at: Timestamp

    package enum Kind: String, Sendable, CaseIterable {
        case modelRegistered = "model.registered"
        case modelRenamed = "model.renamed"
        case modelChanged = "model.changed"
        case modelDeleted = "model.deleted"
        case versionRegistered = "version.registered"
        case versionChanged = "version.changed"
        case versionDeleted = "version.deleted"
        case aliasSet = "alias.set"
        case aliasDeleted = "alias.deleted"
        case promoted = "champion.promoted"
        case rolledBack = "champion.rolled_back"
        case quarantineCleared = "quarantine.cleared"
        case rollbackRefused = "rollback.refused"
        case rollbackWouldRun = "rollback.would_run"
        case rollbackHeld = "rollback.held"
        case rollbackReleased = "rollback.released"
        case promotionRefused = "promotion.refused"
        case gateForced = "promotion.forced"
        case policySet = "promotion.policy"
        case metricsRecorded = "version.metrics"
        case versionApproved = "version.approved"
        case referenceStored = "version.reference"
        case versionsPurged = "versions.purged"
        /// Of no model.
        case webhookCreated = "webhook.created"
        case webhookChanged = "webhook.changed"
        case webhookDeleted = "webhook.deleted"
    }
}
