import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { bytes, GiB, MiB } from "../../../src/units.ts";
import { BLOCK, VolumeUser } from "../../demo/volume-user.ts";
import { FullBench } from "./bench.ts";
import { output } from "../../harness/program.ts";

jest.setTimeout(240_000);
/** A leaf of a full mapping has at least 126 entries: each write below lands in another one, so that it costs as much metadata as a write can. */
const CHUNK = 64 * 1024;
const LEAF_BYTES = 126 * CHUNK;
const LEAVES = 64;
const ROUNDS = 40;

let bench: FullBench;
beforeEach(() => {
  bench = new FullBench();
});
afterEach(async () => {
  await bench.dispose();
});

const metadata = (): { readonly used: number; readonly total: number } => {
  const status = bench.status();
  return "metadata" in status ? status.metadata : { used: 0, total: 0 };
};

const mappedChunks = (): number => {
  const status = bench.status();
  return "data" in status ? status.data.used : 0;
};

/** Scattered writes, all of them unsharing what a snapshot holds, round after round until a snapshot is refused. Answers why. */
async function scatter(
  user: VolumeUser,
  id: string,
  { patienceMs }: { readonly patienceMs: number },
): Promise<{ readonly refusal: Error | undefined; readonly states: ReadonlySet<string> }> {
  const device = await open(user.target(id), "r+");
  const states = new Set<string>();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (let leaf = 0; leaf < LEAVES; leaf++) await device.write(Buffer.alloc(4096, round + 1), 0, 4096, leaf * LEAF_BYTES);
      await device.sync();
      states.add(bench.status().mode);
      const refusal = await refusalOf(async () => user.snapshot(`moment-${round}`, id), patienceMs);
      if (refusal !== undefined) return { refusal, states };
    }
  } finally {
    await device.close();
  }
  return { refusal: undefined, states };
}

/** Asked again for so long, as an orchestrator does. */
async function refusalOf(ask: () => Promise<unknown>, patienceMs: number): Promise<Error | undefined> {
  for (const end = performance.now() + patienceMs; ; await sleep(200)) {
    const answer = await bench.answered("CreateSnapshot", ask());
    if ("value" in answer) return undefined;
    if (performance.now() >= end) return answer.error;
  }
}

async function volume(): Promise<{ readonly user: VolumeUser; readonly id: string }> {
  const user = new VolumeUser(bench.driver.client, bench.folder, BLOCK);
  const id = await user.create("scattered", GiB);
  await user.stage(id);
  await user.publish(id);
  const args = ["if=/dev/zero", `of=${user.target(id)}`, "bs=1M", `count=${Math.ceil((LEAVES * LEAF_BYTES) / MiB)}`, "oflag=direct", "conv=notrunc"];
  output("dd", args);
  return { user, id };
}

/** One block in every chunk of a part of the volume, scattered; each of those that a snapshot shares is copied. Answers every state that the pool was in. */
async function rewrite(
  path: string,
  { from, to, everyChunk }: { readonly from: number; readonly to: number; readonly everyChunk: number },
): Promise<ReadonlySet<string>> {
  const count = Math.floor((to - from) / (everyChunk * CHUNK));
  const states = new Set<string>();
  const device = await open(path, "r+");
  try {
    for (let index = 0; index < count; index++) {
      // Coprime to any count here: each chunk once, and neighbours far apart in time.
      const scattered = (index * 7919) % count;
      await device.write(Buffer.alloc(4096, index % 251), 0, 4096, from + scattered * everyChunk * CHUNK);
      if (index % 512 === 511) {
        await device.sync();
        states.add(bench.status().mode);
      }
    }
    await device.sync();
    states.add(bench.status().mode);
  } finally {
    await device.close();
  }
  return states;
}

test("metadata that scattered writes fill: with no room snapshots are refused while whatever is written then still fits, and deleting them makes room", async () => {
  await bench.start({ data: bytes(1536 * MiB), metadata: bytes(4 * MiB) }, {});
  const { user, id } = await volume();
  const { refusal, states } = await scatter(user, id, { patienceMs: 0 });
  expect(refusal).toMatchObject({ code: 9, details: expect.stringContaining("by writing anew what a copy shares with them: delete snapshots or clones") });
  expect([...states]).toEqual(["rw"]);
  // Who has the volume writes on: all that it shares anew, and as much again that it never wrote before.
  const mapped = LEAVES * LEAF_BYTES;
  expect([...(await rewrite(user.target(id), { from: 0, to: mapped, everyChunk: 1 }))]).toEqual(["rw"]);
  expect([...(await rewrite(user.target(id), { from: mapped, to: GiB, everyChunk: 2 }))]).toEqual(["rw"]);
  expect(metadata().used).toBeLessThan(metadata().total);
  // And its copies can be deleted.
  const { entries } = (await bench.driver.client.call("ListSnapshots", {})) as {
    readonly entries: readonly { readonly snapshot: { readonly snapshot_id: string } }[];
  };
  expect(entries.length).toBeGreaterThan(3);
  for (const { snapshot } of entries) await bench.done("DeleteSnapshot", user.deleteSnapshot(snapshot.snapshot_id));
  await bench.done("CreateSnapshot", user.snapshot("after", id));
});

test("what a copy can cost in metadata is within its bound, also where trimming has left the nodes of a volume as empty as the kernel lets them be", async () => {
  await bench.start({ data: bytes(1536 * MiB), metadata: bytes(16 * MiB) }, {});
  const user = new VolumeUser(bench.driver.client, bench.folder, BLOCK);
  const id = await user.create("scattered", GiB);
  await user.stage(id);
  await user.publish(id);
  const path = user.target(id);
  output("dd", ["if=/dev/zero", `of=${path}`, "bs=1M", "count=1024", "oflag=direct", "conv=notrunc"]);
  // A node that is full has 252 mappings; with fewer than a third of them it would be joined with its neighbour.
  const [full, kept] = [252, 90];
  for (let from = kept; from < GiB / CHUNK; from += full) {
    const length = Math.min(full - kept, GiB / CHUNK - from);
    output("blkdiscard", ["--offset", String(from * CHUNK), "--length", String(length * CHUNK), path]);
  }
  const chunks = mappedChunks();
  expect(chunks).toBeLessThan(GiB / CHUNK / 2);
  const costs: number[] = [];
  for (const moment of ["one", "two", "three"]) {
    await user.snapshot(moment, id);
    const before = metadata().used;
    const device = await open(path, "r+");
    for (let from = 0; from < GiB / CHUNK; from += full)
      for (let chunk = from; chunk < Math.min(from + kept, GiB / CHUNK); chunk++) await device.write(Buffer.alloc(4096, 1), 0, 4096, chunk * CHUNK);
    await device.sync();
    await device.close();
    costs.push(((metadata().used - before) * 4096) / chunks);
  }
  process.stderr.write(`metadata for each chunk that was written anew, in bytes: ${costs.map((cost) => cost.toFixed(1)).join(", ")}\n`);
  // The bound: 49 bytes a mapping, and 37 for who shares it.
  for (const cost of costs) expect(cost).toBeLessThan(87);
  // Sparse nodes cost more than the 16 bytes of full ones: else nothing was shown here.
  expect(Math.max(...costs)).toBeGreaterThan(25);
  expect(bench.status().mode).toBe("rw");
});

test("metadata that scattered writes fill is made larger where there is room, and nobody notices", async () => {
  await bench.start({ data: bytes(4 * GiB), metadata: bytes(4 * MiB) }, {});
  bench.enlarge("metadata", bytes(64 * MiB));
  await bench.kill(); // a start looks afresh at what there is
  await bench.restart();
  const { user, id } = await volume();
  const { refusal, states } = await scatter(user, id, { patienceMs: 20_000 });
  expect(refusal).toBeUndefined();
  expect([...states]).toEqual(["rw"]);
  expect(metadata().total).toBeGreaterThan(1024);
  expect(metadata().used).toBeGreaterThan(1024);
});
