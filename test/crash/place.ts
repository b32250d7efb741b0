import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import type { Backing } from "../../src/config/pool-description.ts";
import { isOnLvm } from "../contract/choice.ts";
import type { Orders } from "./child.ts";
import { isPoolDevice } from "../../src/pool/names.ts";
import { dm, POOL, type Place } from "./real-driver.ts";

const DISK = "/run/dmthin-crash-disk";

/** Prepares a guest's two disks: the first becomes an ext4 with catalogue and metadata, since the guest's root is the host's; the second is the pool's data. */
export function makePlace(): Place {
  const [first, second] = (process.env["LAB_DISKS"] ?? "").split(" ");
  if (first === undefined || second === undefined) throw new Error("this test needs a guest with two disks: npm run test:crash");
  execFileSync("mkfs.ext4", ["-q", "-F", first]);
  execFileSync("dd", ["if=/dev/zero", `of=${second}`, "bs=1M", "count=1", "status=none"]);
  mkdirSync(DISK, { recursive: true });
  execFileSync("mount", [first, DISK]);
  writeFileSync(`${DISK}/metadata`, "");
  truncateSync(`${DISK}/metadata`, 64 * 1024 * 1024);
  const metadata = execFileSync("losetup", ["--find", "--show", `${DISK}/metadata`], { encoding: "utf8" }).trim();
  mkdirSync(`${DISK}/state`);
  return placeOn({ state: `${DISK}/state`, data: second, metadata });
}

/** With the backing that these tests were asked for: on LVM all of the pool is on its data's disk. */
export const placeOn = (place: Place): Place => (isOnLvm ? { ...place, backing: wholeDisk(place.data) } : place);

const wholeDisk = (disk: string): Backing => ({
  kind: "directLvm",
  devices: [disk],
  metadataDevices: [],
  volumeGroup: `dmthin-${POOL}`,
  thinpPercent: 50,
  thinpMetaPercent: 1,
  force: false,
});

/** Takes everything down that is on the disks, for the next test file. */
export function clearPlace({ metadata }: Place, mountPoints: readonly string[] = []): void {
  for (const mountPoint of mountPoints) execFileSync("umount", [mountPoint]);
  unmountCatalogue(`${DISK}/state`);
  const ours = dm.list().filter(({ name }) => name.startsWith(`dmthin-${POOL}-`));
  for (const { uuid } of ours.filter((device) => !isPoolDevice(device))) dm.remove(uuid);
  for (const { uuid } of ours.filter(isPoolDevice)) dm.remove(uuid);
  removeLvmDevices();
  execFileSync("losetup", ["--detach", metadata]);
  execFileSync("umount", [DISK]);
}

/** On LVM it is a volume of its own, which drivers that are killed leave mounted. */
export function unmountCatalogue(state: string): void {
  for (const _ of ["the volume", "its folder, bound to itself"]) spawnSync("umount", [`${state}/${POOL}/catalog-volume`]);
}

/** What is left of a volume group whose pool's device may be gone; nothing elsewhere. */
export function removeLvmDevices(): void {
  for (const name of ["pool", "pool_tdata", "pool_tmeta", "catalog"]) spawnSync("dmsetup", ["remove", `dmthin--${POOL}-${name}`]);
  rmSync(`/dev/dmthin-${POOL}`, { recursive: true, force: true });
}

export interface ChildEnd {
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly log: string;
}

/** Runs a bundled program to its end. */
export async function runChild(program: string, orders: Orders): Promise<ChildEnd> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program, JSON.stringify(orders)], { stdio: ["ignore", "pipe", "pipe"] });
  let [output, log] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => child.on("close", (_, signal) => resolve(signal)));
  return { signal, lines: output.split("\n").filter((line) => line !== ""), log };
}
