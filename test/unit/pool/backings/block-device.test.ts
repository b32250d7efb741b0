import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { findBlockDevice } from "../../../../src/pool/backings/block-device.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "block-device-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("what is missing, or no device, is no block device", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(await findBlockDevice(join(folder, "nothing"))).toBeUndefined();
  expect(await findBlockDevice(join(file, "below"))).toBeUndefined();
  expect(await findBlockDevice(file)).toBeUndefined();
  expect(await findBlockDevice("/dev/null")).toBeUndefined();
});

test("what cannot be looked at is not taken for missing", async () => {
  const circle = join(folder, "circle");
  symlinkSync(circle, circle);
  await expect(findBlockDevice(circle)).rejects.toThrow(/ELOOP/);
});
