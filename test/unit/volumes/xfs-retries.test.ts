import { expect, test } from "@jest/globals";
import { xfsRetries } from "../../../src/volumes/xfs-retries.ts";

const volume = (xfsNospaceMaxRetries: number | "auto") => ({ parameters: { discardOnDelete: false, xfsNospaceMaxRetries } });

test("xfs waits for a pool that can still be extended, and gives up with one that fails writes", () => {
  expect(xfsRetries(volume("auto"), { queuesWhenFull: true })).toBe("default");
  expect(xfsRetries(volume("auto"), { queuesWhenFull: false })).toBe(0);
  expect(xfsRetries(volume("auto"), undefined)).toBe("default");
});

test("what its volume says is done, whatever the pool does", () => {
  for (const queuesWhenFull of [true, false]) expect(xfsRetries(volume(3), { queuesWhenFull })).toBe(3);
});
