import GRDB

/// The tables of tracking and artifacts, and what MLflow's API needs beside the registry's own. Module `MLflow` reads and
/// writes them; they are in the registry's file, so that a run, the version made from it and the alias that serves it are
/// one record. Times are milliseconds since 1970, as MLflow's clients send them.
enum TrackingSchema {
    static func register(in migrator: inout DatabaseMigrator) {
        migrator.registerMigration("tracking 1 experiments and runs") { try $0.execute(sql: runs) }
        migrator.registerMigration("tracking 2 metrics") { try $0.execute(sql: metrics) }
        migrator.registerMigration("tracking 3 inputs and logged models") { try $0.execute(sql: models) }
        migrator.registerMigration("tracking 4 artifacts") { try $0.execute(sql: artifacts) }
        migrator.registerMigration("tracking 5 models as MLflow has them") { try $0.execute(sql: registered) }
        migrator.registerMigration("tracking 6 imports") { try $0.execute(sql: imports) }
        migrator.registerMigration("tracking 7 where versions are kept") { db in
            try db.execute(
                sql: """
                    ALTER TABLE model_version ADD COLUMN location TEXT;
                    CREATE INDEX model_version_by_location ON model_version (location);
                    CREATE INDEX alias_history_by_event ON alias_history (seq);
                    """)
            for row in try Row.fetchAll(db, sql: "SELECT id, source FROM model_version") {
                let (id, source): (Int64, String) = (row[0], row[1])
                try db.execute(
                    sql: "UPDATE model_version SET location = ? WHERE id = ?",
                    arguments: [try ArtifactLocation.kept(source, db), id])
            }
        }
        migrator.registerMigration("tracking 8 what stays of sources and of finished models") {
            try $0.execute(
                sql: """
                    ALTER TABLE model_version ADD COLUMN storage TEXT;
                    ALTER TABLE logged_model ADD COLUMN ready_at INTEGER;
                    UPDATE logged_model SET ready_at = updated_at WHERE status = 'LOGGED_MODEL_READY';
                    """)
        }
        migrator.registerMigration("tracking 9 webhooks of clients") { try $0.execute(sql: webhooks) }
        migrator.registerMigration("tracking 10 what versions are made from", migrate: VersionSource.migrate)
        migrator.registerMigration("tracking 11 names that champions had") { try $0.execute(sql: names) }
        // `sealed` takes the place of `secret`; what is there is sealed once a key is at hand.
        migrator.registerMigration("tracking 12 sealed secrets of webhooks") {
            try $0.execute(sql: "ALTER TABLE webhook ADD COLUMN sealed TEXT")
        }
    }

    /// Experiment 0 is there from the start, and AUTOINCREMENT counts on from it: a number is never used again.
    private static let runs = """
        CREATE TABLE experiment (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            artifact_location TEXT NOT NULL,
            lifecycle TEXT NOT NULL DEFAULT 'active' CHECK (lifecycle IN ('active', 'deleted')),
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT;
        INSERT INTO experiment (id, name, artifact_location, created_at, updated_at)
        VALUES (0, 'Default', 'mlflow-artifacts:/0', unixepoch() * 1000, unixepoch() * 1000);
        CREATE TABLE experiment_tag (
            experiment_id INTEGER NOT NULL REFERENCES experiment(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (experiment_id, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE run (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            experiment_id INTEGER NOT NULL REFERENCES experiment(id),
            name TEXT NOT NULL,
            user_id TEXT NOT NULL,
            status TEXT NOT NULL,
            start_time INTEGER,
            end_time INTEGER,
            lifecycle TEXT NOT NULL DEFAULT 'active' CHECK (lifecycle IN ('active', 'deleted')),
            deleted_at INTEGER,
            artifact_uri TEXT NOT NULL
        ) STRICT;
        CREATE INDEX run_by_start ON run (experiment_id, start_time DESC, uuid);
        CREATE TABLE run_tag (
            run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run_id, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX run_tag_by_value ON run_tag (key, value);
        CREATE TABLE param (
            run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run_id, key)
        ) STRICT, WITHOUT ROWID;
        """

    /// A metric's key holds all of it, so that a client that sends one again adds nothing. NaN is value 0 with `is_nan`,
    /// because SQLite keeps no NaN. `latest_metric` has what a search looks at: the last value by step, time and value.
    private static let metrics = """
        CREATE TABLE metric (
            run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            timestamp INTEGER NOT NULL,
            step INTEGER NOT NULL,
            value REAL NOT NULL,
            is_nan INTEGER NOT NULL,
            PRIMARY KEY (run_id, key, timestamp, step, value, is_nan)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE latest_metric (
            run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value REAL NOT NULL,
            is_nan INTEGER NOT NULL,
            timestamp INTEGER NOT NULL,
            step INTEGER NOT NULL,
            PRIMARY KEY (run_id, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX latest_metric_by_value ON latest_metric (key, is_nan, value);
        """

    private static let models = """
        CREATE TABLE dataset (
            id INTEGER PRIMARY KEY,
            experiment_id INTEGER NOT NULL REFERENCES experiment(id),
            name TEXT NOT NULL,
            digest TEXT NOT NULL,
            source_type TEXT NOT NULL,
            source TEXT NOT NULL,
            schema TEXT,
            profile TEXT,
            UNIQUE (experiment_id, name, digest)
        ) STRICT;
        CREATE TABLE run_input (
            run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
            dataset_id INTEGER NOT NULL REFERENCES dataset(id),
            PRIMARY KEY (run_id, dataset_id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE run_input_tag (
            run_id INTEGER NOT NULL,
            dataset_id INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run_id, dataset_id, key),
            FOREIGN KEY (run_id, dataset_id) REFERENCES run_input(run_id, dataset_id) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE run_model_input (
            run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
            model_uuid TEXT NOT NULL,
            PRIMARY KEY (run_id, model_uuid)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE run_model_output (
            run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
            model_uuid TEXT NOT NULL,
            step INTEGER NOT NULL,
            PRIMARY KEY (run_id, model_uuid)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE logged_model (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            experiment_id INTEGER NOT NULL REFERENCES experiment(id),
            name TEXT NOT NULL,
            model_type TEXT,
            source_run_id TEXT,
            status TEXT NOT NULL,
            artifact_uri TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            lifecycle TEXT NOT NULL DEFAULT 'active' CHECK (lifecycle IN ('active', 'deleted'))
        ) STRICT;
        CREATE INDEX logged_model_by_location ON logged_model (artifact_uri);
        CREATE INDEX logged_model_by_creation ON logged_model (experiment_id, created_at DESC, uuid);
        CREATE TABLE logged_model_tag (
            model_id INTEGER NOT NULL REFERENCES logged_model(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model_id, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE logged_model_param (
            model_id INTEGER NOT NULL REFERENCES logged_model(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model_id, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE logged_model_metric (
            model_id INTEGER NOT NULL REFERENCES logged_model(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            timestamp INTEGER NOT NULL,
            step INTEGER NOT NULL,
            run_uuid TEXT NOT NULL,
            value REAL NOT NULL,
            is_nan INTEGER NOT NULL,
            dataset_name TEXT NOT NULL DEFAULT '',
            dataset_digest TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (model_id, key, timestamp, step, run_uuid)
        ) STRICT, WITHOUT ROWID;
        """

    /// A client's path is a name in this table and never one on disk; the bytes are in a file called by their digest.
    private static let artifacts = """
        CREATE TABLE artifact (
            path TEXT PRIMARY KEY,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX artifact_by_digest ON artifact (sha256);
        """

    /// A deleted model keeps its row, because histories refer to it, under a name nobody can register, so that its own
    /// is free again. `is_protected` models have a warm set that MLflow's clients may not move.
    private static let registered = """
        ALTER TABLE registered_model ADD COLUMN deleted_at INTEGER;
        ALTER TABLE registered_model ADD COLUMN is_protected INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE model_version ADD COLUMN stage TEXT NOT NULL DEFAULT 'None';
        ALTER TABLE model_version ADD COLUMN run_link TEXT;
        ALTER TABLE model_version ADD COLUMN model_uuid TEXT;
        ALTER TABLE model_version ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
        CREATE INDEX model_version_by_source ON model_version (source);
        CREATE INDEX model_version_by_run ON model_version (run_id);
        CREATE INDEX model_version_by_logged_model ON model_version (model_uuid);
        UPDATE registered_model SET is_protected = 1 WHERE id IN (
            SELECT model_id FROM alias WHERE alias IN ('champion', 'champion-1', 'champion-2'));
        """

    /// What was copied whole from another server, and what it is called here: an import that is begun again goes on.
    private static let imports = """
        CREATE TABLE imported (
            source TEXT NOT NULL,
            kind TEXT NOT NULL,
            source_id TEXT NOT NULL,
            local_id TEXT NOT NULL,
            PRIMARY KEY (source, kind, source_id)
        ) STRICT, WITHOUT ROWID;
        """

    /// `named_seq` is the event that gave a model its name, where it had versions in its slots under another: fleets that
    /// follow the new name have not heard of it before. `former_name` is what those of the old name must hear.
    private static let names = """
        ALTER TABLE registered_model ADD COLUMN named_seq INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE former_name (
            name TEXT PRIMARY KEY,
            seq INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    /// Their URLs and secrets are here and nowhere else.
    private static let webhooks = """
        CREATE TABLE webhook (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            uuid TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            about TEXT NOT NULL,
            url TEXT NOT NULL,
            secret TEXT,
            events TEXT NOT NULL,
            is_active INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT;
        """
}
