import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { Catalog } from "../../../src/catalog/catalog.ts";
import { bytes, KiB, MiB } from "../../../src/units.ts";
import { VolumeUser } from "../../demo/volume-user.ts";
import { Driver } from "../../harness/driver.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { devices, labDisks as DISKS } from "../../harness/standing.ts";
import { describePool, dm, endsOf, GROUP, lvm, newState, openPool, removeState, tool } from "./rig.ts";
import { run } from "../../../src/exec/run.ts";
import { createBacking } from "../../../src/pool/backings/create-backing.ts";
import { DirectLvm } from "../../../src/pool/backings/direct-lvm.ts";
import { silentLogger } from "../../../src/logger.ts";

jest.setTimeout(180_000);
const [FIRST = "", SECOND = "", THIRD = ""] = DISKS;
const SIZE = 256 * MiB;
let folder: string;

beforeAll(() => cleanMachine());
beforeEach(() => {
  folder = newState();
});
afterEach(() => {
  cleanMachine();
  removeState(folder);
});

const sharedOut = async (): Promise<Readonly<Record<string, readonly string[]>>> =>
  Object.fromEntries((await lvm(...DISKS).logicalVolumes(GROUP)).map(({ name, uuid, tags }) => [name, [uuid, ...tags]]));

test("a pool on two disks serves a volume's whole life, through a kill of the driver; the second start finds all that the first has made", async () => {
  const config = { nodeName: "direct", pools: [{ name: "direct", backing: { directLvm: { devices: [SECOND, THIRD], metadataDevices: [FIRST] } } }] };
  let driver = await Driver.start(folder, config);
  let user = new VolumeUser(driver.client, folder);
  const made = await sharedOut();
  const id = await user.create("a", SIZE);
  await user.stage(id);
  const target = await user.publish(id);
  writeFileSync(join(target, "file"), "written", { flush: true });
  const snapshot = await user.snapshot("s", id);
  writeFileSync(join(target, "file"), "changed", { flush: true });
  await driver.stop("SIGKILL");

  driver = await Driver.start(folder, config);
  user = new VolumeUser(driver.client, folder);
  expect(await sharedOut()).toEqual(made);
  expect(readFileSync(join(target, "file"), "utf8")).toBe("changed");
  const restored = await user.create("restored", SIZE, { snapshot });
  await user.stage(restored);
  expect(readFileSync(join(await user.publish(restored), "file"), "utf8")).toBe("written");
  await user.expand(id, 2 * SIZE);
  expect(Number(tool("findmnt", "-bno", "SIZE", "--target", target).trim())).toBeGreaterThan(1.5 * SIZE);
  const clone = await user.create("clone", 2 * SIZE, { volume: id });
  await user.release(restored);
  await user.release(id);
  for (const each of [clone, restored, id]) await user.delete(each);
  await user.deleteSnapshot(snapshot);
  expect(await driver.stop()).toBe(0);

  const active = devices(dm)
    .map(({ name }) => name)
    .toSorted();
  expect(active).toEqual(["dmthin--direct-catalog", "dmthin--direct-pool", "dmthin--direct-pool_tdata", "dmthin--direct-pool_tmeta"]);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain("catalog-volume");
  const onFirst = tool(
    "lvm",
    "lvs",
    "--devices",
    DISKS.join(","),
    "--all",
    "--noheadings",
    "--separator",
    " ",
    "-o",
    "lv_name,devices,seg_monitor,lv_profile",
    GROUP,
  );
  expect(onFirst).toMatch(new RegExp(`^ *catalog ${FIRST}`, "m"));
  expect(onFirst).toMatch(new RegExp(`pool_tmeta\\] ${FIRST}`));
  expect(onFirst).toMatch(/^ *pool pool_tdata\(0\) not (monitored|enabled) dmthin-direct$/m);
  expect(readFileSync("/etc/lvm/profile/dmthin-direct.profile", "utf8")).toBe(
    "activation {\n\tthin_pool_autoextend_threshold=80\n\tthin_pool_autoextend_percent=20\n}\n",
  );
});

test("the catalogue lies on the pool's disks, mounted where no other mount namespace sees it, and a copy of it in the state directory within seconds of a change", async () => {
  const pool = await openPool(folder, { devices: [SECOND] });
  const parameters = { discardOnDelete: false, xfsNospaceMaxRetries: "auto" } as const;
  const volume = {
    id: `vol-${"a".repeat(26)}`,
    name: "a",
    sizeBytes: bytes(32 * MiB),
    origin: { kind: "blank" },
    filesystem: undefined,
    capabilities: [],
    mkfsOptions: [],
    parameters,
  } as const;
  await pool.calls.createVolume(volume);
  const volumes = join(folder, "direct", "catalog-volume");
  expect(existsSync(join(volumes, "catalog.db"))).toBe(true);
  expect(existsSync(join(folder, "direct", "catalog.db"))).toBe(false);
  expect(tool("findmnt", "-no", "FSTYPE,PROPAGATION", volumes)).toMatch(/ext4 +private/);
  const copy = join(folder, "direct", "catalog-copy.db");
  const known = (): readonly string[] => {
    mkdirSync(join(folder, "read"), { recursive: true });
    writeFileSync(join(folder, "read", "catalog.db"), readFileSync(copy));
    const catalog = Catalog.open(join(folder, "read", "catalog.db"), "boot", { name: "direct", uuid: "none", chunkSize: bytes(512 * KiB) });
    const ids = [...catalog.thins.keys()];
    catalog.close();
    removeState(join(folder, "read"));
    return ids;
  };
  await sleep(4_000);
  expect(known()).toEqual([volume.id]);
  await pool.calls.remove(volume.id);
  await pool.close(10_000);
  expect(known()).toEqual([]);
});

test("a disk is added while the pool serves, and wiping gives all of them back blank, for a pool to be made of them anew", async () => {
  const wish = { devices: [SECOND] };
  const pool = await openPool(folder, wish);
  tool("mkfs.ext4", "-q", THIRD);
  await expect(pool.calls.addDevices([THIRD])).rejects.toThrow(new RegExp(`${THIRD}: it holds ext4`));
  tool("wipefs", "--all", "--quiet", THIRD);
  cleanMachineOf(THIRD);
  await pool.calls.addDevices([THIRD]);
  await pool.calls.addDevices([THIRD]);
  const before = pool.view.figures?.data.total ?? 0;
  await pool.calls.extend("data", "max");
  expect(pool.view.figures?.data.total).toBeGreaterThan(before * 1.3);
  await pool.close(10_000);

  const again = await openPool(folder, wish);
  expect(again.view.figures?.data.total).toBeGreaterThan(before * 1.3);
  await again.close(10_000);

  const parts = { dm, stateDirectory: join(folder, "direct"), lvmLock: undefined, logger: silentLogger, probe: async () => undefined };
  const backing = createBacking(describePool(wish), parts);
  await backing.wipe?.();
  await backing.wipe?.();
  expect(devices(dm)).toEqual([]);
  for (const disk of [SECOND, THIRD]) expect([disk, endsOf(disk, MiB).every((byte) => byte === 0)]).toEqual([disk, true]);
  expect(existsSync(join("/dev", GROUP))).toBe(false);
  const anew = await openPool(folder, wish);
  expect(anew.view.thins.size).toBe(0);
  await anew.close(10_000);
});

test("wiping that ends while a disk is being blanked goes on when it is repeated, and leaves a disk alone that has another's label", async () => {
  await (await openPool(folder, { devices: [FIRST, SECOND] })).close(10_000);
  tool("lvm", "pvcreate", "--devices", THIRD, THIRD);
  const description = describePool({ devices: DISKS });
  const { backing } = description;
  if (backing.kind !== "directLvm") throw new Error(`its backing is ${backing.kind}`);
  const stateDirectory = join(folder, "direct");
  const parts = { description, backing, dm, stateDirectory, lvmLock: undefined, logger: silentLogger, observe: () => undefined };
  const endsInSecond: typeof run = async (argv, options) => {
    const output = await run(argv, options);
    if (argv[0] !== "wipefs" || argv.at(-1) !== SECOND) return output;
    tool("dd", "if=/dev/zero", `of=${SECOND}`, "bs=4096", "seek=1", "count=255", "conv=fsync,notrunc", "status=none");
    throw new Error("ended here");
  };
  await expect(new DirectLvm({ ...parts, run: endsInSecond }).wipe()).rejects.toThrow("ended here");
  expect(tool("wipefs", SECOND)).toContain("LVM2_member");
  await new DirectLvm({ ...parts, run }).wipe();
  for (const disk of [FIRST, SECOND]) expect([disk, endsOf(disk, MiB).every((byte) => byte === 0)]).toEqual([disk, true]);
  expect(tool("wipefs", THIRD)).toContain("LVM2_member");
  expect(existsSync(join(stateDirectory, "volume-group.json"))).toBe(false);
});

function cleanMachineOf(disk: string): void {
  tool("dd", "if=/dev/zero", `of=${disk}`, "bs=1M", "count=8", "conv=fsync,notrunc", "status=none");
}
