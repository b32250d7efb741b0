import { expect, test } from "@jest/globals";
import { parseUnwritten, unwrittenBytes } from "../../../src/linux/unwritten.ts";

/** Of a kernel 7.2. */
const MEMINFO = `MemTotal:        4030200 kB
Cached:          1196348 kB
Dirty:             77312 kB
Writeback:          1024 kB
WritebackTmp:          8 kB
`;

test("what is dirty and what is being written out, of all filesystems", () => {
  expect(parseUnwritten(MEMINFO)).toBe((77_312 + 1024) * 1024);
  expect(unwrittenBytes()).toBeGreaterThanOrEqual(0);
});
