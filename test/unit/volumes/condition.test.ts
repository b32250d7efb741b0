import { expect, test } from "@jest/globals";
import type { PoolFigures } from "../../../src/pool/pool-calls.ts";
import type { Pool } from "../../../src/pool/pool.ts";
import { LiveView } from "../../../src/pool/worker/view.ts";
import { chunks } from "../../../src/units.ts";
import { nodeCondition, poolCondition, volumeCondition } from "../../../src/volumes/condition.ts";
import { describePool } from "../../contract/volumes/description.ts";
import { HEALTHY } from "../records.ts";

function pool(change: Partial<PoolFigures>): { readonly pool: Pick<Pool, "description" | "view">; readonly view: LiveView } {
  const view = new LiveView();
  view.apply({ kind: "status", status: { kind: "ready" } });
  view.apply({ kind: "figures", figures: { ...HEALTHY, ...change } });
  return { pool: { description: describePool({ data: "a", metadata: "b" }, {}), view }, view };
}

test("a pool in order is healthy, and one that only takes nothing new is too, with what to do", () => {
  expect(poolCondition(pool({}).pool)).toEqual({ abnormal: false, message: "pool contract serves" });
  expect(poolCondition(pool({ data: { used: chunks(95), total: chunks(100) } }).pool)).toMatchObject({
    abnormal: false,
    message: expect.stringMatching(/make the pool larger/),
  });
});

test.each(["ro", "out_of_data_space", "needs_check", "Fail", "Error"] as const)("the volumes of a pool that is %s are not healthy", (state) => {
  expect(volumeCondition(pool({ state }).pool, "vol-a").abnormal).toBe(true);
});

test("a pool that hangs, or does not serve yet, makes the node say so, and names it", () => {
  const { pool: stuck, view } = pool({});
  view.waiting = { operation: "createVolume", since: new Date(0) };
  expect(nodeCondition([pool({}).pool, stuck])).toMatchObject({ abnormal: true, message: expect.stringMatching(/contract is stuck: createVolume/) });
  view.apply({ kind: "status", status: { kind: "refused", reason: "its superblock is blank", remedy: "restore it" } });
  expect(nodeCondition([stuck])).toMatchObject({ abnormal: true, message: expect.stringMatching(/blank; restore it/) });
});

test("a full or read-only pool is no reason to start the driver anew: the node goes on serving, and says what is wrong", () => {
  for (const state of ["ro", "out_of_data_space", "needs_check"] as const) {
    expect(nodeCondition([pool({ state }).pool])).toMatchObject({ abnormal: false, message: expect.stringMatching(/^pool contract (is|needs)/) });
  }
  expect(nodeCondition([pool({}).pool, pool({ state: "Fail" }).pool])).toMatchObject({
    abnormal: true,
    message: expect.stringMatching(/^pool contract has failed[^;]*$/),
  });
});

test("a volume whose thin device is missing says so while its pool is well", () => {
  const { pool: one, view } = pool({});
  view.apply({ kind: "inventory", inventory: { orphans: [], discrepancies: [{ id: "vol-a", number: 7, reason: "missing" }] } });
  expect(volumeCondition(one, "vol-a")).toMatchObject({ abnormal: true, message: expect.stringMatching(/thin device 7/) });
  expect(volumeCondition(one, "vol-b").abnormal).toBe(false);
});
