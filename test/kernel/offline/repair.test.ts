import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { fileIn, GiB, markNeedsCheck, Place, POOL, putFile, scribble, sh } from "./place.ts";

jest.setTimeout(180_000);

let place: Place;
let metadata: string;
const sums = new Map<string, string>();

beforeEach(() => {
  place = new Place("repair", {});
  metadata = join(place.loopFolder, "metadata.img");
});
afterEach(() => place.dispose());

/** A volume of each type with a file, and a snapshot of the first. Answers their ids. */
async function filledPool(): Promise<readonly string[]> {
  const { driver, user } = await place.start();
  const ids: string[] = [];
  for (const type of ["ext4", "xfs", "btrfs"]) {
    const id = await user(type).create(type, GiB);
    await user(type).stage(id);
    sums.set(id, putFile(await user(type).publish(id), 8 * 1024 * 1024));
    await user(type).release(id);
    ids.push(id);
  }
  ids.push(await user().snapshot("moment", ids[0] ?? ""));
  await driver.stop();
  return ids;
}

async function expectContents(ids: readonly string[]): Promise<void> {
  const { driver, user } = await place.start();
  for (const [index, id] of ids.entries()) {
    const as = user(["ext4", "xfs", "btrfs"][index]);
    await as.stage(id);
    expect(fileIn(await as.publish(id))).toBe(sums.get(id));
    await as.release(id);
  }
  await driver.stop();
}

test("a pool that is well is found well, and a running driver, or a volume in use, refuses the look", async () => {
  const [first = ""] = await filledPool();
  const { driver, user } = await place.start();
  const refused = place.pool("check");
  expect(refused.code).toBe(1);
  expect(refused.error).toContain("a driver or another command has it");
  await user().stage(first);
  await user().publish(first);
  await driver.stop();
  expect(place.pool("check").error).toContain(`${first} (/dev/dm-`);
  expect(place.pool("repair", "--yes").error).toContain("unmount them");
  const again = await place.start();
  await again.user().release(first);
  await again.driver.stop();
  const { code, output } = place.pool("check");
  expect(output).toContain("each is as the catalogue says");
  expect({ code, problems: output.includes("problem") }).toEqual({ code: 0, problems: false });
});

test("a superblock that is gone is written anew by what the catalogue knows; nothing is lost, and the old metadata is kept", async () => {
  const ids = await filledPool();
  place.clear();
  sh("losetup", "--detach-all");
  scribble(metadata, 0, Buffer.alloc(4096));
  const damaged = readFileSync(metadata);
  const checked = place.pool("check");
  expect(checked.code).toBe(1);
  expect(checked.output).toContain("dmthin pool repair hand");
  const planned = place.pool("repair");
  expect(planned.code).toBe(1);
  expect(planned.error).toContain("What will be done:");
  expect(planned.error).toContain("Nothing was done.");
  expect(readFileSync(metadata).equals(damaged)).toBe(true);
  const repaired = place.pool("repair", "--yes");
  expect(repaired.output).toContain("The metadata was written anew.");
  for (const id of ids) expect(repaired.output).toMatch(new RegExp(`intact +(volume|snapshot) ${id} `));
  expect(repaired.output).toContain("Nothing was lost: 4 looked at.");
  expect(repaired.code).toBe(0);
  const kept = readdirSync(place.loopFolder).filter((name) => name.startsWith("metadata.img.before-repair-"));
  expect(kept).toHaveLength(1);
  expect(readFileSync(join(place.loopFolder, kept[0] ?? "")).equals(damaged)).toBe(true);
  await expectContents(ids.slice(0, 3));
});

test("metadata that lost a volume and lies about another is repaired, and both are named", async () => {
  const ids = await filledPool();
  place.clear();
  sh("losetup", "--detach-all");
  // The xfs volume is gone, and half of what the btrfs volume maps; then the superblock's checksum is wrong.
  const dump = sh("thin_dump", metadata);
  const without = dump.replace(/ *<device dev_id="2"[\s\S]*?<\/device>\n/, "");
  expect(without.length).toBeLessThan(dump.length);
  const xml = join(place.disk, "edited.xml");
  writeFileSync(
    xml,
    without.replace(
      /(<device dev_id="3"[^>]*>\n)[\s\S]*?(<\/device>)/,
      (_, open: string, close: string) => `${open.replace(/mapped_blocks="\d+"/, 'mapped_blocks="0"')}${close}`,
    ),
  );
  // Else thin_repair would find the roots from before, and everything with them.
  scribble(metadata, 0, Buffer.alloc(16 * 1024 * 1024));
  sh("thin_restore", "--input", xml, "--output", metadata);
  scribble(metadata, 100, Buffer.from([0xff]));
  const { code, output } = place.pool("repair", "--yes");
  expect(code).toBe(1);
  expect(output).toMatch(new RegExp(`intact +volume ${ids[0]} `));
  expect(output).toMatch(new RegExp(`lost +volume ${ids[1]} .*: its thin\\s+device\\s+2\\s+is\\s+gone`));
  expect(output).toMatch(new RegExp(`damaged +volume ${ids[2]} `));
  expect(output).toContain("2 of 4 have lost something");
  await expectContents(ids.slice(0, 1));
});

test("without a catalogue nothing is begun that cannot be ended: what is left to do is said; a copy of it tells enough, and import follows", async () => {
  const ids = await filledPool();
  place.clear();
  sh("losetup", "--detach-all");
  const copy = readFileSync(join(place.loopFolder, "catalog-copy.db"));
  rmSync(join(place.loopFolder, "catalog-copy.db"));
  rmSync(place.state, { recursive: true });
  scribble(metadata, 0, Buffer.alloc(4096));
  const damaged = readFileSync(metadata);
  const repaired = place.pool("repair", "--yes");
  expect(repaired.code).toBe(1);
  expect(repaired.error).toMatch(/no catalogue tells what it should say .*: nothing was changed; find a copy of its catalogue in a backup/);
  const imported = place.pool("import", "--yes");
  expect(imported).toMatchObject({ code: 1, error: expect.stringContaining("dmthin pool repair hand saves what can be saved") });
  expect(readFileSync(metadata).equals(damaged)).toBe(true);
  expect(readdirSync(place.loopFolder).toSorted()).toEqual(["data.img", "metadata.img"]);

  mkdirSync(join(place.state, POOL), { recursive: true });
  writeFileSync(join(place.state, POOL, "catalog-copy.db"), copy);
  const again = place.pool("repair", "--yes");
  expect(again.output).toContain("The metadata was written anew.\nWhat it holds was not looked at");
  expect(again.output.replaceAll(/\s+/g, " ")).toContain("To do: bring its catalogue back: dmthin pool import hand");
  expect(again.code).toBe(0);
  expect(place.pool("import", "--yes").output).toContain("from a copy of its catalogue: 3 volumes, 1 snapshot.");
  await expectContents(ids.slice(0, 3));
});

test("metadata marked needs_check, and sound, has its mark cleared and nothing else changed", async () => {
  const ids = await filledPool();
  place.clear();
  sh("losetup", "--detach-all");
  markNeedsCheck(metadata);
  const checked = place.pool("check");
  expect(checked.code).toBe(1);
  expect(checked.output).toContain("needs_check");
  const { code, output } = place.pool("repair", "--yes");
  expect({ code, first: output.split("\n")[0] }).toEqual({ code: 0, first: "The metadata was sound, and its mark is cleared." });
  expect(place.pool("check").code).toBe(0);
  await expectContents(ids.slice(0, 3));
});
