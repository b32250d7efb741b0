import { expect, test } from "@jest/globals";
import { silentLogger } from "../../../src/logger.ts";
import type { Pool } from "../../../src/pool/pool.ts";
import type { PoolStatus } from "../../../src/pool/pool-calls.ts";
import { LiveView } from "../../../src/pool/view.ts";
import { LocalVolumes } from "../../../src/volumes/local-volumes.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { call } from "../../contract/volumes/client.ts";
import { describePool } from "../../contract/volumes/description.ts";
import { expectRefusal, nodeForEachTest } from "./node.ts";

const node = nodeForEachTest();

/** The node's own pool, and one more whose actor does not serve. */
async function beside(name: string, status: PoolStatus): Promise<LocalVolumes> {
  const { record } = await node.client.create("a");
  const { view: working, volumes } = node.world;
  expect(working.thins.has(record.id)).toBe(true);
  const view = new LiveView();
  view.apply({ kind: "status", status });
  const description = { ...describePool({ data: "c", metadata: "d" }, {}), name, isDefault: false };
  const calls = node.world.pool.calls;
  const broken: Pool = { description, view, calls, close: async () => undefined };
  expect(volumes.health().abnormal).toBe(false);
  return new LocalVolumes({ node: "contract-node", pools: [node.world.pool, broken], filesystems: node.world.filesystems, logger: silentLogger });
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
