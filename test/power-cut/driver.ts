import { execFileSync } from "node:child_process";
import { mkdirSync, writeSync } from "node:fs";
import { snapshotId, volumeId } from "../../src/volumes/ids.ts";
import { SIZE } from "../crash/bench.ts";
import { placeOn } from "../crash/place.ts";
import { expectOwnInventory, expectRealAgreement } from "../crash/real-agreement.ts";
import { realBench } from "../crash/real-bench.ts";
import { openReal, waitForLock } from "../crash/real-driver.ts";

/**
 * Runs in a guest whose power will be cut. Its only argument tells what was acknowledged before the last cut, as JSON;
 * it compares, says "ready", and goes on changing the pool: "done" lines are acknowledgements, "begin" lines precede the call.
 */
export interface Acknowledged {
  /** Volumes, with content, and snapshots that must be there. */
  readonly volumes: readonly string[];
  readonly snapshots: readonly string[];
  /** What must not be there any more. */
  readonly removed: readonly string[];
  /** The next number of a name. */
  readonly next: number;
}

const MOST_VOLUMES = 6;
const acknowledged = JSON.parse(process.argv[2] ?? "") as Acknowledged;
const [first = "", data = "", metadata = ""] = (process.env["LAB_DISKS"] ?? "").split(" ");
const place = placeOn({ state: "/run/power-cut/state", data, metadata });
const say = (line: string): void => void writeSync(1, `${line}\n`);
const byteOf = (name: string): number => 1 + (Number(name.slice(1)) % 250);

mkdirSync("/run/power-cut", { recursive: true });
if (acknowledged.next === 0) execFileSync("mkfs.ext4", ["-q", "-F", first]);
execFileSync("mount", [first, "/run/power-cut"]);
mkdirSync(place.state, { recursive: true });
const pool = await openReal(place, await waitForLock(place), () => undefined);
const bench = realBench(pool, "power-cut", place);
const { calls, view } = pool;
await expectOwnInventory(place, pool);
await expectRealAgreement(place, pool);

function requireAll(what: string, names: readonly string[], idOf: (name: string) => string, there: boolean): void {
  const wrong = names.filter((name) => view.thins.has(idOf(name)) !== there);
  if (wrong.length > 0) throw new Error(`${what}: ${wrong.join(", ")}`);
}
requireAll("acknowledged volumes are gone", acknowledged.volumes, volumeId, true);
requireAll("acknowledged snapshots are gone", acknowledged.snapshots, snapshotId, true);
requireAll("removed volumes are back", acknowledged.removed, volumeId, false);
for (const name of acknowledged.volumes) {
  const { path } = await calls.activate(volumeId(name), { readOnly: false });
  const content = await bench.read(path);
  if (content !== byteOf(name)) throw new Error(`the content of ${name} is ${content}`);
  await calls.deactivate(volumeId(name));
}
say("ready");

const parameters = { discardOnDelete: false, xfsNospaceMaxRetries: "auto" } as const;
const volumes = [...acknowledged.volumes];
for (let next = acknowledged.next; ; next++) {
  const name = `v${next}`;
  const id = volumeId(name);
  say(`begin ${name}`);
  await calls.createVolume({ id, name, sizeBytes: SIZE, origin: { kind: "blank" }, filesystem: undefined, capabilities: [], mkfsOptions: [], parameters });
  await bench.write((await calls.activate(id, { readOnly: false })).path, byteOf(name));
  say(`done volume ${name}`);
  await calls.createSnapshots([{ id: snapshotId(name), name, sourceVolumeId: id }], undefined);
  say(`done snapshot ${name}`);
  await calls.deactivate(id);
  volumes.push(name);
  const oldest = volumes.length > MOST_VOLUMES ? volumes.shift() : undefined;
  if (oldest === undefined) continue;
  say(`begin remove ${oldest}`);
  await calls.remove(volumeId(oldest));
  await calls.remove(snapshotId(oldest));
  say(`done remove ${oldest}`);
}
