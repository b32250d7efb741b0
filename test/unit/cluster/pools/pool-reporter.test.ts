import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { WatchCache } from "../../../../src/cluster/api/watch-cache.ts";
import { NODE_THIN_POOL } from "../../../../src/cluster/objects/kinds.ts";
import { PoolEvents } from "../../../../src/cluster/pools/pool-events.ts";
import { PoolObjects } from "../../../../src/cluster/pools/pool-objects.ts";
import { PoolReporter } from "../../../../src/cluster/pools/pool-reporter.ts";
import { silentLogger } from "../../../../src/logger.ts";
import { eventually } from "../../../harness/eventually.ts";
import { SimulatedApiServer } from "../../../simulation/api-server.ts";
import { described, SeenPool } from "./seen-pool.ts";

let server: SimulatedApiServer;
const ends: (() => Promise<void>)[] = [];

beforeEach(() => {
  server = new SimulatedApiServer();
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A driver of node "one" that tells of this pool. */
function driver(pool: SeenPool): void {
  const api = server.objects(NODE_THIN_POOL);
  const cache = new WatchCache(api, { logger: silentLogger, backoff: { minimumMs: 1, maximumMs: 5 } });
  const objects = new PoolObjects({ node: "one", api, cache, logger: silentLogger });
  const seen = { pool, observedGeneration: 1, removal: undefined, refusal: undefined };
  const pools = { seen: () => new Map([[pool.description.name, seen]]), isKnown: true };
  const events = new PoolEvents({ event: () => undefined });
  const reporter = new PoolReporter({ pools, objects, events, unclaimed: () => [], driverVersion: "1", logger: silentLogger, lookMs: 2 });
  ends.push(async () => cache.close());
  ends.push(async () => reporter.close());
}

const phase = async (): Promise<string | undefined> => (await server.objects(NODE_THIN_POOL).get("fast.one"))?.status.phase;
const writes = (): number => server.requests.filter(({ verb }) => verb === "patch status").length;

test("of two drivers on one node the one without the pool's lock says so once, and leaves the word to the other", async () => {
  const waiting = new SeenPool(described("fast")).is({ kind: "locked" });
  driver(waiting);
  await eventually(async () => expect((await server.objects(NODE_THIN_POOL).get("fast.one"))?.status.message).toMatch(/lock/));
  driver(new SeenPool(described("fast")).serves());
  await eventually(async () => expect(await phase()).toBe("Ready"));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const written = writes();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await phase()).toBe("Ready");
  expect(writes()).toBe(written);
});

test("who gets the lock tells how the pool is, and when it loses it tells that again", async () => {
  const pool = new SeenPool(described("fast")).is({ kind: "locked" });
  driver(pool);
  await eventually(async () => expect(await phase()).toBe("Pending"));
  pool.serves();
  await eventually(async () => expect(await phase()).toBe("Ready"));
  pool.is({ kind: "locked" });
  await eventually(async () => expect(await phase()).toBe("Pending"));
});
