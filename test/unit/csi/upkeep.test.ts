import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdminServer } from "../../../src/csi/admin-service.ts";
import { askUpkeep } from "../../../src/csi/upkeep-client.ts";
import { silentLogger } from "../../../src/logger.ts";
import { GiB } from "../../../src/units.ts";
import { fakeTrims } from "./fake-trims.ts";
import { FakeUpkeep } from "./fake-upkeep.ts";

let folder: string;
let fake: FakeUpkeep;
let server: ReturnType<typeof createAdminServer>;
const client = () => askUpkeep(join(folder, "admin.sock"));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmthin-upkeep-"));
  fake = new FakeUpkeep();
  server = createAdminServer({ pools: () => [], upkeep: fake, trims: fakeTrims, version: "1.2.3", node: "node-1", logger: silentLogger });
  await server.listen(join(folder, "admin.sock"));
});
afterEach(async () => {
  await server.close(AbortSignal.abort());
  await rm(folder, { recursive: true });
});

test("orphans come with their size, and with what is known of their age", async () => {
  expect(await client().orphans("fast")).toEqual([
    { number: 9, mappedBytes: GiB, transactionId: 3, notBefore: new Date(1_700_000_000_000), notAfter: undefined },
  ]);
});

test("an adoption carries number, name and size, and one without a size leaves it to what the orphan holds", async () => {
  expect(await client().adopt("fast", { number: 9, name: "found", sizeBytes: 2 * GiB })).toEqual({
    id: "vol-x",
    sizeBytes: 2 * GiB,
    filesystem: "ext4",
    manifest: "",
    letGoFirst: [],
  });
  await client().adopt("fast", { number: 9, name: "found", sizeBytes: undefined });
  expect(fake.asked).toEqual([
    { pool: "fast", number: 9, name: "found", sizeBytes: 2 * GiB },
    { pool: "fast", number: 9, name: "found", sizeBytes: undefined },
  ]);
});

test("an adoption tells what makes the volume known in its cluster", async () => {
  fake.known = { manifest: "kind: ThinVolume\n", letGoFirst: ["kubectl delete"] };
  expect(await client().adopt("fast", { number: 9, name: "found", sizeBytes: undefined })).toMatchObject(fake.known);
});

test("a volume that its cluster does not know comes with what makes it known, by its id or name, of one pool or of any", async () => {
  expect(await client().makeKnown("pvc-1", "")).toEqual({ id: "vol-x", manifest: "kind: ThinVolume\n", letGoFirst: [] });
  fake.known = { letGoFirst: ["kubectl delete"] };
  expect(await client().makeKnown("vol-x", "slow")).toMatchObject({ letGoFirst: ["kubectl delete"] });
  expect(fake.asked).toEqual([
    { volume: "pvc-1", pool: "fast" },
    { volume: "vol-x", pool: "slow" },
  ]);
  await expect(client().makeKnown("", "")).rejects.toMatchObject({ message: "say which volume", isSilent: false });
});

test("a deletion says whether it waits", async () => {
  expect([await client().remove("fast", 9), await client().remove("fast", 8)]).toEqual([{ waiting: false }, { waiting: true }]);
});

test("an extension says what is to grow, and to what, by what, or as far as it goes", async () => {
  expect(await client().extend("fast", "data", { to: 2 * GiB })).toEqual({ fromBytes: GiB, toBytes: 2 * GiB });
  await client().extend("fast", "metadata", { by: GiB });
  await client().extend("fast", "data", "max");
  expect(fake.asked).toEqual([
    { pool: "fast", part: "data", target: { to: 2 * GiB } },
    { pool: "fast", part: "metadata", target: { by: GiB } },
    { pool: "fast", part: "data", target: "max" },
  ]);
});

test("disks are added by their paths, which are absolute", async () => {
  await client().addDevices("fast", ["/dev/sdb", "/dev/sdc"]);
  expect(fake.asked).toEqual([{ pool: "fast", paths: ["/dev/sdb", "/dev/sdc"] }]);
  await expect(client().addDevices("fast", ["sdb"])).rejects.toMatchObject({ message: "a disk is named by its absolute path: sdb" });
});

test("a trim tells what was given back, or why there was nothing to do", async () => {
  expect(await client().trim("vol-x", "fast")).toEqual({ givenBackBytes: GiB, leftAlone: "" });
  expect(await client().trim("vol-block", "fast")).toEqual({ givenBackBytes: 0, leftAlone: "it is a block volume" });
  await expect(client().trim("vol-y", "fast")).rejects.toMatchObject({ message: "there is no volume vol-y", isSilent: false });
  await expect(client().trim("", "fast")).rejects.toMatchObject({ message: "say which volume, and in which pool" });
});

test("a driver without pools has no volumes, and no pool of any name", async () => {
  expect(await client().volumes("")).toEqual({ volumes: [], notServing: [] });
  await expect(client().volumes("fast")).rejects.toMatchObject({ message: expect.stringContaining("there is no pool fast"), isSilent: false });
});

test("what the driver refuses comes in its own words, and is told from a driver that is not there", async () => {
  await expect(client().orphans("slow")).rejects.toMatchObject({ message: "there is no pool slow", isSilent: false });
  await expect(client().adopt("fast", { number: 9, name: "", sizeBytes: undefined })).rejects.toMatchObject({ message: "an adopted orphan needs a name" });
  await expect(askUpkeep(join(folder, "nobody.sock")).orphans("fast")).rejects.toMatchObject({ isSilent: true });
});
