import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VolumeUser } from "../../demo/volume-user.ts";
import { Driver } from "../../harness/driver.ts";
import { cleanMachine } from "../../harness/clean-machine.ts";
import { ended } from "../../harness/program.ts";
import { labDisks } from "../../harness/standing.ts";

/**
 * Programs are what makes LVM's drivers slow, so the volume's path is free of them. Counted by the kernel: the page
 * faults of children that a process has waited for only grow when one has ended.
 */
jest.setTimeout(120_000);
const GiB = 1024 ** 3;
const FOLDER = "/run/no-programs";
const DISK = "/mnt/no-programs";
let driver: Driver;
let user: VolumeUser;
const call = (method: string, request: Readonly<Record<string, unknown>>) => driver.client.call(method, request);

beforeAll(async () => {
  const [disk = ""] = labDisks;
  expect(ended("mkfs.ext4", ["-q", "-F", disk])).toMatchObject({ status: 0, stderr: "" });
  mkdirSync(DISK, { recursive: true });
  expect(ended("mount", [disk, DISK]).status).toBe(0);
  const pool = { name: "quiet", backing: { loop: { directory: join(DISK, "pool"), dataSize: "2Gi", metadataSize: "16Mi" } }, discardOnDelete: true };
  driver = await Driver.start(FOLDER, { nodeName: "quiet", stateDirectory: join(DISK, "state"), pools: [pool] });
  user = new VolumeUser(driver.client, FOLDER);
});
afterAll(async () => {
  await driver.stop();
  cleanMachine();
});

/** Field 11 of /proc/PID/stat, cminflt. Source: proc(5). */
function childrenFaults(): number {
  const afterName = readFileSync(`/proc/${driver.pid}/stat`, "utf8").replace(/^.*\) /, "");
  return Number(afterName.split(" ")[8]);
}

async function programsOf(work: () => Promise<unknown>): Promise<boolean> {
  const before = childrenFaults();
  await work();
  return childrenFaults() > before;
}

test("the count sees a program: staging a new volume runs mkfs and mount", async () => {
  const id = await user.create("formatted", GiB);
  expect(await programsOf(() => user.stage(id))).toBe(true);
});

test("no program is started to create, list, measure, snapshot, restore, clone, expand, modify or delete a volume", async () => {
  await untilQuiet();
  const started = await programsOf(async () => {
    const id = await user.create("volume", GiB);
    const snapshot = await user.snapshot("snapshot", id);
    const restored = await user.create("restored", GiB, { snapshot });
    const clone = await user.create("clone", GiB, { volume: id });
    await call("ControllerExpandVolume", { volume_id: id, capacity_range: { required_bytes: 2 * GiB } });
    await call("ControllerModifyVolume", { volume_id: id, mutable_parameters: { discardOnDelete: "false" } });
    await call("ListVolumes", {});
    await call("ListSnapshots", {});
    await call("GetCapacity", {});
    await call("Probe", {});
    await user.deleteSnapshot(snapshot);
    for (const each of [id, restored, clone]) await user.delete(each);
  });
  expect(started).toBe(false);
});

test("no program is started to snapshot, clone and measure a volume in use", async () => {
  const id = await user.create("formatted", GiB);
  await user.publish(id);
  await untilQuiet();
  const started = await programsOf(async () => {
    const snapshot = await user.snapshot("in-use", id);
    const clone = await user.create("clone-in-use", GiB, { volume: id });
    await call("NodeGetVolumeStats", { volume_id: id, volume_path: user.target(id) });
    await user.deleteSnapshot(snapshot);
    await user.delete(clone);
  });
  expect(started).toBe(false);
  await user.release(id);
});

/** The inventory that follows a start runs thin_dump once. */
async function untilQuiet(): Promise<void> {
  for (let last = -1; last !== childrenFaults();) {
    last = childrenFaults();
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
}
