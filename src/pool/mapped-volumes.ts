import type { ThinRecord } from "../catalog/records.ts";
import type { Bytes } from "../units.ts";
import type { Writable } from "./care/metadata-for-copies.ts";
import type { PoolNews } from "./pool-calls.ts";

/**
 * How much each volume maps, as it was last seen. An old figure is no smaller a bound than a new one together with the
 * chunks that were free then: what a volume has mapped since took one of those.
 */
export class MappedVolumes {
  readonly #seen = new Map<string, number>();
  /** How much larger metadata can be made; undefined until care has looked. */
  metadataRoom: Bytes | undefined;

  /** What is told to all who listen tells this too. */
  hear(news: PoolNews): void {
    if (news.kind === "mapped") for (const [id, mapped] of news.mapped) this.note(id, mapped);
    else if (news.kind === "measured") for (const [id, { mappedBytes }] of news.measurement.thins) this.note(id, mappedBytes);
    else if (news.kind === "thin-gone") this.#seen.delete(news.id);
  }

  /** undefined: it cannot be told now, and stays as it was. */
  note(id: string, mapped: number | undefined): void {
    if (mapped !== undefined) this.#seen.set(id, mapped);
  }

  of(id: string): number | undefined {
    return this.#seen.get(id);
  }

  /** Of the volumes among these, and of `more`, which is to become one. What was never seen is counted at its full size, and all that was never seen at what the pool has used. */
  writable(thins: Iterable<ThinRecord>, usedBytes: number, more: readonly (number | undefined)[] = []): Writable {
    let volumes = more.length;
    let mappedBytes = 0;
    let unseenBytes = 0;
    for (const mapped of more) {
      if (mapped === undefined) unseenBytes = usedBytes;
      else mappedBytes += mapped;
    }
    for (const { id, kind, sizeBytes } of thins) {
      if (kind !== "volume") continue;
      volumes++;
      const seen = this.#seen.get(id);
      if (seen === undefined) unseenBytes += sizeBytes;
      else mappedBytes += seen;
    }
    return { volumes, mappedBytes: mappedBytes + Math.min(unseenBytes, usedBytes) };
  }
}

/** Whether anything in the pool shares chunks with a volume. */
export function hasCopies(thins: Iterable<ThinRecord>): boolean {
  for (const record of thins) if (record.kind === "snapshot" || record.origin.kind !== "blank") return true;
  return false;
}
