import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { VolumeUser } from "../demo/volume-user.ts";
import { Driver, SOURCES } from "../harness/driver.ts";
import { backingOf, output, prepare, type BackingKind } from "./backings.ts";

export type { BackingKind };

/**
 * Runs in a guest that is a node: the driver, and who uses its volumes, as a kubelet would after a boot. Its arguments are
 * the kind of backing and the number of the boot. Each boot looks for all that the boots before it left synced, and adds
 * its own; the power is cut while a writer still writes. The third boot deletes everything.
 */
const GiB = 1024 ** 3;
const LAST = 3;
const [kind, boot] = [process.argv[2] as BackingKind, Number(process.argv[3])];
const FOLDER = "/run/dmthin";
const DISK = "/mnt/system";
const say = (line: string): void => void writeSync(1, `${line}\n`);

const [system = ""] = (process.env["LAB_DISKS"] ?? "").split(" ");
mkdirSync(DISK, { recursive: true });
if (boot === 1) output("mkfs.ext4", "-q", system);
output("mount", system, DISK);
if (boot === 1) prepare(kind);

const pool = { name: "node", backing: backingOf(kind, DISK), zeroNewBlocks: true };
const driver = await Driver.start(FOLDER, { nodeName: "node", stateDirectory: join(DISK, "state"), pools: [pool] }, SOURCES);
const user = new VolumeUser(driver.client, FOLDER);

/** What the orchestrator knows: its own state outlives the node. */
interface Known {
  readonly volumes: Readonly<Record<string, string>>;
  readonly snapshots: Readonly<Record<string, string>>;
}
const KNOWN = join(DISK, "orchestrator.json");
const known: Known = existsSync(KNOWN) ? (JSON.parse(readFileSync(KNOWN, "utf8")) as Known) : { volumes: {}, snapshots: {} };

function writeSynced(file: string, text: string): void {
  const fd = openSync(file, "w");
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
}

const publish = async (id: string): Promise<string> => (await user.stage(id), user.publish(id));

function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}

async function listed(method: "ListVolumes" | "ListSnapshots"): Promise<readonly string[]> {
  const { entries } = (await driver.client.call(method, {})) as { readonly entries: readonly Readonly<Record<string, Readonly<Record<string, string>>>>[] };
  return entries.map(({ volume, snapshot }) => volume?.["volume_id"] ?? snapshot?.["snapshot_id"] ?? "").toSorted();
}

expectEqual("volumes", await listed("ListVolumes"), Object.values(known.volumes).toSorted());
expectEqual("snapshots", await listed("ListSnapshots"), Object.values(known.snapshots).toSorted());
for (const [name, id] of Object.entries(known.volumes)) {
  const target = await publish(id);
  expectEqual(`the file in ${name}`, readFileSync(join(target, "file"), "utf8"), `content of ${name}`);
}
for (const [name, id] of Object.entries(known.snapshots)) {
  const restored = await user.create(`restored-${name}-${boot}`, GiB, { snapshot: id });
  expectEqual(`the file in snapshot ${name}`, readFileSync(join(await publish(restored), "file"), "utf8"), `content of ${name}`);
  await user.release(restored);
  await user.delete(restored);
}
if (boot < LAST) {
  const name = `volume-${boot}`;
  const id = await user.create(name, GiB);
  const target = await publish(id);
  writeSynced(join(target, "file"), `content of ${name}`);
  const snapshot = await user.snapshot(`snapshot-${boot}`, id);
  const next: Known = { volumes: { ...known.volumes, [name]: id }, snapshots: { ...known.snapshots, [name]: snapshot } };
  writeSynced(KNOWN, JSON.stringify(next));
  writeFileSync(join(target, "unsynced"), Buffer.alloc(8 * 1024 ** 2, 1));
  say(`boot ${boot} is done`);
  for (let number = 0; ; number = (number + 1) % 8) writeFileSync(join(target, `busy-${number}`), Buffer.alloc(1024 ** 2, number), { flush: true });
}
for (const id of Object.values(known.volumes)) {
  await user.release(id);
  await user.delete(id);
}
for (const id of Object.values(known.snapshots)) await user.deleteSnapshot(id);
expectEqual("the driver's exit code", await driver.stop(), 0);
say(`boot ${boot} is done`);
