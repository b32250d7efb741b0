import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { seePool } from "../../../../src/cluster/node/pool-seen.ts";
import { poolHealth, reasonOf, withConditions } from "../../../../src/cluster/node/conditions.ts";
import type { ThinVolume } from "../../../../src/cluster/objects/thin-volume.ts";
import type { PoolStatus } from "../../../../src/pool/pool-calls.ts";
import type { Pool } from "../../../../src/pool/pool.ts";
import { LiveView } from "../../../../src/pool/worker/view.ts";
import { snapshotId, volumeId } from "../../../../src/volumes/ids.ts";
import { describePool, POOL } from "../../../contract/volumes/description.ts";
import { nodeForEachTest } from "../../volumes/node.ts";
import { Cluster, type Agent } from "./cluster-node.ts";

const node = nodeForEachTest();
let cluster: Cluster;
let agent: Agent;
let pools: Pool[];
beforeEach(() => {
  cluster = new Cluster();
  pools = [node.world.pool];
  agent = cluster.startAgent({ pools: { [Symbol.iterator]: () => pools[Symbol.iterator]() }, local: node.world.volumes });
});
afterEach(async () => cluster.close());

const [A, B] = [volumeId("a"), volumeId("b")];
const healthOf = (item: ThinVolume | undefined): string | undefined => item?.status.conditions.find(({ type }) => type === "PoolHealthy")?.reason;
const settled = async (): Promise<void> => {
  for (let quiet = 0; quiet < 3; quiet++) {
    await new Promise((resolve) => setTimeout(resolve, 15));
    if (agent.reconciler.busy > 0) quiet = -1;
  }
};

/** The node's pool as it would be seen in that state. */
function as(status: PoolStatus, poolUuid?: string): Pool {
  const view = new LiveView();
  if (poolUuid !== undefined) view.apply({ kind: "catalog", poolUuid, thins: [], groups: [] });
  view.apply({ kind: "status", status });
  return { description: describePool({ data: "d", metadata: "m" }, {}), view, calls: node.world.pool.calls, close: async () => undefined };
}

test("a pool that turns read-only shows on each of its volumes, once, and so does its end; snapshots have no such condition", async () => {
  for (const name of ["a", "b"]) await cluster.volume(name);
  for (const name of ["a", "b"]) await cluster.ready(name);
  await cluster.snapshot("s", A);
  await cluster.until(cluster.snapshots, snapshotId("s"), (item) => item?.status.phase === "Ready");
  await settled();
  const before = cluster.asked.length;
  const kernelPool = node.world.machine.kernel.pool(node.world.poolUuid);
  kernelPool.setMode("ro");
  await node.world.look();
  for (const id of [A, B]) await cluster.until(cluster.volumes, id, (item) => healthOf(item) === "PoolReadOnly");
  await settled();
  expect(cluster.asked.slice(before)).toEqual(["patch status ThinVolume", "patch status ThinVolume"]);
  kernelPool.setMode("rw");
  await node.world.look();
  for (const id of [A, B]) await cluster.until(cluster.volumes, id, (item) => healthOf(item) === "PoolServes");
  await settled();
  expect(cluster.asked).toHaveLength(before + 4);
});

test("nothing is written while nothing changes, nor by a node that is started again, which reads nothing live either", async () => {
  for (const name of ["a", "b"]) await cluster.volume(name);
  for (const name of ["a", "b"]) await cluster.ready(name);
  await settled();
  await agent.close();
  const before = cluster.server.requests.length;
  agent = cluster.startAgent({ pools, local: node.world.volumes });
  await agent.volumes.cache.synced;
  await settled();
  const asked = cluster.server.requests.slice(before).map(({ verb }) => verb);
  expect(asked.toSorted()).toEqual(["list", "list", "list", "watch", "watch", "watch"]);
});

test("a volume waits for a pool that is not there yet, or not open yet, and is not accepted before", async () => {
  const { pool } = node.world;
  pools = [];
  await cluster.volume("a");
  const waiting = await cluster.until(cluster.volumes, A, (item) => item?.status.conditions.some(({ reason }) => reason === "Waiting") === true);
  expect(waiting?.metadata.finalizers).toEqual([]);
  expect(waiting?.status.conditions).toMatchObject([{ type: "Ready", status: "False", message: expect.stringContaining("no pool of that name") }]);
  pools = [as({ kind: "recovering", reason: "a disk is missing" })];
  await cluster.until(cluster.volumes, A, (item) => item?.status.conditions.some(({ message }) => message.includes("a disk is missing")) === true);
  pools = [pool];
  await cluster.ready("a");
});

test("a pool that is refused is a final answer, with nothing accepted; to a deletion it is one that stays until the pool is back", async () => {
  const { pool } = node.world;
  await cluster.volume("a");
  await cluster.ready("a");
  pools = [as({ kind: "refused", reason: "its superblock is blank", remedy: "look at the disk" })];
  await cluster.until(cluster.volumes, A, (item) => healthOf(item) === "PoolRefused");
  await cluster.volume("b");
  const failed = await cluster.failed("b");
  expect(failed.metadata.finalizers).toEqual([]);
  expect(failed.status.failure).toMatchObject({ code: "pool-refused", facts: { remedy: "look at the disk" } });
  await cluster.volumes.delete(A);
  await cluster.until(cluster.volumes, A, (item) => item?.status.failure?.code === "pool-refused");
  expect(node.world.view.thins.get(A)?.state).toBe("ready");
  pools = [pool];
  await cluster.gone(cluster.volumes, A);
});

const isLost = (item: ThinVolume | undefined): boolean => item?.status.conditions.some(({ type, status }) => type === "Lost" && status === "True") === true;

test("a thin device that somebody has deleted behind the catalogue's back is told as lost, once", async () => {
  await cluster.volume("a");
  const { status } = await cluster.ready("a");
  node.world.dm.message(node.world.poolUuid, `delete ${status.deviceNumber}`);
  await node.world.lookUp("inventory");
  const lost = await cluster.until(cluster.volumes, A, isLost);
  expect(lost?.status.conditions.find(({ type }) => type === "Ready")).toMatchObject({ status: "False", message: expect.stringContaining("is missing") });
  await settled();
  const before = cluster.asked.length;
  await node.world.lookUp("inventory");
  await settled();
  expect(cluster.asked).toHaveLength(before);
});

test("what was called lost is ready again when its pool's catalogue is back", async () => {
  const { pool } = node.world;
  await cluster.volume("a");
  await cluster.ready("a");
  pools = [as({ kind: "ready" }, pool.view.poolUuid)];
  await cluster.until(cluster.volumes, A, isLost);
  pools = [pool];
  const found = await cluster.until(cluster.volumes, A, (item) => !isLost(item));
  expect(found?.status.conditions).toMatchObject([{ type: "Ready", status: "True" }, { type: "PoolHealthy" }]);
});

test("while a driver starts, or another has the pool, nothing new is said of its volumes", () => {
  for (const status of [{ kind: "recovering" }, { kind: "locked" }] as const) expect(poolHealth(as(status))).toBeUndefined();
  expect(poolHealth(as({ kind: "ready" }))).toBeUndefined();
  expect(poolHealth(as({ kind: "recovering", reason: "a disk is missing" }))?.reason).toBe("PoolNotStarted");
});

test("only a catalogue that is open now counts as open", () => {
  expect(seePool([], POOL)).toMatchObject({ kind: "closed", error: { facts: { code: "pool-not-ready" } } });
  expect(seePool([as({ kind: "recovering" }, "one")], POOL)).toMatchObject({ kind: "closed", error: { facts: { code: "pool-not-ready" } } });
  expect(seePool([as({ kind: "locked" }, "one")], POOL)).toMatchObject({ kind: "closed", error: { facts: { code: "pool-not-ready" } } });
  expect(seePool([as({ kind: "refused", reason: "a", remedy: "b" }, "one")], POOL)).toMatchObject({
    kind: "closed",
    error: { facts: { code: "pool-refused" } },
  });
  expect(seePool([as({ kind: "ready" })], POOL)).toMatchObject({ kind: "closed" });
  const open = as({ kind: "ready" }, "one");
  expect(seePool([open], POOL)).toMatchObject({ kind: "open", uuid: "one", isSettled: true });
  expect(seePool([{ ...open, view: Object.assign(open.view, { unanswered: 1 }) }], POOL)).toMatchObject({ kind: "open", isSettled: false });
});

test("a condition that says the same stays as it was; its time is that of its status", () => {
  const [first, later] = [new Date(1000), new Date(2000)];
  const told = { type: "Ready", status: "False", reason: "Waiting", message: "for a" } as const;
  const once = withConditions([], [told], first);
  expect(withConditions(once, [told], later)).toEqual(once);
  const [other] = withConditions(once, [{ ...told, message: "for b" }], later);
  expect(other).toMatchObject({ message: "for b", lastTransitionTime: first.toISOString() });
  const [turned] = withConditions(once, [{ ...told, status: "True" }], later);
  expect(turned?.lastTransitionTime).toBe(later.toISOString());
  expect(withConditions(once, [{ ...told, type: "Lost" }], later).map(({ type }) => type)).toEqual(["Ready", "Lost"]);
  expect(reasonOf("pool-low")).toBe("PoolLow");
});
