import type { DatabaseSync } from "node:sqlite";

/** "dmth" in ASCII: tells a catalogue from any other SQLite file. */
export const APPLICATION_ID = 0x646d7468;

/**
 * Each entry brings the schema from its index to the next version. Entries are never changed once released.
 * What queries or constraints need is a column; the rest of a record is its `details`.
 */
export const MIGRATIONS: readonly ((database: DatabaseSync) => void)[] = [
  (database) =>
    database.exec(`
      CREATE TABLE pool (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        name TEXT NOT NULL,
        uuid TEXT NOT NULL,
        chunk_bytes INTEGER NOT NULL,
        formatted INTEGER NOT NULL CHECK (formatted IN (0, 1)),
        transaction_id INTEGER NOT NULL,
        next_number INTEGER NOT NULL,
        intent TEXT -- here, since every transition writes this page anyway
      ) STRICT;
      CREATE TABLE thin (
        number INTEGER PRIMARY KEY, -- no index of its own to write
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('volume', 'snapshot')),
        state TEXT NOT NULL CHECK (state IN ('ready', 'deleting')),
        size_bytes INTEGER NOT NULL,
        details TEXT NOT NULL
      ) STRICT;
      CREATE TABLE snapshot_group (
        id TEXT PRIMARY KEY,
        details TEXT NOT NULL
      ) STRICT;
      CREATE TABLE use (
        volume_id TEXT PRIMARY KEY REFERENCES thin (id) ON DELETE CASCADE,
        boot_id TEXT NOT NULL,
        details TEXT NOT NULL
      ) STRICT;
    `),
];
