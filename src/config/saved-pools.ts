import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ignoreMissing, syncPath, writeLasting } from "../files.ts";
import type { Logger } from "../logger.ts";

/** A pool's name has no dot: no pool's own folder is called so. */
const FOLDER = "thinpools.d";
const ENDING = ".json";

/** A ThinPool as this node has last accepted it. */
export interface SavedPool {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** As it was written, so that a newer driver reads it by its own rules. */
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The ThinPools that this node has accepted, on its own disk: what it starts with, whether or not the API server can be asked. */
export class SavedPools {
  readonly #folder: string;
  readonly #logger: Logger;

  constructor(stateDirectory: string, logger: Logger) {
    this.#folder = join(stateDirectory, FOLDER);
    this.#logger = logger;
  }

  /** By name. One that cannot be read is left where it is, and said: the API server has it too. */
  async read(): Promise<readonly SavedPool[]> {
    const names = await readdir(this.#folder).catch(ignoreMissing);
    const found: SavedPool[] = [];
    for (const file of (names ?? []).filter((each) => each.endsWith(ENDING)).toSorted()) {
      const path = join(this.#folder, file);
      const saved = parse(await readFile(path, "utf8"));
      if (saved !== undefined && `${saved.name}${ENDING}` === file) found.push(saved);
      else this.#logger.error("what was saved of a ThinPool cannot be read: it is taken from the API server", { path });
    }
    return found;
  }

  /** On disk when it returns: whole, or as it was. */
  async write(pool: SavedPool): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeLasting(this.#pathOf(pool.name), `${JSON.stringify(pool)}\n`, 0o600);
  }

  async remove(name: string): Promise<void> {
    await rm(this.#pathOf(name), { force: true });
    await syncPath(this.#folder).catch(ignoreMissing);
  }

  #pathOf(name: string): string {
    return join(this.#folder, `${name}${ENDING}`);
  }
}

function parse(text: string): SavedPool | undefined {
  try {
    const { name, uid, generation, spec } = JSON.parse(text) as Partial<Record<keyof SavedPool, unknown>>;
    const isWhole = typeof name === "string" && typeof uid === "string" && typeof generation === "number" && typeof spec === "object" && spec !== null;
    return isWhole ? { name, uid, generation, spec: { ...spec } } : undefined;
  } catch {
    return undefined;
  }
}
