import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { unclaimedIn } from "../../../../src/cluster/node/unclaimed.ts";
import { THIN_VOLUME } from "../../../../src/cluster/objects/kinds.ts";
import { NODE_FINALIZER } from "../../../../src/cluster/objects/meta.ts";
import { snapshotId, volumeId } from "../../../../src/volumes/ids.ts";
import { TiB } from "../../../../src/units.ts";
import { SIZE } from "../../../contract/volumes/client.ts";
import type { ApiRequest } from "../../../simulation/api-server.ts";
import { nodeForEachTest } from "../../volumes/node.ts";
import { Cluster, isAccepted, type Agent } from "./cluster-node.ts";

const node = nodeForEachTest();
let cluster: Cluster;
let agent: Agent;
beforeEach(() => {
  cluster = new Cluster();
  agent = start();
});
afterEach(async () => cluster.close());

const start = (): Agent => cluster.startAgent({ pools: [node.world.pool], local: node.world.volumes });
const [A, B] = [volumeId("a"), volumeId("b")];
const held = (): readonly string[] => [...node.world.view.thins.values()].filter(({ state }) => state === "ready").map(({ id }) => id);
const settled = async (): Promise<void> => {
  for (let quiet = 0; quiet < 3; quiet++) {
    await new Promise((resolve) => setTimeout(resolve, 15));
    if (agent.reconciler.busy > 0) quiet = -1;
  }
};

/** Something happens just before the agent's next request of that verb. */
function beforeNext(verb: ApiRequest["verb"], act: () => Promise<void>): Promise<void> {
  const done = Promise.withResolvers<void>();
  cluster.server.beforeRequest = async (request) => {
    if (request.verb !== verb) return;
    cluster.server.beforeRequest = undefined;
    await act();
    done.resolve();
  };
  return done.promise;
}

/** As `kubectl` would be used by somebody who knows what he does, or does not. */
async function forceAway(name: string): Promise<void> {
  await cluster.volumes.patch(name, { metadata: { finalizers: [] } });
  await cluster.volumes.delete(name);
}

describe("the finalizer is the acceptance", () => {
  test("nothing is asked of the kernel before it is on the object", async () => {
    const steps = node.world.process.steps.length;
    const accepting = beforeNext("patch", async () => expect(node.world.process.steps).toHaveLength(steps));
    await cluster.volume("a");
    await accepting;
    await cluster.ready("a");
  });

  test("what is withdrawn before that was never made", async () => {
    const accepting = beforeNext("patch", async () => cluster.volumes.delete(A));
    await cluster.volume("a");
    await accepting;
    await settled();
    expect(node.world.view.thins.size).toBe(0);
    expect(await cluster.volumes.get(A)).toBeUndefined();
  });

  test("a terminating object cannot be accepted any more", async () => {
    const accepting = beforeNext("patch", async () => {
      await cluster.volumes.patch(A, { metadata: { finalizers: ["somebody/else"] } });
      await cluster.volumes.delete(A);
    });
    await cluster.volume("a");
    await accepting;
    await settled();
    expect((await cluster.volumes.get(A))?.metadata.finalizers).toEqual(["somebody/else"]);
    expect(node.world.view.thins.size).toBe(0);
  });

  test("other people's finalizers stay", async () => {
    const accepting = beforeNext("patch", async () => void (await cluster.volumes.patch(A, { metadata: { finalizers: ["somebody/else"] } })));
    await cluster.volume("a");
    await accepting;
    expect((await cluster.ready("a")).metadata.finalizers).toEqual(["somebody/else", NODE_FINALIZER]);
    await cluster.volumes.delete(A);
    await cluster.until(cluster.volumes, A, (item) => item !== undefined && !isAccepted(item));
    expect((await cluster.volumes.get(A))?.metadata.finalizers).toEqual(["somebody/else"]);
    expect(held()).not.toContain(A);
  });
});

describe("only what the API server says now is done", () => {
  test("a volume made anew under the name is not deleted for the object that was there before", async () => {
    await cluster.volume("a");
    const { spec } = await cluster.ready("a");
    const deleting = beforeNext("get", async () => {
      await cluster.volumes.patch(A, { metadata: { finalizers: [] } });
      await cluster.volumes.create({ metadata: { name: A, finalizers: [NODE_FINALIZER] }, spec });
    });
    await cluster.volumes.delete(A);
    await deleting;
    await cluster.ready("a");
    await settled();
    expect(held()).toEqual([A]);
  });

  test("a name that is used again on another node is none of ours: what is here of it is left, and told", async () => {
    await cluster.volume("a");
    const { spec } = await cluster.ready("a");
    const deleting = beforeNext("get", async () => {
      await cluster.volumes.patch(A, { metadata: { finalizers: [] } });
      await cluster.volumes.create({ metadata: { name: A, finalizers: [NODE_FINALIZER] }, spec: { ...spec, nodeName: "another" } });
    });
    await cluster.volumes.delete(A);
    await deleting;
    await settled();
    expect(held()).toEqual([A]);
    const objects = { volumes: agent.volumes.cache.items, snapshots: agent.snapshots.cache.items, groups: agent.groups.cache.items };
    expect(unclaimedIn(node.world.pool, objects)).toEqual([A]);
  });

  test("what is gone since is not made for what the watch still says", async () => {
    await cluster.close();
    await cluster.volume("a");
    await cluster.volumes.patch(A, { metadata: { finalizers: [NODE_FINALIZER] } });
    const making = beforeNext("get", async () => forceAway(A));
    agent = start();
    await making;
    await settled();
    expect(node.world.view.thins.size).toBe(0);
  });

  test("an object that has changed since is decided on again", async () => {
    const accepting = beforeNext("patch", async () => void (await cluster.volumes.patch(A, { metadata: { annotations: { a: "b" } } })));
    await cluster.volume("a");
    await accepting;
    expect((await cluster.ready("a")).metadata.annotations).toEqual({ a: "b" });
    const reporting = beforeNext("patch status", async () => void (await cluster.volumes.patch(B, { spec: { requiredBytes: 2 * SIZE } })));
    await cluster.volume("b");
    await reporting;
    const grown = await cluster.until(cluster.volumes, B, (item) => item?.status.sizeBytes === 2 * SIZE);
    expect(grown?.status.observedGeneration).toBe(grown?.metadata.generation);
  });

  test("watches that are late hold up nothing that was begun", async () => {
    await cluster.volume("a");
    await cluster.ready("a");
    await settled();
    const release = cluster.server.holdWatches();
    await cluster.volumes.patch(A, { spec: { requiredBytes: 2 * SIZE } });
    await cluster.volumes.delete(A);
    release();
    await cluster.gone(cluster.volumes, A);
    expect(held()).toEqual([]);
  });
});

describe("the API server is away", () => {
  test("what the kernel has done meanwhile is told when it is back", async () => {
    const back = Promise.withResolvers<() => void>();
    const reporting = beforeNext("patch status", async () => {
      back.resolve(cluster.server.goAway());
    });
    await cluster.volume("a");
    await reporting;
    expect(held()).toEqual([A]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    (await back.promise)();
    await cluster.ready("a");
    expect(node.world.view.thins.size).toBe(1);
  });

  test.each(["patch", "patch status"] as const)("an answer to a %s that is lost is found out", async (verb) => {
    cluster.server.loseAnswer(verb, "ThinVolume", 1);
    await cluster.volume("a");
    await cluster.ready("a");
    await settled();
    expect(held()).toEqual([A]);
    cluster.server.loseAnswer("patch", "ThinVolume", 1);
    await cluster.volumes.delete(A);
    await cluster.gone(cluster.volumes, A);
    expect(held()).toEqual([]);
  });
});

describe("failures", () => {
  test("a final one is told, with its facts, and what was never there keeps no finalizer", async () => {
    await cluster.volume("a", { requiredBytes: 100 * TiB });
    const { status, metadata } = await cluster.failed("a");
    expect(status.failure).toMatchObject({ code: "out-of-range", generation: metadata.generation, facts: { code: "out-of-range" } });
    expect(status.conditions).toMatchObject([{ type: "Ready", status: "False", reason: "OutOfRange" }]);
    await cluster.until(cluster.volumes, A, (item) => item !== undefined && !isAccepted(item));
    expect(cluster.events).toEqual([{ object: A, reason: "OutOfRange" }]);
    await cluster.volumes.delete(A);
    await cluster.gone(cluster.volumes, A);
  });

  test("an expansion that cannot be had leaves the volume ready, and is answered; put back, all is well", async () => {
    await cluster.volume("a");
    await cluster.ready("a");
    await cluster.volumes.patch(A, { spec: { requiredBytes: 100 * TiB } });
    const failed = await cluster.until(cluster.volumes, A, (item) => item?.status.failure !== undefined);
    expect(failed?.status).toMatchObject({ phase: "Ready", sizeBytes: SIZE, failure: { code: "out-of-range", generation: 2 }, observedGeneration: 2 });
    await cluster.volumes.patch(A, { spec: { requiredBytes: SIZE } });
    const mended = await cluster.until(cluster.volumes, A, (item) => item?.status.observedGeneration === 3);
    expect(mended?.status.failure).toBeUndefined();
    expect(mended?.status.conditions).toMatchObject([
      { type: "Ready", status: "True" },
      { type: "PoolHealthy", status: "True" },
    ]);
  });

  test("a volume that is in use is not deleted: that is told, and tried until it is free", async () => {
    await cluster.volume("a");
    await cluster.ready("a");
    const use = await node.client.mount(A);
    await cluster.volumes.delete(A);
    const refused = await cluster.until(cluster.volumes, A, (item) => item?.status.failure !== undefined);
    expect(refused?.status.failure).toMatchObject({ code: "volume-staged", facts: { path: use.stagingPath }, generation: refused?.metadata.generation });
    expect(held()).toEqual([A]);
    await node.client.unmount(use);
    await cluster.gone(cluster.volumes, A);
    expect(held()).toEqual([]);
    expect(cluster.events).toEqual([{ object: A, reason: "VolumeStaged" }]);
  });

  test("a deletion that was refused is done when the volume is free, and not only after the next pause", async () => {
    await agent.close();
    let pauses = 0;
    const untilForEver = (): number => (++pauses > 3 ? 1e6 : 0);
    agent = cluster.startAgent({ pools: [node.world.pool], local: node.world.volumes, queue: { minimumMs: 1, random: untilForEver } });
    await cluster.volume("a");
    await cluster.ready("a");
    const use = await node.client.mount(A);
    await cluster.volumes.delete(A);
    await cluster.until(cluster.volumes, A, (item) => item?.status.failure?.code === "volume-staged");
    await settled();
    await node.client.unmount(use);
    await cluster.gone(cluster.volumes, A);
    expect(pauses).toBeGreaterThan(3);
  });

  test("the name of what is still being deleted is an answer, which holds nothing: whoever asks repeats it, and has it when it is free", async () => {
    await cluster.volume("a");
    await cluster.ready("a");
    const use = await node.client.mount(A);
    const release = await node.world.leakMounts();
    await node.client.unmount(use);
    await cluster.volumes.delete(A);
    await cluster.gone(cluster.volumes, A);
    await cluster.volume("a");
    expect((await cluster.failed("a")).status.failure?.code).toBe("being-deleted");
    await cluster.until(cluster.volumes, A, (item) => item !== undefined && !isAccepted(item));
    await cluster.volumes.delete(A);
    release();
    while (node.world.view.thins.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await cluster.volume("a");
    await cluster.ready("a");
  });

  test("an object made by hand is refused, and nothing is made or accepted for it", async () => {
    const { spec } = await cluster.volume("a");
    await cluster.ready("a");
    await cluster.volumes.create({ metadata: { name: "by-hand" }, spec });
    const refused = await cluster.until(cluster.volumes, "by-hand", (item) => item?.status.phase === "Failed");
    expect(refused?.status.failure?.message).toMatch(/^the object of spec.name "a" is called vol-/);
    expect(refused?.metadata.finalizers).toEqual([]);
    await cluster.snapshots.create({
      metadata: { name: snapshotId("s") },
      spec: { name: "s", nodeName: spec.nodeName, poolName: spec.poolName, sourceVolume: "../../etc" },
    });
    const snapshot = await cluster.until(cluster.snapshots, snapshotId("s"), (item) => item?.status.phase === "Failed");
    expect(snapshot?.status.failure?.code).toBe("invalid-argument");
    expect(held()).toEqual([A]);
  });
});

const ready = (poolUUID: string | undefined) => ({ phase: "Ready", sizeBytes: SIZE, deviceNumber: 7, poolUUID, observedGeneration: 1 });

/** An object as an earlier life has left it; no agent runs then. */
async function left(status: object): Promise<void> {
  await cluster.close();
  await cluster.volume("a");
  await cluster.volumes.patch(A, { metadata: { finalizers: [NODE_FINALIZER] } });
  await cluster.volumes.patch(A, { status }, { subresource: "status" });
}

describe("what is not where it should be", () => {
  test("a volume that its pool does not have is called lost, and never made again", async () => {
    await left(ready(node.world.view.poolUuid));
    agent = start();
    const lost = await cluster.until(
      cluster.volumes,
      A,
      (item) => item?.status.conditions.some(({ type, status }) => type === "Lost" && status === "True") === true,
    );
    expect(lost?.status.phase).toBe("Ready");
    await cluster.volumes.patch(A, { spec: { requiredBytes: 2 * SIZE } });
    await settled();
    expect(node.world.view.thins.size).toBe(0);
    expect(cluster.events).toEqual([{ object: A, reason: "Lost" }]);
    await cluster.volumes.delete(A);
    await cluster.gone(cluster.volumes, A);
  });

  test("a pool that was made anew proves nothing of what the one before holds", async () => {
    await node.client.create("a");
    await left(ready("another"));
    agent = start();
    await cluster.until(cluster.volumes, A, (item) => item?.status.conditions.some(({ reason }) => reason === "OtherPool") === true);
    await cluster.volumes.delete(A);
    const refused = await cluster.until(cluster.volumes, A, (item) => item?.status.failure !== undefined);
    expect(refused?.status.failure).toMatchObject({ code: "pool-refused", generation: 2 });
    await settled();
    expect(isAccepted((await cluster.volumes.get(A)) ?? { metadata: { finalizers: [] } as never })).toBe(true);
    expect(held()).toEqual([A]);
  });

  test("a node that comes back carries out the deletions that it has missed, and nothing else", async () => {
    for (const name of ["a", "b"]) await node.client.create(name);
    await left(ready(node.world.view.poolUuid));
    await cluster.volumes.delete(A);
    agent = start();
    await cluster.gone(cluster.volumes, A);
    expect(held()).toEqual([B]);
  });

  test("what no object claims is told, and left alone", async () => {
    for (const name of ["a", "b"]) await cluster.volume(name);
    for (const name of ["a", "b"]) await cluster.ready(name);
    await cluster.group("g", [A]);
    await cluster.until(cluster.groups, (await cluster.groups.list()).items[0]?.metadata.name ?? "", (item) => item?.status.phase === "Ready");
    await cluster.snapshot("s", B);
    await cluster.until(cluster.snapshots, snapshotId("s"), (item) => item?.status.phase === "Ready");
    const unclaimed = (): readonly string[] =>
      unclaimedIn(node.world.pool, { volumes: agent.volumes.cache.items, snapshots: agent.snapshots.cache.items, groups: agent.groups.cache.items });
    expect(unclaimed()).toEqual([]);
    await forceAway(A);
    await cluster.snapshots.patch(snapshotId("s"), { metadata: { finalizers: [] } });
    await cluster.snapshots.delete(snapshotId("s"));
    await settled();
    expect(unclaimed()).toEqual([snapshotId("s"), A]);
    expect(held()).toHaveLength(4);
    const items = Array.from(agent.volumes.cache.items);
    const ofAnother = new Map(items.map(([name, item]) => [name, { ...item, status: { ...item.status, poolUUID: "another" } }]));
    expect(unclaimedIn(node.world.pool, { volumes: ofAnother, snapshots: new Map(), groups: agent.groups.cache.items })).toContain(B);
    const elsewhere = { ...agent.volumes.cache.items.get(B)?.spec, poolName: "another" };
    const objects = new Map(items.map(([name, item]) => [name, THIN_VOLUME.schema.parse({ ...item, spec: elsewhere })]));
    expect(unclaimedIn(node.world.pool, { volumes: objects, snapshots: new Map(), groups: agent.groups.cache.items })).toContain(B);
  });
});
