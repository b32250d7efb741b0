import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BroadcastChannel } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { seePool } from "../../../../src/cluster/node/pool-seen.ts";
import { silentLogger } from "../../../../src/logger.ts";
import type { PoolStatus } from "../../../../src/pool/pool-calls.ts";
import { WorkerPool } from "../../../../src/pool/worker/worker-pool.ts";
import { describePool, POOL } from "../../../contract/volumes/description.ts";
import { eventually } from "../../../harness/eventually.ts";
import { expectRefusal } from "../../volumes/node.ts";
import type { Cue } from "./lasting-worker.ts";

let folder: string;
let channel: BroadcastChannel;
let said: string[];
const pools: WorkerPool[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "worker-pool-"));
  channel = new BroadcastChannel(POOL);
  said = [];
});
afterEach(async () => {
  const closed = pools.splice(0).map(async (pool) => pool.close(60_000));
  cue("end");
  await Promise.all(closed);
  channel.close();
  rmSync(folder, { recursive: true });
});

const cue = (what: Cue): void => channel.postMessage(what);
const becomes = (status: PoolStatus): void => cue({ kind: "news", news: { kind: "status", status } });

/** Of a worker that does not end before it is told to. */
function open(before?: WorkerPool): WorkerPool {
  const logger = { ...silentLogger, info: (message: string) => void said.push(message) };
  const pool = new WorkerPool({
    description: describePool({ data: "d", metadata: "m" }, {}),
    stateDirectory: folder,
    runDirectory: folder,
    bootId: "boot",
    deadManFd: undefined,
    logger,
    entry: new URL("./lasting-worker.ts", import.meta.url),
    ...(before && { before }),
  });
  pools.push(pool);
  return pool;
}

async function serving(): Promise<WorkerPool> {
  const pool = open();
  await eventually(() => expect(seePool([pool], POOL)).toMatchObject({ kind: "open", isSettled: true }));
  return pool;
}

test("a worker that outlives the close of its pool keeps the lock until it ends, and no longer: then the pool is whoever's comes next", async () => {
  const first = await serving();
  await first.close(1);
  const second = open();
  expect(second.view.status).toEqual({ kind: "locked" });
  cue("end");
  await eventually(() => expect(second.view.status).toEqual({ kind: "ready" }));
});

test("the same pool opened anew says that its own worker lasts: that is no other driver of the node", async () => {
  const first = await serving();
  await first.close(1);
  const second = open(first);
  await second.close(1);
  const third = open(second); // by yet another description
  for (const { view } of [second, third])
    expect(view.status).toMatchObject({ kind: "recovering", reason: expect.stringContaining("still waits in the kernel") });
  cue("end");
  await eventually(() => expect(third.view.status).toEqual({ kind: "ready" }));
  expect(third.isAtWork).toBe(true);
  expect(second.isAtWork).toBe(false);
});

test("a pool that is closed takes nothing more and proves nothing, whatever its worker still says: a call may be under way in it", async () => {
  const pool = await serving();
  const creation = expectRefusal(pool.calls.refresh(), "shutting-down");
  const closed = pool.close(1);
  expect(pool.view.status).toEqual({ kind: "recovering" });
  await expectRefusal(pool.calls.refresh(), "shutting-down");
  await Promise.all([closed, creation]);
  becomes({ kind: "ready" });
  cue({ kind: "log", level: "info", message: "ready again", fields: {} });
  await eventually(() => expect(said).toContain("ready again"));
  expect(seePool([pool], POOL)).toMatchObject({ kind: "closed", error: { facts: { code: "pool-not-ready" } } });
});

test("a pool that is refused stays so when it is closed, for who looks at it meanwhile", async () => {
  const pool = await serving();
  const refused = { kind: "refused", reason: "its superblock is blank", remedy: "look at the disk" } as const;
  becomes(refused);
  await eventually(() => expect(pool.view.status).toEqual(refused));
  await pool.close(1);
  expect(pool.view.status).toEqual(refused);
});

test("a worker that lasts is told once that its pool is closed, however often that is waited for", async () => {
  const pool = await serving();
  await pool.close(1);
  await pool.close(1);
  cue({ kind: "log", level: "info", message: "and then", fields: {} });
  await eventually(() => expect(said).toContain("and then"));
  expect(said).toEqual(["close", "and then"]);
});
