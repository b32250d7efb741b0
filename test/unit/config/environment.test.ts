import { expect, test } from "@jest/globals";
import { deadManDescriptor } from "../../../src/config/environment.ts";

test("the dead man's pipe is found where the image's init left it, and nowhere else", () => {
  expect(deadManDescriptor({ DMTHIN_DEAD_MAN_FD: "3" })).toBe(3);
  for (const text of ["", "x", "-1", "3 ", "1e3", "99999"]) expect(deadManDescriptor({ DMTHIN_DEAD_MAN_FD: text })).toBeUndefined();
  expect(deadManDescriptor({})).toBeUndefined();
});
