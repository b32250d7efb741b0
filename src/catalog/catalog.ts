import type { DatabaseSync, StatementSync } from "node:sqlite";
import { DmthinError } from "../errors.ts";
import { bytes, type Bytes } from "../units.ts";
import { readGroup, readIntent, readThin, writeThinDetails, writeUse } from "./rows.ts";
import type { Intent } from "./intent.ts";
import { openDatabase } from "./open.ts";
import type { GroupRecord, ThinRecord, VolumeRecord } from "./records.ts";

/** Which pool a catalogue belongs to, and where it stands. */
export interface PoolIdentity {
  readonly name: string;
  readonly uuid: string;
  readonly chunkSize: Bytes;
  /** The pool's metadata was formatted: a blank metadata device from now on is a loss, not a new pool. */
  readonly formatted: boolean;
  /** The kernel's, after the last transition whose outcome is known. */
  readonly transactionId: number;
  /** No thin device number from here on was ever used. */
  readonly nextNumber: number;
}

/** One thin device more than a pool can number. Source: dm-thin-metadata.h, MAX_DEV_ID. */
const NUMBERS = 2 ** 24;

/** The changes of one commit: all of them or none. */
export interface CatalogWriter {
  putThin(record: ThinRecord): void;
  removeThin(id: string): void;
  putGroup(record: GroupRecord): void;
  removeGroup(id: string): void;
  openIntent(intent: Intent): void;
  closeIntent(): void;
  setTransactionId(transactionId: number): void;
  setFormatted(): void;
  setNextNumber(next: number): void;
}

/**
 * What a pool holds, on disk: opened by one process alone, every change durable when it returns. Synchronous: it belongs
 * in the pool's worker. Records are immutable; what is read here is the same object until it is put anew.
 */
export class Catalog {
  readonly #database: DatabaseSync;
  readonly #bootId: string;
  readonly #statements = new Map<string, StatementSync>();
  readonly #thins = new Map<string, ThinRecord>();
  readonly #groups = new Map<string, GroupRecord>();
  #identity: PoolIdentity;
  #intent: Intent | undefined;
  #changed: () => void = () => undefined;

  private constructor(database: DatabaseSync, identity: PoolIdentity, bootId: string) {
    this.#database = database;
    this.#identity = identity;
    this.#bootId = bootId;
    for (const row of database
      .prepare("SELECT thin.*, use.details AS use_details FROM thin LEFT JOIN use ON use.volume_id = thin.id AND use.boot_id = ?")
      .all(bootId)) {
      const record = readThin(row);
      this.#thins.set(record.id, record);
    }
    for (const row of database.prepare("SELECT details FROM snapshot_group").all()) {
      const group = readGroup(row["details"]);
      this.#groups.set(group.id, group);
    }
    const { intent = null } = database.prepare("SELECT intent FROM pool").get() ?? {};
    this.#intent = intent === null ? undefined : readIntent(intent);
  }

  /**
   * Opens the catalogue of a pool, or begins one: `fresh` is what a new one records. What was staged or published in
   * another boot than `bootId` is gone, and not read. Throws "catalog-refused" when it is another pool's.
   */
  static open(path: string, bootId: string, fresh: { readonly name: string; readonly uuid: string; readonly chunkSize: Bytes }): Catalog {
    const database = openDatabase(path);
    try {
      database
        .prepare("INSERT OR IGNORE INTO pool (one, name, uuid, chunk_bytes, formatted, transaction_id, next_number) VALUES (1, ?, ?, ?, 0, 0, 1)")
        .run(fresh.name, fresh.uuid, fresh.chunkSize);
      const identity = readIdentity(database);
      if (identity.name !== fresh.name) {
        const reason = `it is the catalogue of pool ${identity.name}`;
        throw new DmthinError({ code: "catalog-refused", path, reason, remedy: `give pool ${fresh.name} a state directory of its own` });
      }
      return new Catalog(database, identity, bootId);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get identity(): PoolIdentity {
    return this.#identity;
  }

  get intent(): Intent | undefined {
    return this.#intent;
  }

  get thins(): ReadonlyMap<string, ThinRecord> {
    return this.#thins;
  }

  get groups(): ReadonlyMap<string, GroupRecord> {
    return this.#groups;
  }

  /** The lowest `count` numbers never used. */
  nextNumbers(count: number): readonly number[] {
    const first = this.#identity.nextNumber;
    if (first + count > NUMBERS) {
      throw new DmthinError({ code: "pool-not-writable", pool: this.#identity.name, state: `out of thin device numbers: all ${NUMBERS - 1} were used` });
    }
    return Array.from({ length: count }, (_, index) => first + index);
  }

  /** Applies `write` in one commit and answers what it answered. Durable when it returns; when it throws, nothing has changed. */
  change<Result>(write: (writer: CatalogWriter) => Result): Result {
    const applied: (() => void)[] = [];
    this.#database.exec("BEGIN IMMEDIATE");
    let result: Result;
    try {
      result = write(this.#writer((apply) => applied.push(apply)));
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
    for (const apply of applied) apply();
    this.#changed();
    return result;
  }

  /** Told after each change; one listener. */
  whenChanged(listener: () => void): void {
    this.#changed = listener;
  }

  /** A whole catalogue in a new file, which the caller makes durable. */
  copyTo(path: string): void {
    this.#database.prepare("VACUUM INTO ?").run(path);
  }

  close(): void {
    this.#database.close();
  }

  #writer(then: (apply: () => void) => void): CatalogWriter {
    const run = (sql: string, ...values: (string | number)[]): void => void this.#statement(sql).run(...values);
    const setPool = (change: Partial<PoolIdentity>): void => then(() => (this.#identity = { ...this.#identity, ...change }));
    return {
      putThin: (record) => {
        run(
          `INSERT INTO thin (id, kind, number, state, size_bytes, details) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET number = excluded.number, state = excluded.state, size_bytes = excluded.size_bytes, details = excluded.details`,
          record.id,
          record.kind,
          record.number,
          record.state,
          record.sizeBytes,
          writeThinDetails(record),
        );
        if (record.kind === "volume") this.#putUse(record);
        then(() => this.#thins.set(record.id, record));
      },
      removeThin: (id) => {
        run("DELETE FROM thin WHERE id = ?", id);
        then(() => this.#thins.delete(id));
      },
      putGroup: (record) => {
        run("INSERT OR REPLACE INTO snapshot_group (id, details) VALUES (?, ?)", record.id, JSON.stringify(record));
        then(() => this.#groups.set(record.id, record));
      },
      removeGroup: (id) => {
        run("DELETE FROM snapshot_group WHERE id = ?", id);
        then(() => this.#groups.delete(id));
      },
      openIntent: (intent) => {
        const next = Math.max(this.#identity.nextNumber, ...intent.numbers.map((number) => number + 1));
        const { changes } = this.#statement("UPDATE pool SET intent = ?, next_number = ? WHERE intent IS NULL").run(JSON.stringify(intent), next);
        if (changes !== 1) throw new Error("an intent was to be opened while another is open");
        setPool({ nextNumber: next });
        then(() => (this.#intent = intent));
      },
      closeIntent: () => {
        run("UPDATE pool SET intent = NULL");
        then(() => (this.#intent = undefined));
      },
      setTransactionId: (transactionId) => {
        run("UPDATE pool SET transaction_id = ?", transactionId);
        setPool({ transactionId });
      },
      setFormatted: () => {
        run("UPDATE pool SET formatted = 1");
        setPool({ formatted: true });
      },
      setNextNumber: (nextNumber) => {
        run("UPDATE pool SET next_number = ?", nextNumber);
        setPool({ nextNumber });
      },
    };
  }

  #putUse(record: VolumeRecord): void {
    const details = writeUse(record);
    if (details === undefined) this.#statement("DELETE FROM use WHERE volume_id = ?").run(record.id);
    else this.#statement("INSERT OR REPLACE INTO use (volume_id, boot_id, details) VALUES (?, ?, ?)").run(record.id, this.#bootId, details);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function readIdentity(database: DatabaseSync): PoolIdentity {
  const row = database.prepare("SELECT * FROM pool").get();
  if (row === undefined) throw new Error("the catalogue has lost its pool");
  return {
    name: String(row["name"]),
    uuid: String(row["uuid"]),
    chunkSize: bytes(Number(row["chunk_bytes"])),
    formatted: row["formatted"] === 1,
    transactionId: Number(row["transaction_id"]),
    nextNumber: Number(row["next_number"]),
  };
}
