import { expect, test } from "@jest/globals";
import { DmthinError } from "../../../src/errors.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { Pool } from "../../../src/pool/pool.ts";
import type { PoolStatus } from "../../../src/pool/pool-calls.ts";
import { LiveView } from "../../../src/pool/worker/view.ts";
import { LocalVolumes, type LocalVolumesOptions } from "../../../src/volumes/local-volumes.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { call } from "../../contract/volumes/client.ts";
import { describePool } from "../../contract/volumes/description.ts";
import { expectRefusal, nodeForEachTest } from "./node.ts";

const node = nodeForEachTest();

/** The node's own pool, and one more whose actor does not serve. */
async function beside(name: string, status: PoolStatus, elsewhere: Pick<LocalVolumesOptions, "recordedUuids" | "unknownPools"> = {}): Promise<LocalVolumes> {
  const { record } = await node.client.create("a");
  const { view: working, volumes } = node.world;
  expect(working.thins.has(record.id)).toBe(true);
  const view = new LiveView();
  view.apply({ kind: "status", status });
  const description = { ...describePool({ data: "c", metadata: "d" }, {}), name, isDefault: false };
  const calls = node.world.pool.calls;
  const broken: Pool = { description, view, calls, close: async () => undefined };
  expect(volumes.health().abnormal).toBe(false);
  const pools = [node.world.pool, broken];
  return new LocalVolumes({ node: "contract-node", pools, filesystems: node.world.filesystems, logger: silentLogger, ...elsewhere });
}

test("what a pool that is still starting may hold is never called gone: a deletion would leak it", async () => {
  const volumes = await beside("slow", { kind: "recovering" });
  await expectRefusal(volumes.delete(volumeId("unknown"), call()), "pool-not-ready", { pool: "slow" });
  await expectRefusal(volumes.get(volumeId("unknown")), "pool-not-ready");
  await expectRefusal(volumes.list({ maxEntries: 0, startingToken: "" }), "pool-not-ready");
  expect((await volumes.get(volumeId("a"))).pool).toBe("contract");
  expect(volumes.health()).toMatchObject({ abnormal: true, message: expect.stringMatching(/^pool slow/) });
});

test("a refused pool says why, and has no room", async () => {
  const volumes = await beside("lost", { kind: "refused", reason: "its superblock is blank", remedy: "restore it" });
  await expectRefusal(volumes.delete(volumeId("unknown"), call()), "pool-refused", { remedy: "restore it" });
  expect((await volumes.capacity({ pool: "lost", node: undefined, filesystem: undefined })).availableBytes).toBe(0);
  await volumes.delete(volumeId("a"), call());
});

const DOWN: readonly PoolStatus[] = [
  { kind: "recovering" },
  { kind: "recovering", reason: "it waits for disks" },
  { kind: "locked" },
  { kind: "refused", reason: "its superblock is blank", remedy: "restore it" },
];

test.each(DOWN)("with nothing mounted there is nothing to unpublish, whichever pool does not serve (%j)", async (status) => {
  const volumes = await beside("slow", status);
  await volumes.unpublish(volumeId("unknown"), node.world.path("nowhere"), call());
});

test("a node that is bound there is left alone while its pool cannot tell whose it is", async () => {
  const { record } = await node.client.create("b", { kind: "block" });
  const use = await node.client.mount(record.id, "block");
  const volumes = await beside("slow", { kind: "recovering" });
  await expectRefusal(volumes.unpublish(volumeId("unknown"), use.path, call()), "pool-not-ready", { pool: "slow" });
  expect(node.world.machine.mounts.entries.filter(({ target }) => target === use.path)).toHaveLength(1);
});

test.each(DOWN)("a pool that does not serve may have it as staged: it is unstaged again later, or could never be deleted (%j)", async (status) => {
  const volumes = await beside("slow", status);
  const { code } = status.kind === "refused" ? { code: "pool-refused" as const } : { code: "pool-not-ready" as const };
  await expectRefusal(volumes.unstage(volumeId("unknown"), node.world.path("nowhere"), call()), code, { pool: "slow" });
});

const NEVER_MADE: readonly PoolStatus[] = [
  { kind: "recovering", reason: "/dev/sbd is not there", neverMade: true },
  { kind: "refused", reason: "/dev/sda holds ext4", remedy: "name another disk", neverMade: true },
];

test.each(NEVER_MADE)("a pool that never was one has nothing in use, and keeps no pod from ending (%j)", async (status) => {
  const volumes = await beside("misspelt", status);
  await volumes.unpublish(volumeId("unknown"), node.world.path("nowhere"), call());
  await volumes.unstage(volumeId("unknown"), node.world.path("nowhere"), call());
  // What nobody has on record may still be there, such as after a lost state directory: for a deletion that is not enough.
  await expectRefusal(volumes.delete(volumeId("unknown"), call()), status.kind === "refused" ? "pool-refused" : "pool-not-ready");
});

test.each(NEVER_MADE)("what the cluster has on record was made, whatever this machine knows of it: also when that is told late (%j)", async (status) => {
  const unknown = new DmthinError({ code: "pools-unknown", node: "contract-node", reason: "the API server has not told them yet" });
  const told = new Map<string, readonly string[]>();
  const elsewhere = { recordedUuids: (pool: string) => told.get(pool) ?? [], unknownPools: () => (told.size === 0 ? unknown : undefined) };
  const volumes = await beside("lost", status, elsewhere);
  const unstage = async (name: string): Promise<void> => volumes.unstage(volumeId(name), node.world.path("nowhere"), call());
  await unstage("a"); // its own pool has it: nobody else need be asked
  await expectRefusal(unstage("unknown"), "pools-unknown");
  told.set("lost", ["7c9e"]);
  await expectRefusal(unstage("unknown"), status.kind === "refused" ? "pool-refused" : "pool-not-ready", { pool: "lost" });
  told.set("lost", []).set("contract", ["another"]);
  await unstage("unknown");
});

test("while it is not known which pools there are, any of them may have it as staged", async () => {
  const { pool, filesystems } = node.world;
  const unknown = new DmthinError({ code: "pools-unknown", node: "contract-node", reason: "the API server has not told them yet" });
  const volumes = new LocalVolumes({ node: "contract-node", pools: [pool], unknownPools: () => unknown, filesystems, logger: silentLogger });
  await volumes.unpublish(volumeId("unknown"), node.world.path("nowhere"), call());
  await expectRefusal(volumes.unstage(volumeId("unknown"), node.world.path("nowhere"), call()), "pools-unknown");
});

test("what was unpublished while its pool did not serve is forgotten with its staging, and can be deleted", async () => {
  const { record } = await node.client.create("b");
  const use = await node.client.mount(record.id, "ext4");
  const { pool, filesystems } = node.world;
  const view = new LiveView();
  view.apply({ kind: "status", status: { kind: "recovering" } });
  const away: Pool = { ...pool, description: pool.description, calls: pool.calls, view, close: async () => undefined };
  const whileAway = new LocalVolumes({ node: "contract-node", pools: [away], filesystems, logger: silentLogger });
  await whileAway.unpublish(record.id, use.path, call());
  expect(node.world.machine.mounts.entries.filter(({ target }) => target === use.path)).toEqual([]);
  expect((await node.world.volumes.get(record.id)).record.publications).toHaveLength(1);
  await expectRefusal(whileAway.unstage(record.id, use.stagingPath, call()), "pool-not-ready");
  await node.client.unstage(use);
  await node.client.delete(record.id);
});

test("within its own pool, who knows that a volume is or belongs there is not held up by another pool", async () => {
  const volumes = await beside("slow", { kind: "recovering" });
  const alone = volumes.within(node.world.pool);
  await expectRefusal(volumes.create(node.client.wanted("b"), call()), "pool-not-ready", { pool: "slow" });
  expect((await alone.create(node.client.wanted("b"), call())).pool).toBe("contract");
  await expectRefusal(alone.get(volumeId("unknown"), call()), "not-found");
  await alone.delete(volumeId("unknown"), call());
});

test("within its own pool, locks are still everybody's", async () => {
  const volumes = await beside("slow", { kind: "recovering" });
  const alone = volumes.within(node.world.pool);
  const creating = alone.create(node.client.wanted("b"), call());
  await expectRefusal(volumes.create(node.client.wanted("b"), call()), "in-progress");
  await creating;
});
