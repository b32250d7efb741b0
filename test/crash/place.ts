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
  const place = { state: `${DISK}/state`, data: second, metadata };
  return isOnLvm ? { ...place, backing: wholeDisk(second) } : place;
}

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
  for (const _ of ["the volume", "its folder, bound to itself"]) spawnSync("umount", [`${DISK}/state/${POOL}/catalog-volume`]);
  const ours = dm.list().filter(({ name }) => name.startsWith(`dmthin-${POOL}-`));
  for (const { uuid } of ours.filter((device) => !isPoolDevice(device))) dm.remove(uuid);
  for (const { uuid } of ours.filter(isPoolDevice)) dm.remove(uuid);
  for (const name of ["pool", "pool_tdata", "pool_tmeta", "catalog"]) spawnSync("dmsetup", ["remove", `dmthin--${POOL}-${name}`]);
  rmSync(`/dev/dmthin-${POOL}`, { recursive: true, force: true });
  execFileSync("losetup", ["--detach", metadata]);
  execFileSync("umount", [DISK]);
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
