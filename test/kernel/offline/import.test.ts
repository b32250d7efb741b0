import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { silentLogger } from "../../../src/logger.ts";
import { removeClosedPool } from "../../../src/offline/beside-driver.ts";
import { bytes, MiB } from "../../../src/units.ts";
import { snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import { describePool } from "../existing/rig.ts";
import { disks, fileIn, GiB, Place, POOL, putFile, sh } from "./place.ts";

jest.setTimeout(180_000);

let place: Place;
beforeEach(() => {
  const [, second] = disks();
  sh("dd", "if=/dev/zero", `of=${second}`, "bs=1M", "count=1", "status=none");
  place = new Place("import", {});
});
afterEach(() => place.dispose());

const MEBIBYTE = 1024 ** 2;
const catalog = (): string => join(place.state, POOL, "catalog.db");

test("a pool whose state directory is gone comes back from a copy: what came since is an orphan, what went is named, and contents are as they were", async () => {
  const { driver, user } = await place.start();
  const kept = await user().create("kept", GiB);
  await user().stage(kept);
  const sum = putFile(await user().publish(kept), 4 * MEBIBYTE);
  await user().release(kept);
  const gone = await user().create("gone", GiB);
  await driver.stop();
  const copy = join(place.disk, "copy.db");
  copyFileSync(catalog(), copy);
  const second = await place.start();
  await second.user().delete(gone);
  await second.user().snapshot("since", kept);
  await second.driver.stop();
  place.clear();
  rmSync(place.state, { recursive: true });

  const { code, output } = place.pool("import", "--catalogue", copy, "--yes");
  expect(code).toBe(0);
  expect(output).toContain(`from a copy of its catalogue: 1 volume, 0 snapshots`);
  expect(output).toContain(`${gone} (gone) is not there any more`);
  expect(output).toContain("1 thin device is an orphan");
  const third = await place.start();
  const as = third.user();
  await as.stage(kept);
  expect(fileIn(await as.publish(kept))).toBe(sum);
  await as.release(kept);
  const [number = 0] = (
    JSON.parse(place.dmthin("pool", "orphans", POOL, "--json", "--socket", place.socket).output) as readonly { readonly number: number }[]
  ).map((each) => each.number);
  const adopted = place.dmthin("pool", "orphans", POOL, "--adopt", String(number), "--name", "found", "--socket", place.socket);
  expect(adopted.output).toContain(`is volume ${volumeId("found")} now, found: 1 GiB, ext4.`);
  await as.stage(volumeId("found"));
  expect(fileIn(await as.publish(volumeId("found")))).toBe(sum);
  await as.release(volumeId("found"));
  await third.driver.stop();
  expect(snapshotId("since")).not.toBe("");
});

test("without a catalogue and without a copy everything is an orphan, and is adopted with what it holds; the driver by itself touches nothing", async () => {
  const { driver, user } = await place.start();
  const id = await user("xfs").create("one", GiB);
  await user("xfs").stage(id);
  const sum = putFile(await user("xfs").publish(id), 4 * MEBIBYTE);
  await user("xfs").release(id);
  await driver.stop();
  place.clear();
  for (const path of [place.state, join(place.loopFolder, "catalog-copy.db")]) rmSync(path, { recursive: true, force: true });
  const planned = place.pool("import");
  expect(planned.code).toBe(1);
  expect(planned.error.replaceAll(/\s+/g, " ")).toContain("in which the one thin device is an orphan");
  expect(existsSync(catalog())).toBe(false);
  expect(place.pool("import", "--yes").output).toContain("from its metadata alone: 0 volumes, 0 snapshots");
  const again = await place.start();
  expect(place.dmthin("pool", "orphans", POOL, "--adopt", "1", "--name", "one", "--socket", place.socket).code).toBe(0);
  const as = again.user("xfs");
  await as.stage(id);
  expect(fileIn(await as.publish(id))).toBe(sum);
  await as.release(id);
  await again.driver.stop();
  expect(place.pool("import", "--yes").output).toContain("from its own catalogue: 1 volume");
  // The driver has kept a copy beside the pool's files, of its last moment.
  rmSync(place.state, { recursive: true });
  expect(place.pool("import", "--yes").output).toContain("from a copy of its catalogue: 1 volume, 0 snapshots");
});

test("remove refuses a pool that holds anything; then it lets go, and the pool can be imported; --wipe leaves nothing", async () => {
  const { driver, user } = await place.start();
  const id = await user().create("one", GiB);
  await driver.stop();
  expect(place.pool("remove", "--wipe", "--yes").error).toContain("it holds 1 volume and 0 snapshots");
  const again = await place.start();
  await again.user().delete(id);
  await again.driver.stop();
  const metadata = join(place.loopFolder, "metadata.img");
  const before = readFileSync(metadata);
  expect(place.pool("remove", "--yes").output).toContain("What was on record of it here is kept as ");
  expect(readFileSync(metadata).equals(before)).toBe(true);
  expect(sh("losetup", "--list", "--noheadings")).toBe("");
  expect(readdirSync(place.state).filter((name) => name.startsWith(`${POOL}.removed-`))).toHaveLength(1);
  expect(place.pool("import", "--yes").code).toBe(0);
  expect(place.pool("remove", "--wipe", "--yes").output).toContain("its disks are clean");
  expect([existsSync(place.loopFolder), existsSync(join(place.state, POOL))]).toEqual([false, false]);
  // As a wipe leaves it that is killed while it deletes its record.
  const leaving = join(place.state, `${POOL}.wiped`);
  mkdirSync(leaving);
  writeFileSync(join(leaving, "wiping"), "");
  expect(place.pool("remove", "--wipe", "--yes")).toMatchObject({ code: 0, output: expect.stringContaining("its disks are clean") });
  expect(existsSync(leaving)).toBe(false);
  expect(place.pool("remove", "--wipe", "--yes")).toMatchObject({ code: 1, error: expect.stringContaining("was removed before") });
  mkdirSync(leaving);
  expect(place.pool("remove", "--yes")).toMatchObject({ code: 0, output: expect.stringContaining("its disks are clean") });
  expect(existsSync(leaving)).toBe(false);
  const fresh = await place.start();
  await fresh.user().create("new", GiB);
  await fresh.driver.stop();
});

test("a removal by the driver, killed while it deletes the pool's record, goes on to the end: whether or not the pool was made anew on its blank disks meanwhile", async () => {
  const leaving = join(place.state, `${POOL}.wiped`);
  const backing = { kind: "loop", directory: place.loopFolder, dataSize: bytes(2 * GiB), metadataSize: bytes(16 * MiB) } as const;
  const description = { ...describePool("", POOL), backing: { ...backing, maximumDataSize: bytes(2 * GiB), hostReserve: bytes(0) } };
  for (const isMadeAnew of [false, true]) {
    if (isMadeAnew) await (await place.start()).driver.stop();
    mkdirSync(leaving, { recursive: true });
    writeFileSync(join(leaving, "wiping"), "");
    await removeClosedPool(description, { wipe: true, stateDirectory: place.state, runDirectory: place.runDirectory, logger: silentLogger });
    expect([leaving, join(place.state, POOL), place.loopFolder].map((path) => existsSync(path))).toEqual([false, false, false]);
  }
});
