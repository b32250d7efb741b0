import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, realpathSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BLOCK, VolumeUser } from "../demo/volume-user.ts";
import { Driver, SOURCES } from "../harness/driver.ts";
import { backingOf, output, prepare, type BackingKind } from "./backings.ts";

/**
 * Runs in a guest with udevd: tenants write into their volumes what a host would act upon. First it is shown that this
 * host does act: the same content on a device that is not the driver's.
 */
const MiB = 1024 ** 2;
const kind = process.argv[2] as BackingKind;
const FOLDER = "/run/dmthin";
const DISK = "/mnt/system";
const disks = (process.env["LAB_DISKS"] ?? "").split(" ");
const [system = "", large = "", , spare = ""] = disks;
const hasGroup = kind === "directLvm" || kind === "existing";

/** The beginning of a disk that belongs to a volume group with a volume in it: what LVM activates where it finds it. */
function lvmHeader(): Buffer {
  output("vgcreate", "--quiet", "tenants-group", spare);
  output("lvcreate", "--quiet", "--name", "trap", "--extents", "4", "tenants-group");
  output("vgchange", "--activate", "n", "tenants-group");
  const header = readStart(spare);
  output("vgremove", "--force", "--force", "--yes", "tenants-group");
  output("pvremove", "--yes", spare);
  show(spare);
  return header;
}

function readStart(path: string): Buffer {
  const fd = openSync(path, "r");
  const start = Buffer.alloc(2 * MiB);
  readSync(fd, start, 0, start.length, 0);
  closeSync(fd);
  return start;
}

const FILESYSTEM_UUID = "11111111-2222-3333-4444-555555555555";

/** udevd watches for writes, and misses one that comes while it looks: it is told. */
function show(path: string): void {
  output("udevadm", "trigger", "--settle", "--action=change", path);
}

function wipeSpare(): void {
  output("wipefs", "--quiet", "--all", spare);
  show(spare);
}

function filesystem(): Buffer {
  output("mkfs.ext4", "-q", "-F", "-U", FILESYSTEM_UUID, "-L", "tenants-label", spare, "8M");
  const image = readStart(spare);
  wipeSpare();
  return image;
}

function write(path: string, data: Buffer): void {
  const fd = openSync(path, "r+");
  writeSync(fd, data, 0, data.length, 0);
  fsyncSync(fd);
  closeSync(fd);
}

/** Everything by which the host shows that it has looked into a device. */
function traces(): readonly string[] {
  output("udevadm", "settle", "--timeout=20");
  const links = ["by-uuid", "by-label", "by-id"].flatMap((folder) => {
    const path = join("/dev/disk", folder);
    return existsSync(path) ? readdirSync(path).map((name) => `${folder}/${name}`) : [];
  });
  const properties = readdirSync("/sys/class/block").flatMap((name) =>
    output("udevadm", "info", "--query=property", `/sys/class/block/${name}`)
      .split("\n")
      .filter((line) => /^ID_FS_(UUID|TYPE)=/.test(line) && !isHosts(name))
      .map((line) => `${name} ${line}`),
  );
  const active = output("dmsetup", "ls")
    .split("\n")
    .filter((line) => line.startsWith("tenants"));
  return [
    ...links.filter((link) => /tenants|11111111|lvm-pv-uuid/.test(link) && !isHosts(basename(realpathSync(join("/dev/disk", link))))),
    ...properties,
    ...active,
  ];
}

/** The disks on which the host is to see something. */
const isHosts = (name: string): boolean => [system, ...(hasGroup ? [large] : [])].map((path) => basename(path)).includes(name);

async function until(what: string, reached: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (reached()) return;
    await sleep(100);
  }
  throw new Error(`${what}: ${traces().join(", ")}`);
}

function expectNothing(when: string): void {
  const found = traces();
  if (found.length > 0) throw new Error(`${when}: ${found.join(", ")}`);
}

output("mkfs.ext4", "-q", system);
mkdirSync(DISK, { recursive: true });
output("mount", system, DISK);
prepare(kind);
const contents = [lvmHeader(), filesystem()];
await until("before all", () => traces().length === 0);

for (const content of contents) {
  write(spare, content);
  show(spare);
  await until("this host does not even look at its own disks", () => traces().length > 0);
  output("dmsetup", "remove_all", "--deferred");
  wipeSpare();
  await until("the host's own disk is blank", () => traces().length === 0);
}

const pool = { name: "tenants", backing: backingOf(kind, DISK) };
const driver = await Driver.start(FOLDER, { nodeName: "node", stateDirectory: join(DISK, "state"), pools: [pool] }, SOURCES);
const user = new VolumeUser(driver.client, FOLDER, BLOCK);

async function publish(name: string): Promise<string> {
  const id = await user.create(name, 64 * MiB);
  await user.stage(id);
  return user.publish(id);
}

// A copy of the label by which LVM knows the pool's own disk, too.
if (hasGroup) contents.push(readStart(large));
// The first is there before udevd has noticed the rules.
for (const [number, content] of contents.entries()) write(await publish(`early-${number}`), content);
await until("what was written before udevd had noticed the rules", () => traces().length === 0);
for (const [number, content] of contents.entries()) {
  write(await publish(`late-${number}`), content);
  expectNothing("after a tenant has written");
}
// What udevd once read of a device that is in use stays in memory, and would hide what is there now.
for (const name of readdirSync("/sys/class/block")) output("blockdev", "--flushbufs", `/dev/${name}`);
output("udevadm", "trigger", "--settle");
expectNothing("after a trigger of all devices");

if (hasGroup) {
  const shown = output("pvs", "--noheadings", "--options", "vg_name", "--devices", large).trim();
  if (shown === "" || output(...SOURCES, "pool", "extend", "tenants", "--data", "max") === "") throw new Error("the pool has not grown");
}
const again = await driver.stop().then(async (code) => {
  if (code !== 0) throw new Error(`the driver ended with ${code}`);
  return Driver.start(FOLDER, { nodeName: "node", stateDirectory: join(DISK, "state"), pools: [pool] }, SOURCES);
});
expectNothing("after the driver's second start");
const code = await again.stop();
if (code !== 0) throw new Error(`the driver ended with ${code}`);
process.stdout.write("all is well\n");
