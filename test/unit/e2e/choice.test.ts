import { expect, test } from "@jest/globals";
import type { Case } from "../../e2e/case.ts";
import { ALL, choose } from "../../e2e/choice.ts";

const run = async (): Promise<void> => undefined;
const cases: readonly Case[] = [
  { name: "claim, ext4", run },
  { name: "claim, xfs", run },
  { name: "API server stopped", long: true, run },
];
const chosen = (...words: readonly string[]) => choose(cases, words).map(({ name }) => name);

test("what takes minutes is left out unless it is asked for", () => {
  expect(chosen()).toEqual(["claim, ext4", "claim, xfs"]);
  expect(chosen(ALL)).toEqual(["claim, ext4", "claim, xfs", "API server stopped"]);
});

test("words choose by names, the long ones too", () => {
  expect(chosen("xfs", "stopped")).toEqual(["claim, xfs", "API server stopped"]);
  expect(chosen("ext3")).toEqual([]);
});
