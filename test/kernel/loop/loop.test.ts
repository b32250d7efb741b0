import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { Pool } from "../../../src/pool/pool.ts";
import { bytes, MiB } from "../../../src/units.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { describePool as describeExisting, dm, Machine, newVolume, output, removeVolumes } from "../existing/rig.ts";
import { LoopFiles } from "../../../src/pool/backings/loop-backing.ts";
import { ended } from "../../harness/program.ts";

jest.setTimeout(120_000);
const CONTENT = Buffer.alloc(64 * 1024, "kept ");
let folder: string;
let machine: Machine;

const backing = (directory: string) => {
  const size = { dataSize: bytes(256 * MiB), metadataSize: bytes(16 * MiB), maximumDataSize: bytes(256 * MiB), hostReserve: bytes(0) };
  return { kind: "loop", directory, ...size } as const;
};
const describePool = (name: string, directory: string) => ({ ...describeExisting("", name), backing: backing(directory) });
const open = (name = "loops", directory = join(folder, "pool")): Promise<Pool> => machine.open(describePool(name, directory));

/** Loop devices over a file, by its inode: whatever path it was attached by. */
function loopsOver(path: string): readonly string[] {
  const { ino } = statSync(path);
  const rows = output("losetup", "--list", "--noheadings", "--raw", "--output", "NAME,BACK-INO").split("\n");
  return rows.map((row) => row.split(" ")).flatMap(([name = "", inode]) => (Number(inode) === ino ? [name] : []));
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmthin-loop-test-"));
  machine = new Machine();
});
afterEach(async () => {
  await machine.dispose();
  for (const row of output("losetup", "--list", "--noheadings", "--raw", "--output", "NAME,BACK-FILE").split("\n"))
    if (row.includes(folder)) output("losetup", "--detach", row.split(" ")[0] ?? "");
  ended("umount", [join(folder, "bind")]);
  rmSync(folder, { recursive: true });
});

async function writeVolume(pool: Pool): Promise<void> {
  await pool.calls.createVolume(newVolume("a"));
  writeFileSync((await pool.calls.activate(volumeId("a"), { readOnly: false })).path, CONTENT, { flag: "r+", flush: true });
}

async function expectVolume(pool: Pool): Promise<void> {
  const { path } = await pool.calls.activate(volumeId("a"), { readOnly: true });
  expect(readFileSync(path).subarray(0, CONTENT.length).equals(CONTENT)).toBe(true);
}

/** As after a reboot, or less: the driver and its devices are gone, the files are attached still, or not. */
async function down(pool: Pool, attached: "attached" | "detached"): Promise<void> {
  await machine.close(pool);
  removeVolumes();
  if (attached === "attached") return;
  for (const name of ["data.img", "metadata.img"]) for (const loop of loopsOver(join(folder, "pool", name))) output("losetup", "--detach", loop);
}

test.each<readonly [string, () => void, string]>([
  ["as it was", () => undefined, "pool"],
  ["by a hard link", () => hardLinked(), "linked"],
  ["by a symbolic link to the folder", () => symlinkSync(join(folder, "pool"), join(folder, "symbolic")), "symbolic"],
  ["by a bind mount", () => bound(), "bind"],
])("files that are attached already are found again %s, and not attached twice", async (_, prepare, directory) => {
  const first = await open();
  await writeVolume(first);
  const loops = ["data.img", "metadata.img"].map((name) => loopsOver(join(folder, "pool", name)));
  expect(loops.map(({ length }) => length)).toEqual([1, 1]);
  await down(first, "attached");
  prepare();
  const second = await open("loops", join(folder, directory));
  await expectVolume(second);
  expect(["data.img", "metadata.img"].map((name) => loopsOver(join(folder, "pool", name)))).toEqual(loops);
});

function hardLinked(): void {
  mkdirSync(join(folder, "linked"));
  for (const name of ["data.img", "metadata.img"]) linkSync(join(folder, "pool", name), join(folder, "linked", name));
}

function bound(): void {
  mkdirSync(join(folder, "bind"));
  output("mount", "--bind", join(folder, "pool"), join(folder, "bind"));
}

test("files that somebody has attached at an offset are refused, not attached a second time", async () => {
  await down(await open(), "detached");
  output("losetup", "--find", "--offset", "4096", join(folder, "pool/data.img"));
  await expect(open()).rejects.toMatchObject({ facts: { code: "program-failed", stderr: expect.stringMatching(/overlapping/) } });
  expect(loopsOver(join(folder, "pool/data.img"))).toHaveLength(1);
});

test("many who attach the same files at the same moment get one pair of devices", async () => {
  const path = join(folder, "pool");
  await new LoopFiles("one", backing(path)).provision();
  const attached = await Promise.all(Array.from({ length: 8 }, (_, index) => new LoopFiles(`driver-${index}`, backing(path)).attach()));
  expect(new Set(attached.map(({ data }) => data.path)).size).toBe(1);
  expect(new Set(attached.map(({ metadata }) => metadata.path)).size).toBe(1);
  expect(["data.img", "metadata.img"].map((name) => loopsOver(join(path, name)).length)).toEqual([1, 1]);
});

test("a second driver does not take the files of one that serves, whether that has volumes yet or not", async () => {
  const pool = await open();
  const other = (): Promise<Pool> => open("rival");
  const refusal = { facts: { code: "pool-refused", reason: expect.stringMatching(/in use by another thin pool, dmthin-loops-pool/) } };
  await expect(other()).rejects.toMatchObject(refusal);
  await writeVolume(pool);
  await expect(other()).rejects.toMatchObject({ facts: { code: "pool-refused" } });
  await expectVolume(pool);
  expect(dm.list().filter(({ name }) => name.startsWith("dmthin-rival-"))).toEqual([]);
});

/** Of the metadata: what was there at some moment. */
const metadata = (): string => join(folder, "pool/metadata.img");

test.each([
  ["blank", () => writeFileSync(metadata(), Buffer.alloc(16 * MiB)), /nothing but zeros/],
  ["somebody else's", () => output("mkfs.ext4", "-q", "-F", metadata()), /something that is no thin pool/],
  ["cut short", () => truncateSync(metadata(), 8 * MiB), /it was cut short/],
])("metadata that is %s is refused, and nothing is written to it", async (_, spoil, reason) => {
  const first = await open();
  await writeVolume(first);
  await down(first, "detached");
  const kept = readFileSync(metadata());
  spoil();
  const spoilt = readFileSync(metadata());
  await expect(open()).rejects.toMatchObject({ facts: { code: "pool-refused", reason: expect.stringMatching(reason) } });
  expect(readFileSync(metadata()).equals(spoilt)).toBe(true);
  for (const name of ["data.img", "metadata.img"]) for (const loop of loopsOver(join(folder, "pool", name))) output("losetup", "--detach", loop);
  writeFileSync(metadata(), kept);
  await expectVolume(await open());
});

test("metadata of an earlier time is refused", async () => {
  const first = await open();
  await down(first, "detached");
  const old = readFileSync(metadata());
  const second = await open();
  await writeVolume(second);
  await second.calls.createVolume(newVolume("b"));
  await down(second, "detached");
  const kept = readFileSync(metadata());
  writeFileSync(metadata(), old);
  await expect(open()).rejects.toMatchObject({ facts: { code: expect.stringMatching(/refused/) } });
  expect(readFileSync(metadata()).equals(old)).toBe(true);
  for (const name of ["data.img", "metadata.img"]) for (const loop of loopsOver(join(folder, "pool", name))) output("losetup", "--detach", loop);
  writeFileSync(metadata(), kept);
  await expectVolume(await open());
});

test("metadata of another pool is refused, also one that has done as much", async () => {
  const [one, two] = [await open("one", join(folder, "one")), await open("two", join(folder, "two"))];
  for (const pool of [one, two]) await writeVolume(pool);
  for (const pool of [one, two]) await machine.close(pool);
  removeVolumes();
  for (const directory of ["one", "two"])
    for (const name of ["data.img", "metadata.img"]) for (const loop of loopsOver(join(folder, directory, name))) output("losetup", "--detach", loop);
  await expect(open("three", join(folder, "two"))).rejects.toMatchObject({
    facts: { code: "pool-refused", reason: expect.stringMatching(/does not know|no catalogue knows/) },
  });
  await expectVolume(await open("two", join(folder, "two")));
});
