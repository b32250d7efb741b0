import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { Catalog } from "../../../src/catalog/catalog.ts";
import { bytes, KiB } from "../../../src/units.ts";
import { contentOf } from "../disk-content.ts";
import { disks, fileIn, firstBlock, GiB, Place, POOL, putFile, scribble, sh } from "./place.ts";

jest.setTimeout(240_000);

const SECTORS = (mebibytes: number): number => mebibytes * 2048;
const PARTS = [
  ["onto-metadata", 0, 16],
  ["onto-spare", 16, 32],
  ["onto-data", 64, 512],
] as const;
const path = (name: string): string => `/dev/mapper/${name}`;
let place: Place;

beforeEach(() => {
  const [, disk] = disks();
  sh("dd", "if=/dev/zero", `of=${disk}`, "bs=1M", "count=66", "status=none");
  for (const [name, from, size] of PARTS) sh("dmsetup", "create", name, "--table", `0 ${SECTORS(size)} linear ${disk} ${SECTORS(from)}`);
  place = new Place("onto", { backing: { devices: { data: path("onto-data"), metadata: path("onto-metadata") } } });
});
afterEach(() => place.dispose());

test("metadata on a device is repaired onto another, which has to be blank; the old stays, and a pool that is wiped leaves its devices blank", async () => {
  const { driver, user } = await place.start();
  const id = await user().create("one", GiB / 2);
  await user().stage(id);
  const sum = putFile(await user().publish(id), 4 * 1024 * 1024);
  await user().release(id);
  await driver.stop();
  place.clear();
  scribble(path("onto-metadata"), 0, Buffer.alloc(4096, 0x5a));
  expect(place.pool("repair", "--yes").error).toContain("--onto DEVICE");
  sh("mkfs.ext4", "-q", path("onto-spare"));
  expect(place.pool("repair", "--yes", "--onto", path("onto-spare")).error).toContain("holds ext4");
  expect(place.pool("repair", "--yes", "--onto", path("onto-data")).error).toContain("is the pool's own");
  sh("wipefs", "--all", "--quiet", path("onto-spare"));
  sh("dd", "if=/dev/zero", `of=${path("onto-spare")}`, "bs=1M", "count=32", "status=none", "conv=fsync");
  const repaired = place.pool("repair", "--yes", "--onto", path("onto-spare"));
  expect(repaired).toMatchObject({ code: 0 });
  expect(repaired.output).toContain("Nothing was lost: 1 looked at.");
  expect(repaired.output).toContain("backing.devices.metadata");
  expect(firstBlock(path("onto-metadata")).every((byte) => byte === 0x5a)).toBe(true);

  place.useConfig((text) => text.replace(path("onto-metadata"), path("onto-spare")));
  const again = await place.start();
  const as = again.user();
  await as.stage(id);
  expect(fileIn(await as.publish(id))).toBe(sum);
  await as.release(id);
  await as.delete(id);
  await again.driver.stop();
  expect(place.pool("remove", "--wipe", "--yes")).toMatchObject({ code: 0 });
  for (const name of ["onto-spare", "onto-data"]) expect(firstBlock(path(name)).every((byte) => byte === 0)).toBe(true);
});

/** Answers a look at whether they are as they were, from the first byte to the last, and can be mounted. */
function somebodysFilesystems(): () => void {
  const theirs = ["onto-data", "onto-metadata"].map(path);
  for (const device of theirs) sh("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", device);
  const before = theirs.map(contentOf);
  const mountPoint = join(place.disk, "theirs");
  mkdirSync(mountPoint);
  return () => {
    expect(theirs.map(contentOf)).toEqual(before);
    for (const device of theirs) {
      sh("mount", "--options", "ro,noload", device, mountPoint);
      sh("umount", mountPoint);
    }
  };
}

test("devices with somebody's filesystems, named for a pool that was never made, stay as they are whoever removes it", () => {
  const requireUntouched = somebodysFilesystems();
  place.writeConfig();
  expect(place.pool("remove", "--wipe", "--yes")).toMatchObject({ code: 1, output: "", error: expect.stringContaining("never made here") });
  requireUntouched();
  expect(place.pool("remove", "--yes")).toMatchObject({ code: 0, output: expect.stringContaining("nothing was done") });
  requireUntouched();
});

test("a catalogue that was begun, for a pool that was never made, is no leave to wipe the devices that it names", () => {
  const requireUntouched = somebodysFilesystems();
  place.writeConfig();
  const folder = join(place.state, POOL);
  mkdirSync(folder, { recursive: true });
  Catalog.open(join(folder, "catalog.db"), "this boot", { name: POOL, uuid: randomUUID(), chunkSize: bytes(64 * KiB) }).close();
  expect(place.pool("remove", "--wipe", "--yes")).toMatchObject({
    code: 1,
    output: "",
    error: expect.stringContaining("no catalogue here tells that it was ever made"),
  });
  requireUntouched();
  expect(existsSync(join(folder, "catalog.db"))).toBe(true);
  expect(place.pool("remove", "--yes")).toMatchObject({ code: 0, output: expect.stringContaining("is removed") });
  requireUntouched();
});

test("a file of a pool's in a loop pool's directory that was never made here is left to whoever put it there", () => {
  place.useConfig((text) =>
    text.replace(/"backing":\{.*?\}\}/, `"backing":{"loop":{"directory":"${place.loopFolder}","dataSize":"2Gi","metadataSize":"16Mi"}}`),
  );
  place.writeConfig();
  mkdirSync(place.loopFolder);
  const foreign = join(place.loopFolder, "data.img");
  writeFileSync(foreign, "somebody's");
  expect(place.pool("remove", "--wipe", "--yes")).toMatchObject({ code: 1, error: expect.stringContaining("never made here") });
  expect(place.pool("remove", "--yes")).toMatchObject({ code: 0, output: expect.stringContaining("nothing was done") });
  expect(readFileSync(foreign, "utf8")).toBe("somebody's");
});
