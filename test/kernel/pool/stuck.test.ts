import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { ActiveDevice, NewVolume } from "../../../src/pool/pool-calls.ts";
import { tryLock } from "../../../src/linux/lock.ts";
import { bytes, MiB } from "../../../src/units.ts";
import { snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import { SIZE } from "../../crash/bench.ts";
import { pathOf, Rig } from "../devicemapper/rig.ts";
import type { HostOptions } from "./host.ts";
import { HostedPools } from "./hosted-pools.ts";

jest.setTimeout(120_000);

/** Long enough for a pool to be called stuck, which takes 5 s, short beside a test. */
const PATIENCE_MS = 7_000;
const [STUCK, FREE] = ["stuck", "free"];

let rig: Rig;
let host: HostedPools;
let state: string;
let metadataUuid: string;
let pools: HostOptions["pools"];
const users: ChildProcess[] = [];

beforeEach(async () => {
  rig = new Rig();
  state = mkdtempSync(join(tmpdir(), "dmthin-stuck-"));
  const metadata = rig.linear("metadata", rig.loop(bytes(16 * MiB)));
  metadataUuid = metadata.uuid;
  pools = {
    [STUCK]: { data: rig.loop(bytes(256 * MiB)).path, metadata: pathOf(metadata) },
    [FREE]: { data: rig.loop(bytes(256 * MiB)).path, metadata: rig.loop(bytes(16 * MiB)).path },
  };
  host = new HostedPools({ state, patienceMs: PATIENCE_MS, pools });
  expect(await host.ready).toEqual(["ready", "ready"]);
});

afterEach(async () => {
  for (const user of users.splice(0)) user.kill("SIGKILL");
  for (const device of ours()) if (rig.dm.info(device)?.suspended === true) rig.dm.resume(device);
  if (rig.dm.info(metadataUuid)?.suspended === true) rig.dm.resume(metadataUuid);
  host.kill();
  await host.ended();
  while (ours().length > 0) {
    for (const uuid of ours()) removeIfFree(uuid);
    await sleep(20);
  }
  rig.dispose();
  rmSync(state, { recursive: true });
});

const ours = (): readonly string[] => rig.dm.list().flatMap(({ name, uuid }) => (/^dmthin-(stuck|free)-/.test(name) ? [uuid] : []));
const poolDevice = (): string => rig.dm.list().find(({ name }) => name === `dmthin-${STUCK}-pool`)?.uuid ?? "";

function removeIfFree(uuid: string): void {
  if (rig.dm.info(uuid)?.openCount === 0) rig.dm.remove(uuid);
}

function volume(name: string): NewVolume {
  const parameters = { discardOnDelete: false, xfsNospaceMaxRetries: "auto" } as const;
  return { id: volumeId(name), name, sizeBytes: SIZE, origin: { kind: "blank" }, filesystem: undefined, capabilities: [], mkfsOptions: [], parameters };
}

const create = async (pool: string, name: string) => host.call(pool, "createVolume", volume(name));
const snapshot = async (name: string) => host.call(STUCK, "createSnapshots", [{ id: snapshotId(name), name, sourceVolumeId: volumeId(name) }]);

async function activate(name: string): Promise<ActiveDevice> {
  await create(STUCK, name);
  return (await host.call(STUCK, "activate", volumeId(name), { readOnly: false })).value as ActiveDevice;
}

/** The rest of the driver: another pool, and the files of the process. */
async function expectOthersServed(): Promise<void> {
  for (const name of ["a", "b", "c"]) {
    expect(await create(FREE, name)).toMatchObject({ value: { name } });
    expect((await host.ask({ do: "read-file" })).value).toBeGreaterThan(0);
  }
}

test("four calls that hang in the kernel are given up, another pool and files are served meanwhile, and closing ends at its deadline", async () => {
  rig.dm.suspend(metadataUuid);
  const calls = [create(STUCK, "w"), create(STUCK, "x"), create(STUCK, "y"), host.call(STUCK, "refresh")];
  await expectOthersServed();
  while ((await host.ask({ do: "stuck", pool: STUCK })).value !== true) await sleep(100);
  expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(["pool-stuck", "pool-stuck", "pool-stuck", "pool-stuck"]);
  await expectOthersServed();
  expect(await host.ask({ do: "close", deadlineMs: 500 })).toMatchObject({ value: "closed" });
});

test("a driver whose call hangs in the kernel ends all the same; nobody gets its lock before that call has ended, and then all is well", async () => {
  rig.dm.suspend(metadataUuid);
  void create(STUCK, "w");
  await expectOthersServed();
  await host.ask({ do: "close", deadlineMs: 500 });
  const { pid } = host;
  host.kill();
  // The process is dead; what the kernel keeps of it is the one thread.
  while (!/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) await sleep(20);
  expect(tryLock(join(state, `${STUCK}.lock`))).toBeUndefined();
  rig.dm.resume(metadataUuid);
  await host.ended();
  host = new HostedPools({ state, patienceMs: PATIENCE_MS, pools });
  expect(await host.ready).toEqual(["ready", "ready"]);
  expect(await create(STUCK, "w")).toMatchObject({ value: { name: "w" } });
  expect((await host.call(STUCK, "inventory")).value).toEqual({ orphans: [], discrepancies: [] });
});

/** Four volumes with a write each that waits for the suspended pool: suspending them waits as well. */
async function fourThatHang(): Promise<readonly ActiveDevice[]> {
  const devices: ActiveDevice[] = [];
  for (const name of ["w", "x", "y", "z"]) devices.push(await activate(name));
  rig.dm.suspend(poolDevice());
  for (const { path } of devices)
    users.push(spawn("dd", ["if=/dev/zero", `of=${path}`, "bs=64k", "count=1", "oflag=direct", "conv=notrunc"], { stdio: "ignore" }));
  await sleep(500);
  return devices;
}

const suspended = (devices: readonly ActiveDevice[]): readonly boolean[] => devices.map(({ uuid }) => rig.dm.info(uuid)?.suspended === true);

test("snapshots of four volumes that hang are given up, others are served; a suspend that ends late is resumed by the driver", async () => {
  const devices = await fourThatHang();
  const calls = ["w", "x", "y", "z"].map(async (name) => snapshot(name));
  await expectOthersServed();
  expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(["pool-stuck", "pool-stuck", "pool-stuck", "pool-stuck"]);
  // What they will have made is not known before they have ended: until then nothing of theirs is absent.
  expect(await host.ask({ do: "unanswered", pool: STUCK })).toMatchObject({ value: 4 });
  await sleep(5_000); // beyond the engine's own deadline of the first
  rig.dm.resume(poolDevice());
  while ((await snapshot("w")).value === undefined) await sleep(100);
  while ((await host.ask({ do: "unanswered", pool: STUCK })).value !== 0) await sleep(100);
  while (suspended(devices).includes(true)) await sleep(100);
  expect((await host.call(STUCK, "inventory")).value).toEqual({ orphans: [], discrepancies: [] });
});

test("a driver that is killed while a suspend hangs leaves its resume to the dead man's handle", async () => {
  const devices = await fourThatHang();
  void snapshot("w");
  await sleep(1_000);
  host.kill();
  await sleep(500);
  rig.dm.resume(poolDevice());
  await host.ended();
  while (suspended(devices).includes(true)) await sleep(20);
  await sleep(500);
  expect(suspended(devices)).toEqual([false, false, false, false]);
});
