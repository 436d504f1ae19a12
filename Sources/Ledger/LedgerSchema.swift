import GRDB

/// The ledger's tables. A migration is never edited once it has shipped.
enum LedgerSchema {
    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 offsets, panes, state, snapshots, alerts, outbox") { db in
            try db.execute(
                sql: """
                    CREATE TABLE commit_count (one INTEGER PRIMARY KEY CHECK (one = 1), commits INTEGER NOT NULL) STRICT;
                    INSERT INTO commit_count VALUES (1, 0);
                    CREATE TABLE source_offset (
                        source TEXT PRIMARY KEY, next_offset INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                    CREATE TABLE model_state (
                        model TEXT PRIMARY KEY, layout TEXT NOT NULL, windows BLOB NOT NULL, alerts BLOB) STRICT;
                    CREATE TABLE pane (
                        model TEXT NOT NULL, start INTEGER NOT NULL, version TEXT NOT NULL, segment TEXT NOT NULL,
                        profile BLOB NOT NULL, PRIMARY KEY (model, start, version, segment)) STRICT, WITHOUT ROWID;
                    CREATE TABLE snapshot (
                        id INTEGER PRIMARY KEY, model TEXT NOT NULL, window_start INTEGER NOT NULL,
                        window_end INTEGER NOT NULL, revision INTEGER NOT NULL, lines BLOB NOT NULL,
                        UNIQUE (model, window_end, window_start, revision)) STRICT;
                    CREATE INDEX snapshot_end ON snapshot (window_end);
                    CREATE TABLE transition (
                        seq INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, at INTEGER NOT NULL,
                        status TEXT NOT NULL, fingerprint TEXT NOT NULL, line TEXT NOT NULL) STRICT;
                    CREATE INDEX transition_at ON transition (at);
                    CREATE TABLE alert (
                        fingerprint TEXT PRIMARY KEY, seq INTEGER NOT NULL, model TEXT NOT NULL, status TEXT NOT NULL,
                        revision INTEGER NOT NULL, at INTEGER NOT NULL, line TEXT NOT NULL) STRICT;
                    CREATE INDEX alert_status ON alert (status, seq);
                    CREATE TABLE outbox (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
                        target TEXT NOT NULL, lane TEXT NOT NULL, body BLOB NOT NULL, at INTEGER NOT NULL, due INTEGER NOT NULL,
                        state TEXT NOT NULL DEFAULT 'pending', progress BLOB NOT NULL DEFAULT x'', note TEXT) STRICT;
                    CREATE INDEX outbox_lane ON outbox (state, kind, target, lane, id);
                    """)
        }
        migrator.registerMigration("history of moving references") { db in
            try db.execute(
                sql: """
                    CREATE TABLE history (
                        model TEXT NOT NULL, start INTEGER NOT NULL, version TEXT NOT NULL, segment TEXT NOT NULL,
                        profile BLOB NOT NULL, PRIMARY KEY (model, start, version, segment)) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("2 predictions and labels to be joined, performance") { db in
            try db.execute(
                sql: """
                    CREATE TABLE join_model (
                        model TEXT PRIMARY KEY, stamp TEXT NOT NULL, state BLOB, windows BLOB) STRICT;
                    CREATE TABLE join_log (
                        model TEXT NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
                        PRIMARY KEY (model, number)) STRICT;
                    CREATE TABLE join_run (
                        model TEXT NOT NULL, run INTEGER NOT NULL, level INTEGER NOT NULL, "end" INTEGER NOT NULL,
                        PRIMARY KEY (model, run)) STRICT, WITHOUT ROWID;
                    CREATE TABLE join_block (
                        model TEXT NOT NULL, run INTEGER NOT NULL, block INTEGER NOT NULL, first INTEGER NOT NULL,
                        bytes BLOB NOT NULL, PRIMARY KEY (model, run, block)) STRICT;
                    CREATE TABLE join_name (
                        model TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL,
                        PRIMARY KEY (model, kind, number)) STRICT, WITHOUT ROWID;
                    CREATE TABLE performance (
                        model TEXT NOT NULL, start INTEGER NOT NULL, version TEXT NOT NULL, segment TEXT NOT NULL,
                        sketch BLOB NOT NULL, PRIMARY KEY (model, start, version, segment)) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("silences") { db in
            try db.execute(
                sql: """
                    CREATE TABLE silence (id TEXT PRIMARY KEY, ends INTEGER NOT NULL, json TEXT NOT NULL) STRICT;
                    CREATE TABLE held (
                        fingerprint TEXT NOT NULL, target TEXT NOT NULL, key TEXT NOT NULL, lane TEXT NOT NULL,
                        body BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (fingerprint, target)) STRICT;
                    """)
        }
        migrator.registerMigration("what receivers were told") { db in
            try db.execute(
                sql: """
                    CREATE TABLE told (
                        target TEXT NOT NULL, fingerprint TEXT NOT NULL, starts_at TEXT NOT NULL,
                        PRIMARY KEY (target, fingerprint)) STRICT, WITHOUT ROWID;
                    """)
        }
        return migrator
    }
}
