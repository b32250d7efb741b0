import { expect, test } from "@jest/globals";
import { mergePatch } from "../../../../src/cluster/node/merge-patch.ts";
import { merge } from "../../../simulation/api-store.ts";

const cases = [
  [{}, { a: 1 }],
  [{ a: 1 }, {}],
  [{ a: { b: 1, c: 2 } }, { a: { b: 1, d: 3 } }],
  [{ a: { b: 1 } }, { a: [1] }],
  [{ a: [1, 2] }, { a: [2] }],
  [{ failure: { code: "x", facts: { code: "x", pool: "p" } } }, { failure: { code: "y", facts: { code: "y" } } }],
  [{ failure: { code: "x" } }, { phase: "Ready" }],
  [{ a: "1" }, { a: { b: { c: 1 } } }],
] as const;

test.each(cases)("what it answers makes the second of the first: %j, %j", (from, to) => {
  const patch = mergePatch(from, to);
  expect(patch).toBeDefined();
  expect(merge(from, JSON.parse(JSON.stringify(patch)))).toEqual(to);
});

test("nothing is to be done where nothing has changed; a key that is undefined is none", () => {
  expect(mergePatch({ a: { b: [1] }, c: undefined }, { a: { b: [1] } })).toBeUndefined();
  expect(mergePatch({ a: { b: 1 } }, { a: { b: 1, c: undefined }, d: undefined })).toBeUndefined();
  expect(mergePatch({ a: 1, b: 2 }, { a: undefined, b: 2 })).toEqual({ a: null });
});
