import { mkdirSync, openSync, closeSync, fsyncSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Catalog } from "../catalog/catalog.ts";
import { unfinishedOf } from "../files.ts";
import type { Logger } from "../logger.ts";

/** After a change at most so long: what was changed meanwhile is in the same copy. */
const DELAY_MS = 3_000;

/** In the pool's folder of the state directory. */
export const CATALOG_COPY = "catalog-copy.db";

/** Keeps a copy of a catalogue on another disk, for the day on which the catalogue's own is lost: never read by itself. */
export class CatalogCopy {
  readonly #catalog: Catalog;
  readonly #path: string;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** What changed since the last copy is not known: one is made soon. */
  constructor(catalog: Catalog, path: string, logger: Logger) {
    this.#catalog = catalog;
    this.#path = path;
    this.#logger = logger;
    catalog.whenChanged(() => this.#soon());
    this.#soon();
  }

  /** Makes the last one, if anything has changed. Before the catalogue is closed. */
  end(): void {
    this.#ended = true;
    if (this.#timer !== undefined) this.#copy();
  }

  #soon(): void {
    if (this.#ended) return;
    this.#timer ??= setTimeout(() => this.#copy(), DELAY_MS).unref();
  }

  /** A copy that fails costs nothing yet: the next change tries again. */
  #copy(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const unfinished = unfinishedOf(this.#path);
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      rmSync(unfinished, { force: true });
      this.#catalog.copyTo(unfinished);
      sync(unfinished);
      renameSync(unfinished, this.#path);
      sync(dirname(this.#path));
    } catch (error) {
      this.#logger.error("the catalogue could not be copied", { path: this.#path, error });
    }
  }
}

function sync(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
