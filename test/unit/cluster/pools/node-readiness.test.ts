import { expect, test } from "@jest/globals";
import { NodeReadiness } from "../../../../src/node-readiness.ts";
import { described, loop, SeenPool } from "./seen-pool.ts";

const SERVING = { isServing: true, isSynced: true };
const pool = (name: string): SeenPool => new SeenPool(described(name, loop(name)));

test("a node is ready when it serves, knows what there is to do, and the pools that it had are back", () => {
  const readiness = new NodeReadiness();
  const fast = pool("fast").is({ kind: "recovering" });
  expect(readiness.of([], { isServing: false, isSynced: true })).toMatchObject({ ready: false });
  expect(readiness.of([], { isServing: true, isSynced: false })).toMatchObject({ ready: false });
  expect(readiness.of([fast], SERVING)).toEqual({ ready: false, message: "pool fast is being recovered" });
  expect(readiness.of([fast.serves()], SERVING)).toEqual({ ready: true, message: "the node serves" });
});

test("a pool that cannot be started, or is refused, holds up no other", () => {
  const late = pool("late").is({ kind: "recovering", reason: "its disk is not there" });
  const wrong = pool("wrong").is({ kind: "refused", reason: "it holds ext4", remedy: "name another disk" });
  expect(new NodeReadiness().of([late, wrong], SERVING)).toMatchObject({ ready: true });
});

// Else the capacity of all its other pools would be 0 while a large one is being made, or a refused one is looked at again.
test("once it was ready, a pool that is being made or opened anew takes nothing from the others", () => {
  const readiness = new NodeReadiness();
  const fast = pool("fast").serves();
  expect(readiness.of([fast], SERVING).ready).toBe(true);
  expect(readiness.of([fast, pool("new").is({ kind: "recovering" })], SERVING).ready).toBe(true);
  expect(readiness.of([fast.is({ kind: "recovering" })], SERVING).ready).toBe(true);
});

test("a pool that another process has is told at any time: there is a second driver of the node", () => {
  const readiness = new NodeReadiness();
  expect(readiness.of([], SERVING).ready).toBe(true);
  expect(readiness.of([pool("fast").is({ kind: "locked" })], SERVING)).toEqual({ ready: false, message: "pool fast is another process's" });
});
