import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deviceIdentity } from "../../../src/filesystem/identity.ts";
import { setXfsNospaceRetries } from "../../../src/filesystem/xfs-retries.ts";

let sys = "";
beforeAll(async () => {
  sys = await mkdtemp(join(tmpdir(), "dmthin-sys-"));
  const device = join(sys, "devices/virtual/block/dm-3/dm");
  await mkdir(device, { recursive: true });
  await mkdir(join(sys, "dev/block"), { recursive: true });
  await symlink("../../devices/virtual/block/dm-3", join(sys, "dev/block/254:3"));
  await writeFile(join(device, "uuid"), "DMTHIN-pool-vol-1\n");
  await writeFile(join(device, "suspended"), "1\n");
  const retries = join(sys, "fs/xfs/dm-3/error/metadata/ENOSPC");
  await mkdir(retries, { recursive: true });
  await writeFile(join(retries, "max_retries"), "-1\n");
});
afterAll(async () => rm(sys, { recursive: true }));

test("a device is known by its number alone, and one that has gone is nobody's", async () => {
  expect(await deviceIdentity(sys, 254, 3)).toEqual({ uuid: "DMTHIN-pool-vol-1", suspended: true });
  expect(await deviceIdentity(sys, 254, 4)).toBeUndefined();
});

test("xfs is told how often to try again, and where there is none nothing is made up", async () => {
  const file = join(sys, "fs/xfs/dm-3/error/metadata/ENOSPC/max_retries");
  await setXfsNospaceRetries(sys, 254, 3, 0);
  expect(Number.parseInt(await readFile(file, "utf8"), 10)).toBe(0);
  await setXfsNospaceRetries(sys, 254, 3, "default");
  expect(Number.parseInt(await readFile(file, "utf8"), 10)).toBe(-1);
  await expect(setXfsNospaceRetries(sys, 254, 4, 0)).rejects.toMatchObject({ facts: { code: "kernel-failed", errno: "ENOENT" } });
});
