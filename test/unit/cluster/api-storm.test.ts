import { expect, test } from "@jest/globals";
import { isNewer } from "../../../src/cluster/api/versions.ts";
import { WatchCache } from "../../../src/cluster/api/watch-cache.ts";
import { THIN_VOLUME } from "../../../src/cluster/objects/kinds.ts";
import { NODE_FINALIZER } from "../../../src/cluster/objects/meta.ts";
import type { ThinVolume } from "../../../src/cluster/objects/thin-volume.ts";
import { DmthinError } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/logger.ts";
import { SimulatedApiServer } from "../../simulation/api-server.ts";
import { eventually } from "./api-eventually.ts";
import { volume } from "./api-objects.ts";

const STEPS = 400;

/** The same numbers for the same seed. Source: mulberry32. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

class Storm {
  readonly server = new SimulatedApiServer();
  readonly api = this.server.objects(THIN_VOLUME);
  readonly cache = new WatchCache(this.api, { logger: silentLogger, backoff: { minimumMs: 1, maximumMs: 2 }, quietMs: 20 });
  /** What must never be, as it was seen. */
  readonly wrongs: string[] = [];
  readonly #random: (below: number) => number;
  readonly #newest = new Map<string, string>();
  readonly #ended = new Set<string>();
  readonly #uids = new Map<string, string>();
  readonly #late: ThinVolume[] = [];
  #recover: (() => void) | undefined;

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
    this.cache.onChange((name, item) => this.#told(name, item));
  }

  async step(): Promise<void> {
    const name = `vol-${this.#random(6)}`;
    const change = [
      async () => this.api.create(volume(name, "one", this.#random(2) === 0 ? { finalizers: [NODE_FINALIZER] } : {})),
      async () => this.api.patch(name, { spec: { requiredBytes: 4096 * (1 + this.#random(1000)) } }),
      async () => this.api.patch(name, { status: { sizeBytes: this.#random(1000) } }, { subresource: "status" }),
      async () => this.api.patch(name, { metadata: { finalizers: [] } }),
      async () => this.api.delete(name),
    ][this.#random(5)];
    try {
      const answer = await change?.();
      // Most answers are noted at once, some late, some never.
      if (answer !== undefined && this.#random(4) > 0) this.#late.push(answer);
    } catch (error) {
      if (!(error instanceof DmthinError)) throw error; // what is taken, away or being deleted
    }
    if (this.#random(2) === 0) this.#late.splice(0).forEach((item) => this.cache.note(item));
    this.#trouble();
    if (this.#random(3) === 0) await new Promise((resolve) => void (this.#random(2) === 0 ? setTimeout(resolve, 1) : setImmediate(resolve)));
  }

  /** All is well again, and everything has been told. */
  async calm(): Promise<void> {
    this.#recover?.();
    await eventually(() => JSON.stringify(this.#inCache()) === JSON.stringify(this.#inServer()));
  }

  #trouble(): void {
    const kind = this.#random(40);
    if (kind === 0) this.server.endWatches();
    else if (kind === 1) this.server.stallWatches();
    else if (kind === 2) this.server.compact();
    else if (kind === 3) this.server.sendBookmarks();
    else if (kind === 4 && this.#recover === undefined) this.#recover = this.server.goAway();
    else if (kind === 5 && this.#recover === undefined) this.#recover = this.server.holdWatches();
    else if (kind < 10) {
      this.#recover?.();
      this.#recover = undefined;
    }
  }

  #told(name: string, item: ThinVolume | undefined): void {
    const before = this.#uids.get(name);
    if (item === undefined) {
      if (before !== undefined) this.#ended.add(before);
      this.#uids.delete(name);
      return;
    }
    const { uid, resourceVersion } = item.metadata;
    if (before !== undefined && before !== uid) this.wrongs.push(`${name} became another without an end`);
    if (this.#ended.has(uid)) this.wrongs.push(`${name} ${uid} came back`);
    if (!isNewer(resourceVersion, this.#newest.get(uid))) this.wrongs.push(`${name} ${uid} went back to ${resourceVersion}`);
    this.#newest.set(uid, resourceVersion);
    this.#uids.set(name, uid);
  }

  #inCache(): readonly string[] {
    return [...this.cache.items.values()].map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`).toSorted();
  }

  #inServer(): readonly string[] {
    return [...this.server.stored(THIN_VOLUME).values()].map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`).toSorted();
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])("whatever happens to watches and answers (%i), a cache goes forward and ends with what there is", async (seed) => {
  const storm = new Storm(seed);
  for (let steps = 0; steps < STEPS; steps++) await storm.step();
  await storm.calm();
  await storm.cache.close();
  expect(storm.wrongs).toEqual([]);
});
