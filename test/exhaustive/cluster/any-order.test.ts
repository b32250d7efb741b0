import { expect, jest, test } from "@jest/globals";
import { DmthinError, isError } from "../../../src/errors.ts";
import { groupId, snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import { SIZE } from "../../contract/volumes/client.ts";
import { refusal } from "../../simulation/errno.ts";
import { MortalNode } from "./mortal-node.ts";

jest.setTimeout(20_000);

const SEEDS = 60;
const STEPS = 25;

/** The same numbers for the same seed, from 0 up to 1. Source: mulberry32. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A cluster in which anybody does anything at any time. */
class Chaos {
  readonly node = new MortalNode("its process is killed");
  readonly history: string[] = [];
  readonly #next: () => number;
  readonly #ends: (() => void)[] = [];

  constructor(seed: number) {
    this.#next = numbers(seed);
  }

  async step(): Promise<void> {
    const { cluster } = this.node;
    const [volume, other] = [`v${this.#upTo(3)}`, `v${this.#upTo(3)}`];
    const acts: readonly (readonly [string, () => Promise<unknown>])[] = [
      [`create ${volume}`, async () => cluster.volume(volume)],
      [`create ${volume}`, async () => cluster.volume(volume)],
      [`clone ${other} as ${volume}`, async () => cluster.volume(volume, { source: { kind: "volume", id: volumeId(other) } })],
      [`restore ${volume}`, async () => cluster.volume(volume, { source: { kind: "snapshot", id: snapshotId("s0") } })],
      [`delete ${volume}`, async () => cluster.volumes.delete(volumeId(volume))],
      [`delete ${volume}`, async () => cluster.volumes.delete(volumeId(volume))],
      [`expand ${volume}`, async () => cluster.volumes.patch(volumeId(volume), { spec: { requiredBytes: SIZE * (1 + this.#upTo(3)) } })],
      [`annotate ${volume}`, async () => cluster.volumes.patch(volumeId(volume), { metadata: { annotations: { at: String(this.history.length) } } })],
      [`snapshot ${volume}`, async () => cluster.snapshot("s0", volumeId(volume))],
      ["delete the snapshot", async () => cluster.snapshots.delete(snapshotId("s0"))],
      ["group", async () => cluster.group("g", [volumeId("v0"), volumeId("v1")])],
      ["delete the group", async () => cluster.groups.delete(groupId("g"))],
      ["the node dies", async () => this.#die()],
      ["the API server is away", async () => void this.#ends.push(cluster.server.goAway())],
      ["watches are late", async () => void this.#ends.push(cluster.server.holdWatches())],
      ["watches end", async () => cluster.server.endWatches()],
      ["etcd is compacted", async () => cluster.server.compact()],
      ["all is well again", async () => this.heal()],
      ["the next step fails", async () => this.#failSoon()],
    ];
    const [what, act] = acts[this.#upTo(acts.length)] ?? ["", turn];
    this.history.push(what);
    try {
      await act();
    } catch (error) {
      if (!(error instanceof DmthinError)) throw error;
    }
    for (let turns = this.#upTo(12); turns > 0; turns--) await turn();
  }

  async heal(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    this.node.calm();
  }

  async #die(): Promise<void> {
    await this.node.world.kill();
    await this.node.begin({ untilSynced: false });
  }

  #failSoon(): void {
    const at = this.#upTo(6);
    this.node.trouble(at, (moment) => {
      if (/GET|PATCH/.test(moment)) throw new DmthinError({ code: "api-unreachable", request: moment, reason: "ECONNRESET" });
      if (moment.startsWith("before ") && !moment.includes(":")) throw refusal(moment.replace("before ", ""), "anything", "EIO");
    });
  }

  #upTo(limit: number): number {
    return Math.floor(this.#next() * limit);
  }
}

/** What the controller would do: withdraw what has failed, and ask no more for what cannot be had. */
async function tidy({ cluster }: MortalNode): Promise<boolean> {
  let isDone = true;
  for (const api of [cluster.volumes, cluster.snapshots, cluster.groups] as const) {
    for (const { metadata, status } of (await api.list()).items) {
      if (status.phase === "Failed") await api.delete(metadata.name);
      isDone &&= metadata.deletionTimestamp === undefined && status.phase === "Ready" && status.observedGeneration === metadata.generation;
    }
  }
  for (const { metadata, status } of (await cluster.volumes.list()).items)
    if (status.failure !== undefined && metadata.deletionTimestamp === undefined)
      await cluster.volumes.patch(metadata.name, { spec: { requiredBytes: status.sizeBytes ?? 0 } });
  return isDone;
}

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
  "whatever happens in whatever order, objects, catalogue and kernel agree in the end: %i",
  async (seed) => {
    const chaos = new Chaos(seed);
    await using node = chaos.node;
    try {
      await node.begin();
      for (let step = 0; step < STEPS; step++) await chaos.step();
      await chaos.heal();
      for (let round = 0; !(await tidy(node)); round++) {
        if (round > 1_500) throw new Error("it never comes to rest");
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await node.settled();
      await node.expectAgreement();
      expect(node.isDead).toBe(false);
    } catch (error) {
      if (isError(error, "api-conflict")) throw error;
      throw new Error(`after ${chaos.history.join("; ")}: ${String(error)}`, { cause: error });
    }
  },
);
