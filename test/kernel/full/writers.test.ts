import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { bytes, GiB, MiB } from "../../../src/units.ts";
import { damaged, FullBench, type FsyncWriter } from "./bench.ts";

jest.setTimeout(180_000);
const FILESYSTEMS = ["ext4", "xfs", "btrfs"] as const;
/** Less than the writers write, and more than their filesystems need to begin with. */
const DATA = bytes(400 * MiB);
const RECORDS = 400;

let bench: FullBench;
beforeEach(() => {
  bench = new FullBench();
});
afterEach(async () => {
  await bench.dispose();
});

interface Victim {
  readonly filesystem: string;
  readonly id: string;
  readonly file: string;
  readonly writer: FsyncWriter;
}

/** A volume of each filesystem, whose writers fill the pool together. */
async function fill(): Promise<readonly Victim[]> {
  const volumes: Omit<Victim, "writer">[] = [];
  for (const filesystem of FILESYSTEMS) {
    const user = bench.user(filesystem);
    const id = await user.create(filesystem, GiB);
    await user.stage(id);
    volumes.push({ filesystem, id, file: join(await user.publish(id), "records") });
  }
  const victims = volumes.map((volume) => ({ ...volume, writer: bench.writer(volume.file, RECORDS) }));
  await bench.until("a full pool", () => bench.status().mode === "out_of_data_space");
  return victims;
}

/** What the driver is asked meanwhile: all of it is answered. */
async function expectAnswers(victims: readonly Victim[], other: string): Promise<void> {
  const { client } = bench.driver;
  const user = bench.user("ext4");
  await bench.done("Probe", client.call("Probe", {}));
  await bench.done("ListVolumes", client.call("ListVolumes", {}));
  await bench.done("GetCapacity", client.call("GetCapacity", {}));
  for (const { filesystem, id } of victims) {
    await bench.answered("NodeGetVolumeStats", client.call("NodeGetVolumeStats", { volume_id: id, volume_path: user.target(id) }));
    expect(await bench.answered("CreateSnapshot", user.snapshot(`of-${filesystem}`, id))).toMatchObject({ error: { code: 9 } });
  }
  expect(await bench.answered("CreateVolume", user.create("refused", GiB))).toMatchObject({ error: { code: 8 } });
  await bench.done("DeleteVolume", user.delete(other));
  expect(bench.suspended()).toEqual([]);
}

async function releaseAll(victims: readonly Victim[]): Promise<void> {
  for (const { filesystem, id } of victims) await bench.done(`release of ${filesystem}`, bench.user(filesystem).release(id));
}

async function deleteAll(victims: readonly Victim[]): Promise<void> {
  for (const { filesystem, id } of victims) await bench.done(`deletion of ${filesystem}`, bench.user(filesystem).delete(id));
}

const untilEmpty = async (): Promise<void> =>
  bench.until("a pool with nothing in it", () => {
    const status = bench.status();
    return "data" in status && status.data.used === 0;
  });

test("writes that wait go on when the pool is made larger, and lose nothing; all else is answered meanwhile", async () => {
  await bench.start({ data: DATA }, { whenFull: "queue" });
  const other = await bench.user("ext4").create("other", GiB);
  const victims = await fill();
  expect(victims.map(({ writer }) => writer.end)).toEqual([undefined, undefined, undefined]);
  await expectAnswers(victims, other);
  bench.enlarge("data", GiB);
  for (const { file, writer } of victims) {
    expect(await writer.ended()).toBe("done");
    expect(damaged(file, RECORDS)).toEqual([]);
  }
  expect(bench.status().mode).toBe("rw");
  for (const { filesystem, id } of victims) await bench.done("CreateSnapshot", bench.user(filesystem).snapshot(`of-${filesystem}`, id));
  await releaseAll(victims);
});

test("writes that fail end their writers; all else is answered, all is unmounted, and after extension what was synced is there and can be added to", async () => {
  await bench.start({ data: DATA }, { whenFull: "error" });
  const other = await bench.user("ext4").create("other", GiB);
  const victims = await fill();
  for (const { writer } of victims) expect(await writer.ended()).toMatch(/^E(NOSPC|IO|ROFS)$/);
  await expectAnswers(victims, other);
  await releaseAll(victims);
  bench.enlarge("data", GiB);
  await bench.until("a pool that takes writes", () => bench.status().mode === "rw");
  for (const { filesystem, id, writer } of victims) {
    const user = bench.user(filesystem);
    await bench.done(`staging of ${filesystem}`, user.stage(id));
    const path = await user.publish(id);
    expect(writer.synced).toBeGreaterThan(5);
    expect(damaged(join(path, "records"), writer.synced)).toEqual([]);
    expect(await bench.writer(join(path, "more"), 5).ended()).toBe("done");
  }
  await releaseAll(victims);
  await deleteAll(victims);
  await untilEmpty();
});

test("unmounted while their writes wait: answered, deleted when asked, and gone once there is room", async () => {
  await bench.start({ data: DATA }, { whenFull: "queue" });
  const victims = await fill();
  for (const { writer } of victims) writer.child.kill("SIGKILL");
  await releaseAll(victims);
  await deleteAll(victims);
  await bench.done("Probe", bench.driver.client.call("Probe", {}));
  bench.enlarge("data", GiB);
  await untilEmpty();
  expect(bench.dm.list().filter(({ name }) => name.includes("-vol-"))).toEqual([]);
});
