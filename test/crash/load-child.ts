import { existsSync, readFileSync, writeSync } from "node:fs";
import { snapshotId, volumeId } from "../../src/volumes/ids.ts";
import { SIZE, until } from "./bench.ts";
import { realBench } from "./real-bench.ts";
import { openReal, waitForLock, type Place } from "./real-driver.ts";
import { expectWhole } from "./snapshot-check.ts";

/** What this driver is to do, as JSON in its only argument. It snapshots one volume again and again while an application writes to it. */
export interface LoadOrders {
  readonly place: Place;
  readonly mountPoint: string;
  /** Where the application tells how far it is. */
  readonly progress: string;
  readonly snapshots: number;
  /** The moment at which it kills itself; none: it ends when it is done, and tells the moments. */
  readonly dieAt: number | undefined;
  /** The moment at which it says "paused" and waits for `go` to appear. */
  readonly pauseAt: number | undefined;
  readonly go: string;
}

const orders = JSON.parse(process.argv[2] ?? "") as LoadOrders;
const say = (line: string): void => void writeSync(1, `${line}\n`);
const VOLUME = volumeId("load");

const lock = await waitForLock(orders.place);
const moments: string[] = [];
let watching = false;
const pool = await openReal(orders.place, lock, (transition, step, moment) => {
  if (!watching) return;
  moments.push(`${moment} ${transition}: ${step}`);
  if (moments.length - 1 === orders.dieAt) process.kill(process.pid, "SIGKILL");
  if (moments.length - 1 === orders.pauseAt) pause();
});
const bench = realBench(pool, "load", orders.place);
const { calls, view } = pool;

/** Without an await: as a driver that a slow kernel holds up. */
function pause(): void {
  say("paused");
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(orders.go)) Atomics.wait(nobody, 0, 0, 10);
}

async function makeVolume(): Promise<void> {
  const capability = { access: "mount", filesystem: "ext4", mountFlags: [], mode: "SINGLE_NODE_WRITER" } as const;
  const parameters = { discardOnDelete: false, xfsNospaceMaxRetries: "auto" } as const;
  const origin = { kind: "blank" } as const;
  const volume = { id: VOLUME, name: "load", sizeBytes: SIZE, origin, filesystem: "ext4", capabilities: [capability], mkfsOptions: [], parameters } as const;
  await calls.createVolume(volume);
  const { path } = await calls.activate(VOLUME, { readOnly: false });
  await bench.format(path);
  await calls.setFilesystem(VOLUME, { state: "formatted" });
  await bench.mount(path, orders.mountPoint);
  await calls.setStaging(VOLUME, { path: orders.mountPoint, capability });
}

/** Every snapshot that the catalogue has, whoever made it and whatever became of him: restored, looked at, and taken away. */
async function checkSnapshots(): Promise<void> {
  const snapshots = [...view.thins.values()].filter(({ kind }) => kind === "snapshot");
  for (const { id, name } of snapshots) {
    await expectWhole(bench, id, Number(name.split(":")[1]));
    await calls.remove(id);
  }
  await until(() => view.thins.size === 1);
  say(`checked ${snapshots.length}`);
}

/** The last record that was certainly on disk before the snapshot was asked for is part of its name. */
async function snapshot(index: number): Promise<void> {
  const name = `${process.pid}-${index}:${readFileSync(orders.progress).readBigUInt64LE(0)}`;
  await calls.createSnapshots([{ id: snapshotId(name), name, sourceVolumeId: VOLUME }], undefined);
}

if (view.thins.has(VOLUME)) await checkSnapshots();
else await makeVolume();
say("ready");
watching = true;
for (let index = 0; index < orders.snapshots; index++) {
  await snapshot(index);
  if (orders.dieAt === undefined) say(`made ${index + 1}`);
}
watching = false;
if (orders.dieAt !== undefined) throw new Error(`a snapshot has no moment ${orders.dieAt}`);
for (const moment of moments) say(`moment ${moment}`);
await pool.close(10_000);
process.kill(process.pid, "SIGTERM");
