import { DatabaseSync } from "node:sqlite";
import { existsSync } from "node:fs";
import { DmthinError } from "../errors.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";

/**
 * Opens the catalogue's file for this process alone, with every commit on disk before it answers, and brings its schema
 * up to date, leaving a backup of each older version beside it. Throws "catalog-refused" for a file that cannot be opened,
 * is not a catalogue, is damaged, is another process's, or was written by a newer program.
 */
export function openDatabase(path: string, migrations: typeof MIGRATIONS = MIGRATIONS): DatabaseSync {
  const isNew = !existsSync(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    if (isNew) database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    migrate(database, path, migrations);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof DmthinError ? error : refused(path, error);
  }
}

function migrate(database: DatabaseSync, path: string, migrations: typeof MIGRATIONS): void {
  const version = pragma(database, "user_version");
  const isEmpty = version === 0 && database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"] === 0;
  if (!isEmpty && pragma(database, "application_id") !== APPLICATION_ID) {
    throw new DmthinError({
      code: "catalog-refused",
      path,
      reason: "it is a database of something else",
      remedy: "move it away, or point stateDirectory elsewhere",
    });
  }
  if (version > migrations.length) {
    const reason = `it has schema ${version}, and this program knows schemas up to ${migrations.length}`;
    throw new DmthinError({ code: "catalog-refused", path, reason, remedy: "run the newer dmthin that wrote it, or put its backup back" });
  }
  const damage = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (damage !== "ok") throw new Error(`quick_check: ${String(damage)}`);
  if (version > 0 && version < migrations.length) backUp(database, `${path}.schema-${version}.backup`);
  for (const [index, step] of migrations.entries()) {
    if (index < version) continue;
    database.exec("BEGIN IMMEDIATE");
    step(database);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

function backUp(database: DatabaseSync, path: string): void {
  if (!existsSync(path)) database.prepare("VACUUM INTO ?").run(path);
}

function pragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** What SQLite says, by which a person has something else to do. */
const KNOWN = [
  { said: /database is (locked|busy)/, reason: "another process has it open", remedy: "end that process first" },
  { said: /unable to open database file/, reason: "it cannot be opened", remedy: "see that its folder is there and can be written, and start again" },
] as const;

function refused(path: string, cause: unknown): DmthinError {
  const { reason, remedy } = KNOWN.find(({ said }) => said.test(String(cause))) ?? {
    reason: `it cannot be read as a catalogue (${String(cause)})`,
    remedy: "move it away and put a copy back; the volumes themselves are untouched",
  };
  return new DmthinError({ code: "catalog-refused", path, reason, remedy }, { cause });
}
