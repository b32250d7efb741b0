import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { WatchCache } from "../../../../src/cluster/api/watch-cache.ts";
import { NODE_THIN_POOL } from "../../../../src/cluster/objects/kinds.ts";
import { nodeThinPoolStatus, type NodeThinPool, type NodeThinPoolStatus } from "../../../../src/cluster/objects/node-thin-pool.ts";
import { PoolObjects } from "../../../../src/cluster/pools/pool-objects.ts";
import { silentLogger } from "../../../../src/logger.ts";
import { GiB } from "../../../../src/units.ts";
import { eventually } from "../../../harness/eventually.ts";
import { SimulatedApiServer } from "../../../simulation/api-server.ts";

let server: SimulatedApiServer;
let cache: WatchCache<NodeThinPool>;
let objects: PoolObjects;
let now: number;

beforeEach(async () => {
  now = 0;
  server = new SimulatedApiServer();
  const api = server.objects(NODE_THIN_POOL);
  cache = new WatchCache(api, { logger: silentLogger, backoff: { minimumMs: 1, maximumMs: 5 } });
  objects = new PoolObjects({ node: "one", api, cache, logger: silentLogger, now: () => now });
  await cache.synced;
});
afterEach(async () => {
  await objects.close();
  await cache.close();
});

const status = (change: Partial<NodeThinPoolStatus> = {}): NodeThinPoolStatus => ({
  ...nodeThinPoolStatus.parse({ phase: "Ready", message: "serves", state: "rw" }),
  ...change,
});
const written = async (): Promise<NodeThinPoolStatus | undefined> => (await server.objects(NODE_THIN_POOL).get("fast.one"))?.status;
const writes = (): readonly string[] => server.requests.filter(({ verb }) => !["list", "watch", "get"].includes(verb)).map(({ verb }) => verb);

/** What is told is written, and what was under way before it too. */
async function tell(told: NodeThinPoolStatus): Promise<void> {
  objects.tell("fast", told);
  await objects.close();
  objects.tell("fast", told);
  await objects.close();
}

test("a pool gets its object, with what there is to tell of it; what has not changed is not written", async () => {
  await tell(status());
  expect(await server.objects(NODE_THIN_POOL).get("fast.one")).toMatchObject({
    spec: { poolName: "fast", nodeName: "one" },
    status: { phase: "Ready", state: "rw" },
  });
  const before = writes().length;
  now += 3_600_000;
  await tell(status());
  expect(writes()).toHaveLength(before);
});

test("figures are written at most every 30 s, a change of state at once", async () => {
  await tell(status({ volumes: 1, availableBytes: GiB }));
  now += 29_000;
  await tell(status({ volumes: 2, availableBytes: 2 * GiB }));
  expect(await written()).toMatchObject({ volumes: 1 });
  await tell(status({ volumes: 3, state: "ro" }));
  expect(await written()).toMatchObject({ volumes: 3, state: "ro" });
  await tell(status({ volumes: 4, state: "ro" }));
  expect(await written()).toMatchObject({ volumes: 3 });
  now += 30_000;
  await tell(status({ volumes: 4, state: "ro" }));
  expect(await written()).toMatchObject({ volumes: 4 });
});

const said = (message: string) =>
  status({ message, conditions: [{ type: "Ready", status: "True", reason: "Serves", message, lastTransitionTime: "2026-11-21T12:00:00Z" }] });

test("a sentence that tells figures is one of them; another sentence is a change of state", async () => {
  await tell(said("it has 9.8 GiB free"));
  await tell(said("it has 9.7 GiB free"));
  expect(await written()).toMatchObject({ message: "it has 9.8 GiB free" });
  await tell(said("it has nothing free"));
  expect(await written()).toMatchObject({ message: "it has nothing free", conditions: [{ message: "it has nothing free" }] });
});

test("what the status does not say any more goes from the object", async () => {
  await tell(status({ excludedDisks: [{ path: "/dev/sda", reason: "in use" }], extensionHeadroomBytes: 1 }));
  now += 30_000;
  await tell(status());
  expect(await written()).toMatchObject({ excludedDisks: [] });
  expect(await written()).not.toHaveProperty("extensionHeadroomBytes");
});

test("while the API server is away it is tried with pauses, and then the last word is written", async () => {
  const comeBack = server.goAway();
  await tell(status({ message: "first" }));
  const tries = server.requests.length;
  await tell(status({ message: "second" }));
  expect(server.requests).toHaveLength(tries);
  comeBack();
  now += 60_000;
  await tell(status({ message: "last" }));
  expect(await written()).toMatchObject({ message: "last" });
});

test("one that somebody deletes is made again", async () => {
  await tell(status());
  await server.objects(NODE_THIN_POOL).delete("fast.one");
  await eventually(() => expect(cache.items.has("fast.one")).toBe(false));
  await tell(status());
  expect(await written()).toMatchObject({ phase: "Ready" });
});

test("a pool that is gone has no object, whatever is lost on the way", async () => {
  await tell(status());
  server.fail("delete", "NodeThinPool", 1);
  objects.withdraw("fast");
  await objects.close();
  expect(await written()).toBeDefined();
  now += 60_000;
  objects.withdraw("fast");
  await objects.close();
  expect(await written()).toBeUndefined();
});
