import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { disks, fileIn, GiB, metadataOnDisk, Place, POOL, putFile, scribble, sh } from "./place.ts";

jest.setTimeout(240_000);

let place: Place;
beforeEach(() => {
  const [, disk] = disks();
  sh("dd", "if=/dev/zero", `of=${disk}`, "bs=1M", "count=8", "status=none");
  place = new Place("lvm-by-hand", { backing: { directLvm: { devices: [disk] } } });
});
afterEach(() => place.dispose());

test("a pool on whole disks: checked, its metadata damaged and repaired by LVM's spare, brought back without its state directory, and its disk given back clean", async () => {
  const { driver, user } = await place.start();
  const id = await user().create("one", GiB);
  await user().stage(id);
  const sum = putFile(await user().publish(id), 8 * 1024 * 1024);
  await user().release(id);
  await driver.stop();
  expect(place.pool("check")).toMatchObject({ code: 0 });

  const { disk, offset } = metadataOnDisk();
  scribble(disk, offset, Buffer.alloc(4096, 0x5a));
  sh("sync");
  expect(place.pool("check").code).toBe(1);
  const repaired = place.pool("repair", "--yes");
  expect(repaired).toMatchObject({ code: 0 });
  expect(repaired.output).toMatch(new RegExp(`intact +volume ${id} `));
  expect(repaired.output).toMatch(/To do: .*lvremove/s);

  sh("vgchange", "--activate", "n");
  rmSync(join(place.state, POOL), { recursive: true });
  const unanswered = place.pool("import", "--catalogue", join(place.disk, "copy.db"));
  expect(unanswered).toMatchObject({ code: 1, error: expect.stringContaining("Nothing was done.") });
  expect(existsSync(join(place.state, POOL, "volume-group.json"))).toBe(false);
  expect(place.pool("import", "--yes").output).toContain("from its own catalogue: 1 volume, 0 snapshots");
  const again = await place.start();
  const as = again.user();
  await as.stage(id);
  expect(fileIn(await as.publish(id))).toBe(sum);
  await as.release(id);
  await as.delete(id);
  await again.driver.stop();
  const removed = place.pool("remove", "--wipe", "--yes");
  expect(removed).toMatchObject({ code: 0 });
  expect(sh("wipefs", disks()[1])).toBe("");
  const fresh = await place.start();
  await fresh.user().create("new", GiB);
  await fresh.driver.stop();
});

const loseCatalogue = (): void => void sh("lvremove", "--yes", `dmthin-${POOL}/catalog`);
const hasCatalogue = (): boolean => sh("lvs", "--noheadings", "--options", "lv_name", `dmthin-${POOL}`).includes("catalog");

test("an import that was interrupted is none until it is said again; a catalogue volume that is lost is made anew, from a copy, or from the metadata alone", async () => {
  const { driver, user } = await place.start();
  const id = await user().create("one", GiB);
  await user().stage(id);
  const sum = putFile(await user().publish(id), 8 * 1024 * 1024);
  await user().release(id);
  await driver.stop();
  const folder = join(place.state, POOL);
  const [mark, copy] = ["volume-group.json", "catalog-copy.db"].map((name) => join(folder, name)) as [string, string];
  const kept = join(place.disk, "copy.db");
  copyFileSync(copy, kept);
  const interrupted = readFileSync(mark, "utf8").replace('"made"', '"importing"');
  const interrupt = (): void => {
    sh("vgchange", "--activate", "n");
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    writeFileSync(mark, interrupted);
  };
  interrupt();
  for (const verb of ["check", "repair"])
    expect(place.pool(verb)).toMatchObject({ code: 1, error: expect.stringContaining("its import was interrupted; say it again") });
  expect(place.pool("import", "--catalogue", kept)).toMatchObject({ code: 1, error: expect.stringContaining("Nothing was done.") });
  expect(existsSync(mark)).toBe(false);
  interrupt();
  expect(place.pool("import", "--yes").output).toContain("from its own catalogue: 1 volume, 0 snapshots");
  expect(readFileSync(mark, "utf8")).toContain('"made"');

  loseCatalogue();
  expect(place.pool("check")).toMatchObject({ code: 1, output: expect.stringContaining("there is none") });
  expect(place.pool("import").error.replaceAll(/\s+/g, " ")).toContain("the volume that it lay on is lost, and is made anew");
  expect(hasCatalogue()).toBe(false);
  copyFileSync(kept, copy);
  expect(place.pool("import", "--yes").output).toContain("from a copy of its catalogue: 1 volume, 0 snapshots");
  const again = await place.start();
  const as = again.user();
  await as.stage(id);
  expect(fileIn(await as.publish(id))).toBe(sum);
  await as.release(id);
  await again.driver.stop();

  sh("vgchange", "--activate", "n");
  loseCatalogue();
  rmSync(folder, { recursive: true });
  const last = place.pool("import", "--yes");
  expect(last.output).toContain("from its metadata alone: 0 volumes, 0 snapshots");
  expect(last.output).toContain("1 thin device is an orphan");
  expect(hasCatalogue()).toBe(true);
  const third = await place.start();
  expect(place.dmthin("pool", "orphans", POOL, "--adopt", "1", "--name", "one", "--socket", place.socket).code).toBe(0);
  const owner = third.user();
  await owner.stage(id);
  expect(fileIn(await owner.publish(id))).toBe(sum);
  await owner.release(id);
  await third.driver.stop();
});
