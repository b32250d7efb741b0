import { afterEach, describe, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import type { Filesystems } from "../../../src/filesystem/filesystems.ts";
import { silentLogger } from "../../../src/logger.ts";
import { bytes, MiB } from "../../../src/units.ts";
import { TrimSchedule } from "../../../src/volumes/trim-schedule.ts";
import { nodeForEachTest } from "./node.ts";

/** Every volume is due at the next look. */
const INTERVAL_MS = 1;
const CONTENT = Buffer.alloc(4 * MiB, 7);

describe("the trimming of mounted filesystems", () => {
  const node = nodeForEachTest({ pool: { trim: { intervalMs: INTERVAL_MS, atOnce: 2 } } });
  const schedules: TrimSchedule[] = [];
  afterEach(async () => {
    for (const schedule of schedules.splice(0)) await schedule.close();
  });

  function schedule(beforeTrim: (mountPoint: string) => Promise<void> = async () => undefined): TrimSchedule {
    const filesystems = new Proxy(node.world.filesystems, {
      get: (target, name: keyof Filesystems) => {
        if (name !== "trim") return target[name].bind(target) as unknown;
        return async (...args: Parameters<Filesystems["trim"]>) => {
          await beforeTrim(args[1]);
          return target.trim(...args);
        };
      },
    });
    const made = new TrimSchedule({ pools: [node.world.pool], filesystems, logger: silentLogger, lookMs: 5 });
    schedules.push(made);
    return made;
  }

  async function mounted(name: string): Promise<{ readonly id: string; readonly file: string }> {
    const { record } = await node.client.create(name);
    const use = await node.client.mount(record.id);
    return { id: record.id, file: `${use.path}/file` };
  }

  const recordOf = (id: string) => {
    const record = node.world.view.thins.get(id);
    if (record?.kind !== "volume") throw new Error("there is no such volume");
    return record;
  };
  const trimmedAt = (id: string): number | undefined => recordOf(id).trimmedAt?.getTime();

  test("what was deleted is the pool's again, and the rest stays", async () => {
    const { world } = node;
    const { id, file } = await mounted("a");
    for (const name of [file, `${file}-2`]) {
      await world.writeFile(name, CONTENT);
      await world.syncFile(name);
    }
    const before = await world.pool.calls.mapped(id);
    world.files.remove(`${file}-2`);
    await world.syncFile(file);
    schedule();
    await until(() => trimmedAt(id) !== undefined);
    const after = await world.pool.calls.mapped(id);
    expect((before ?? 0) - (after ?? 0)).toBeGreaterThanOrEqual(CONTENT.length - bytes(MiB));
    expect((await world.readFile(file)).equals(CONTENT)).toBe(true);
  });

  test("when it was done is known after a restart", async () => {
    const { id } = await mounted("a");
    schedule();
    await until(() => trimmedAt(id) !== undefined);
    for (const each of schedules.splice(0)) await each.close();
    const before = trimmedAt(id);
    await node.world.stop();
    await node.world.start();
    expect(trimmedAt(id)).toBe(before);
  });

  test("no more than so many at the same time, and all get their turn", async () => {
    const ids: string[] = [];
    for (const name of ["a", "b", "c", "d", "e"]) ids.push((await mounted(name)).id);
    let [now, most] = [0, 0];
    schedule(async () => {
      most = Math.max(most, ++now);
      await sleep(20);
      now--;
    });
    await until(() => ids.every((id) => trimmedAt(id) !== undefined));
    expect(most).toBe(2);
  });

  test("one that is not mounted is left alone; mounted again, it is done", async () => {
    const { record } = await node.client.create("a");
    const use = await node.client.mount(record.id);
    await node.client.unmount(use);
    schedule();
    await sleep(50);
    expect(trimmedAt(record.id)).toBeUndefined();
    await node.client.mount(record.id);
    await until(() => trimmedAt(record.id) !== undefined);
  });

  test("one that fails is not tried again at each look, and does not keep the others waiting", async () => {
    const failing = await mounted("a");
    const other = await mounted("b");
    let attempts = 0;
    const { stagingPath } = node.client.use(failing.id);
    schedule(async (mountPoint) => {
      if (mountPoint !== stagingPath) return;
      attempts++;
      throw new Error("no");
    });
    await until(() => trimmedAt(other.id) !== undefined);
    await sleep(50);
    expect(attempts).toBe(1);
    expect(trimmedAt(failing.id)).toBeUndefined();
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 5_000; !holds(); await sleep(2)) if (Date.now() > end) throw new Error("it did not happen");
}
