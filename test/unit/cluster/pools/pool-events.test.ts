import { expect, test } from "@jest/globals";
import { nodeThinPool } from "../../../../src/cluster/objects/node-thin-pool.ts";
import { PoolEvents } from "../../../../src/cluster/pools/pool-events.ts";
import type { CareEvent, CareReport } from "../../../../src/pool/care/care-report.ts";
import { described, SeenPool } from "./seen-pool.ts";

const object = nodeThinPool.parse({
  metadata: { name: "fast.one", uid: "u", resourceVersion: "1", creationTimestamp: "2026-11-21T12:00:00Z" },
  spec: { poolName: "fast", nodeName: "one" },
});

function recorded(): { readonly events: PoolEvents; readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    events: new PoolEvents({ event: ({ metadata }, type, reason, message, kind) => void told.push(`${kind} ${metadata.name} ${type} ${reason}: ${message}`) }),
  };
}

const caring = (pool: SeenPool, events: readonly CareEvent[]): void => pool.view.apply({ kind: "care", care: { events } as unknown as CareReport });
const event = (at: number, kind: CareEvent["kind"], message: string): CareEvent => ({ at: new Date(at), kind, part: "data", message });

test("what care has found and done is told once, in its order; of an object that is not there yet, later", () => {
  const { events, told } = recorded();
  const pool = new SeenPool(described("fast")).serves();
  caring(pool, [event(1, "extended", "made larger"), event(2, "exhausted", "nothing left")]);
  events.look(pool, undefined);
  expect(told).toEqual([]);
  events.look(pool, object);
  events.look(pool, object);
  expect(told).toEqual([
    "NodeThinPool fast.one Normal Serving: pool fast serves on this node",
    "NodeThinPool fast.one Normal Extended: made larger",
    "NodeThinPool fast.one Warning NothingLeft: nothing left",
  ]);
  caring(pool, [event(2, "exhausted", "nothing left"), event(3, "low", "less than its minimum")]);
  events.look(pool, object);
  expect(told.slice(3)).toEqual(["NodeThinPool fast.one Warning SpaceLow: less than its minimum"]);
});

test.each([
  ["out_of_data_space", "Warning Full"],
  ["ro", "Warning ReadOnly"],
  ["rw", "Normal Writable"],
] as const)("the kernel's state %s is told as %s", (state, as) => {
  const { events, told } = recorded();
  const pool = new SeenPool(described("fast")).serves({ state });
  caring(pool, [event(1, "state", `the pool is in state ${state}`)]);
  events.look(pool, object);
  expect(told).toContain(`NodeThinPool fast.one ${as}: the pool is in state ${state}`);
});

test.each([
  ["rw", "Normal"],
  ["out_of_data_space", "Warning"],
] as const)("that writes fail in a full pool is no trouble before it is full: of one in state %s it is told as %s", (state, type) => {
  const { events, told } = recorded();
  const pool = new SeenPool(described("fast")).serves({ state });
  caring(pool, [event(1, "failing", "from now on writes fail")]);
  events.look(pool, object);
  expect(told).toContain(`NodeThinPool fast.one ${type} WritesFailWhenFull: from now on writes fail`);
});

test("a refusal is told once for each reason, and so is that the pool serves again", () => {
  const { events, told } = recorded();
  const pool = new SeenPool(described("fast")).is({ kind: "refused", reason: "its superblock is blank", remedy: "restore it" });
  events.look(pool, object);
  events.look(pool.is({ kind: "recovering" }), object);
  events.look(pool.is({ kind: "refused", reason: "its superblock is blank", remedy: "restore it" }), object);
  expect(told).toEqual(["NodeThinPool fast.one Warning Refused: its superblock is blank; restore it"]);
  events.look(pool.serves(), object);
  expect(told.slice(1)).toEqual(["NodeThinPool fast.one Normal Serving: pool fast serves on this node"]);
});

test("a ThinPool that is not followed is told once for each sentence, until it is forgotten", () => {
  const { events, told } = recorded();
  for (const sentence of ["spec.backing: is required", "spec.backing: is required", "spec.filesystem: none"]) events.refused("fast", sentence, object);
  events.forget("fast");
  events.refused("fast", "spec.filesystem: none", object);
  expect(told).toHaveLength(3);
});
