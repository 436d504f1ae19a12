/// The tables of the rollback controller, the gates and the fleet.
extension Schema {
    /// `rollback_hold`: the empty model name stands for every model. `promotion` is append-only like every other
    /// record of what was decided. `fleet_member` is what instances said last, not history.
    static let control = """
        ALTER TABLE decision ADD COLUMN verdict TEXT;
        ALTER TABLE decision ADD COLUMN dossier TEXT CHECK (dossier IS NULL OR json_valid(dossier));
        ALTER TABLE model_version ADD COLUMN purged_at INTEGER;
        CREATE TABLE rollback_hold (
            model TEXT PRIMARY KEY,
            actor TEXT NOT NULL,
            reason TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE version_metric (
            version_id INTEGER NOT NULL REFERENCES model_version(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            dataset TEXT NOT NULL,
            value REAL NOT NULL,
            standard_error REAL,
            at INTEGER NOT NULL,
            PRIMARY KEY (version_id, name, dataset)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE promotion_policy (
            model TEXT PRIMARY KEY,
            policy TEXT NOT NULL CHECK (json_valid(policy))
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE approval (
            version_id INTEGER NOT NULL REFERENCES model_version(id) ON DELETE CASCADE,
            approver TEXT NOT NULL,
            reason TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (version_id, approver)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE promotion (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            model TEXT NOT NULL,
            version TEXT NOT NULL,
            outcome TEXT NOT NULL,
            checks TEXT NOT NULL CHECK (json_valid(checks)),
            actor TEXT NOT NULL,
            seq INTEGER NOT NULL,
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX promotion_by_model ON promotion (model, id);
        CREATE TRIGGER promotion_no_update BEFORE UPDATE ON promotion
        BEGIN SELECT RAISE(ABORT, 'promotion is append-only'); END;
        CREATE TRIGGER promotion_no_delete BEFORE DELETE ON promotion
        BEGIN SELECT RAISE(ABORT, 'promotion is append-only'); END;
        CREATE TABLE version_reference (
            version_id INTEGER PRIMARY KEY REFERENCES model_version(id) ON DELETE CASCADE,
            profile BLOB NOT NULL,
            sha256 TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE fleet_member (
            model_id INTEGER NOT NULL REFERENCES registered_model(id) ON DELETE CASCADE,
            instance TEXT NOT NULL,
            loaded TEXT NOT NULL CHECK (json_valid(loaded)),
            active TEXT,
            at INTEGER NOT NULL,
            PRIMARY KEY (model_id, instance)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE feed_cursor (
            consumer TEXT PRIMARY KEY,
            seq INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
