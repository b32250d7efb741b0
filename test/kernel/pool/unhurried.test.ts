import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { ActiveDevice, NewVolume } from "../../../src/pool/pool-calls.ts";
import { bytes, MiB } from "../../../src/units.ts";
import { snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import { SIZE } from "../../crash/bench.ts";
import { pathOf, Rig } from "../devicemapper/rig.ts";
import { HostedPools } from "./hosted-pools.ts";
import { ended } from "../../harness/program.ts";

jest.setTimeout(120_000);

const POOL = "slow";
const ID = volumeId("a");
const parameters = { discardOnDelete: false, xfsNospaceMaxRetries: "auto" } as const;
const VOLUME: NewVolume = {
  id: ID,
  name: "a",
  sizeBytes: SIZE,
  origin: { kind: "blank" },
  filesystem: undefined,
  capabilities: [],
  mkfsOptions: [],
  parameters,
};

let rig: Rig;
let host: HostedPools;
let folder: string;

beforeEach(async () => {
  rig = new Rig();
  folder = mkdtempSync(join(tmpdir(), "dmthin-unhurried-"));
  const pools = { [POOL]: { data: rig.loop(bytes(256 * MiB)).path, metadata: rig.loop(bytes(16 * MiB)).path } };
  host = new HostedPools({ state: folder, patienceMs: 60_000, pools });
  expect(await host.ready).toEqual(["ready"]);
  expect(await host.call(POOL, "createVolume", VOLUME)).toMatchObject({ value: { id: ID } });
});

afterEach(async () => {
  host.kill();
  await host.ended();
  const ours = () => rig.dm.list().filter(({ name }) => name.startsWith(`dmthin-${POOL}-`));
  for (const { uuid, name } of ours()) if (!name.endsWith("-pool")) rig.dm.remove(uuid);
  for (const { uuid } of ours()) rig.dm.remove(uuid);
  rig.dispose();
  rmSync(folder, { recursive: true });
});

const activate = async (readOnly: boolean): Promise<ActiveDevice> => (await host.call(POOL, "activate", ID, { readOnly })).value as ActiveDevice;

function program(...[name = "", ...args]: readonly string[]): void {
  expect(ended(name, args)).toMatchObject({ status: 0 });
}

test("a pool whose snapshot waits for a filesystem to be written out is not called stuck: it serves", async () => {
  const disk = rig.linear("filesystem", rig.loop(bytes(32 * MiB)));
  const mountPoint = join(folder, "mounted");
  mkdirSync(mountPoint);
  program("mkfs.ext4", "-q", pathOf(disk));
  program("mount", pathOf(disk), mountPoint);
  try {
    const capability = { access: "mount", filesystem: "ext4", mountFlags: [], mode: "SINGLE_NODE_WRITER" };
    await host.call(POOL, "setStaging", ID, { path: mountPoint, capability });
    await activate(false);
    program("dd", "if=/dev/zero", `of=${join(mountPoint, "file")}`, "bs=1M", "count=1");
    rig.dm.suspend(disk.uuid, { noFlush: true, skipFreeze: true });
    const snapshot = host.call(POOL, "createSnapshots", [{ id: snapshotId("s"), name: "s", sourceVolumeId: ID }]);
    let ended = false;
    void snapshot.then(() => (ended = true));
    await sleep(6_000);
    expect(ended).toBe(false);
    expect(await host.ask({ do: "stuck", pool: POOL })).toMatchObject({ value: false });
    expect(await host.call(POOL, "refresh")).toMatchObject({ value: { state: "rw" } });
    rig.dm.resume(disk.uuid);
    expect(await snapshot).toMatchObject({ value: [{ name: "s" }] });
  } finally {
    rig.dm.resume(disk.uuid);
    program("umount", mountPoint);
  }
});

test("a read-only device stays read-only when it grows", async () => {
  const { path } = await activate(true);
  const attribute = (name: string) => readFileSync(join("/sys/block", basename(path), name), "utf8").trim();
  expect(attribute("ro")).toBe("1");
  expect(await host.call(POOL, "expand", ID, 2 * SIZE)).toMatchObject({ value: { sizeBytes: 2 * SIZE } });
  expect(Number(attribute("size"))).toBe((2 * SIZE) / 512);
  expect(attribute("ro")).toBe("1");
});
