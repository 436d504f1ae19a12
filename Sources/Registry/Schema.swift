import GRDB

/// The tables, as named migrations that are never edited once released: a change of the schema is a new one.
///
/// Times are microseconds since 1970 (`Timestamp`). What the past was (`alias_history`, `event`, `audit`) is
/// append-only, and triggers keep it so against our own mistakes; the hash chain of `audit` shows everybody else's.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 models and versions") { try $0.execute(sql: models) }
        migrator.registerMigration("2 aliases and their history") { try $0.execute(sql: aliases) }
        migrator.registerMigration("3 events and decisions") { try $0.execute(sql: events) }
        migrator.registerMigration("4 audit trail") { try $0.execute(sql: audit) }
        migrator.registerMigration("5 rollback control, gates and fleet") { try $0.execute(sql: control) }
        TrackingSchema.register(in: &migrator)
        return migrator
    }

    /// Versions are deleted softly and their rows stay, which is why neither numbers nor labels are ever used again.
    private static let models = """
        CREATE TABLE registered_model (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL DEFAULT '',
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE registered_model_tag (
            model_id INTEGER NOT NULL REFERENCES registered_model(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model_id, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE model_version (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            model_id INTEGER NOT NULL REFERENCES registered_model(id),
            number INTEGER NOT NULL CHECK (number > 0),
            version TEXT NOT NULL,
            source TEXT NOT NULL,
            run_id TEXT,
            description TEXT NOT NULL DEFAULT '',
            reference_path TEXT,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            deleted_at INTEGER,
            UNIQUE (model_id, number),
            UNIQUE (model_id, version)
        ) STRICT;
        CREATE TABLE model_version_tag (
            version_id INTEGER NOT NULL REFERENCES model_version(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (version_id, key)
        ) STRICT, WITHOUT ROWID;
        """

    private static let aliases = """
        CREATE TABLE alias (
            model_id INTEGER NOT NULL REFERENCES registered_model(id),
            alias TEXT NOT NULL,
            version_id INTEGER NOT NULL REFERENCES model_version(id),
            seq INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (model_id, alias)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX alias_by_version ON alias (version_id);
        CREATE TABLE alias_history (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            model_id INTEGER NOT NULL REFERENCES registered_model(id),
            alias TEXT NOT NULL,
            from_version_id INTEGER REFERENCES model_version(id),
            to_version_id INTEGER REFERENCES model_version(id),
            seq INTEGER NOT NULL,
            actor TEXT NOT NULL,
            reason TEXT NOT NULL,
            evidence TEXT CHECK (evidence IS NULL OR json_valid(evidence)),
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX alias_history_by_alias ON alias_history (model_id, alias, id);
        CREATE TRIGGER alias_history_no_update BEFORE UPDATE ON alias_history
        BEGIN SELECT RAISE(ABORT, 'alias_history is append-only'); END;
        CREATE TRIGGER alias_history_no_delete BEFORE DELETE ON alias_history
        BEGIN SELECT RAISE(ABORT, 'alias_history is append-only'); END;
        CREATE TABLE quarantine (
            version_id INTEGER PRIMARY KEY REFERENCES model_version(id),
            model_id INTEGER NOT NULL REFERENCES registered_model(id),
            seq INTEGER NOT NULL,
            actor TEXT NOT NULL,
            reason TEXT NOT NULL,
            evidence TEXT CHECK (evidence IS NULL OR json_valid(evidence)),
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX quarantine_by_model ON quarantine (model_id);
        """

    /// `event` is the ordered feed that fleets, webhooks and streams read; `decision` is what makes an automatic
    /// rollback happen at most once per key. Both name models as text: they tell what was, also of renamed models.
    private static let events = """
        CREATE TABLE event (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            model TEXT NOT NULL,
            kind TEXT NOT NULL,
            payload TEXT NOT NULL CHECK (json_valid(payload)),
            at INTEGER NOT NULL
        ) STRICT;
        CREATE TRIGGER event_no_update BEFORE UPDATE ON event
        BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
        CREATE TABLE decision (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            idempotency_key TEXT NOT NULL UNIQUE,
            model_id INTEGER REFERENCES registered_model(id) ON DELETE SET NULL,
            model TEXT NOT NULL,
            judged_version TEXT NOT NULL,
            target TEXT NOT NULL,
            mode TEXT NOT NULL,
            outcome TEXT NOT NULL,
            reason TEXT NOT NULL,
            from_version TEXT,
            to_version TEXT,
            evidence TEXT NOT NULL CHECK (json_valid(evidence)),
            seq INTEGER NOT NULL,
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX decision_by_model ON decision (model_id, outcome, at);
        CREATE INDEX decision_by_name ON decision (model, id);
        """

    private static let audit = """
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            seq INTEGER NOT NULL,
            model TEXT NOT NULL,
            action TEXT NOT NULL,
            actor TEXT NOT NULL,
            reason TEXT NOT NULL,
            detail TEXT NOT NULL CHECK (json_valid(detail)),
            at INTEGER NOT NULL,
            previous_hash TEXT NOT NULL,
            hash TEXT NOT NULL
        ) STRICT;
        CREATE INDEX audit_by_model ON audit (model, id);
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
        """
}
