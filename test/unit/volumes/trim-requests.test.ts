import { afterEach, describe, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import type { Filesystems } from "../../../src/filesystem/filesystems.ts";
import { silentLogger } from "../../../src/logger.ts";
import type { Pool, PoolView } from "../../../src/pool/pool.ts";
import { MiB } from "../../../src/units.ts";
import { TrimSchedule } from "../../../src/volumes/trim-schedule.ts";
import { expectRefusal, nodeForEachTest } from "./node.ts";

const CONTENT = Buffer.alloc(4 * MiB, 7);
/** Longer than any test: what happens, happens since it was asked for. */
const NEVER_MS = 3_600_000;

describe("a trim that was asked for", () => {
  const node = nodeForEachTest({ pool: { trim: undefined } });
  const schedules: TrimSchedule[] = [];
  const signal = new AbortController().signal;
  afterEach(async () => {
    for (const schedule of schedules.splice(0)) await schedule.close();
  });

  function schedule(beforeTrim: (mountPoint: string) => Promise<void> = async () => undefined, pools: readonly Pool[] = [node.world.pool]): TrimSchedule {
    const filesystems = new Proxy(node.world.filesystems, {
      get: (target, name: keyof Filesystems) => {
        if (name !== "trim") return target[name].bind(target) as unknown;
        return async (...args: Parameters<Filesystems["trim"]>) => {
          await beforeTrim(args[1]);
          return target.trim(...args);
        };
      },
    });
    const made = new TrimSchedule({ pools, filesystems, logger: silentLogger, lookMs: NEVER_MS });
    schedules.push(made);
    return made;
  }

  const wanted = (id: string) => ({ id, pool: node.world.pool.description.name });
  const trimmedAt = (id: string): Date | undefined => (node.world.view.thins.get(id) as { trimmedAt?: Date } | undefined)?.trimmedAt;
  const created = async (name: string): Promise<string> => (await node.client.create(name)).record.id;

  async function mounted(name: string): Promise<string> {
    const id = await created(name);
    await node.client.mount(id);
    return id;
  }

  test("is done also in a pool that is never trimmed by itself, tells what the volume maps less, and is on record", async () => {
    const { world } = node;
    const id = await created("a");
    const { path } = await node.client.mount(id);
    for (const name of ["file", "file-2"]) {
      await world.writeFile(`${path}/${name}`, CONTENT);
      await world.syncFile(`${path}/${name}`);
    }
    const before = (await world.pool.calls.mapped(id)) ?? 0;
    world.files.remove(`${path}/file-2`);
    await world.syncFile(`${path}/file`);
    const outcome = await schedule().trim(wanted(id), signal);
    const after = (await world.pool.calls.mapped(id)) ?? 0;
    expect(before - after).toBeGreaterThanOrEqual(CONTENT.length - MiB);
    expect(outcome).toEqual({ givenBackBytes: before - after });
    expect(trimmedAt(id)).toBeInstanceOf(Date);
  });

  test("waits for its place among those of its pool", async () => {
    const ids = [await mounted("a"), await mounted("b"), await mounted("c")];
    let [now, most] = [0, 0];
    const one = schedule(async () => {
      most = Math.max(most, ++now);
      await sleep(10);
      now--;
    });
    await Promise.all(ids.map(async (id) => one.trim(wanted(id), signal)));
    expect(most).toBe(1);
    expect(ids.every((id) => trimmedAt(id) !== undefined)).toBe(true);
  });

  test("of what is being trimmed is done anew after that: what was deleted meanwhile may lie before where it is", async () => {
    const id = await mounted("a");
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    let times = 0;
    const one = schedule(async () => {
      begun.resolve();
      return ++times === 1 ? gate.promise : undefined;
    });
    const first = one.trim(wanted(id), signal);
    await begun.promise;
    const later = [one.trim(wanted(id), signal), one.trim(wanted(id), signal)];
    gate.resolve();
    await Promise.all([first, ...later]);
    expect(times).toBe(2);
  });

  test("of what is not a filesystem mounted here for writing says why, and leaves it alone", async () => {
    const { id: block } = (await node.client.create("block", { kind: "block" })).record;
    const idle = await created("idle");
    const reader = await created("reader");
    await node.client.mount(block, "block");
    await node.client.stage(node.client.use(reader), "SINGLE_NODE_READER_ONLY");
    const one = schedule(async () => Promise.reject(new Error("nothing is to be trimmed")));
    const because = async (id: string) => one.trim(wanted(id), signal);
    expect(await because(block)).toEqual({ leftAlone: expect.stringContaining("a block volume") });
    expect(await because(idle)).toEqual({ leftAlone: "it is not mounted on this machine" });
    expect(await because(reader)).toEqual({ leftAlone: "it is mounted read-only" });
    const { record: snapshot } = await node.client.snapshot("snapshot", idle);
    expect(await because(snapshot.id)).toEqual({ leftAlone: "a snapshot is never mounted" });
  });

  test("of what was unmounted behind the driver's back finds nothing mounted there", async () => {
    const id = await created("a");
    const use = await node.client.mount(id);
    await node.world.filesystems.unmount(use.path);
    await node.world.filesystems.unmount(use.stagingPath);
    expect(await schedule().trim(wanted(id), signal)).toEqual({ leftAlone: `nothing is mounted on ${use.stagingPath}` });
  });

  test("of an unknown volume or pool is refused, as by a pool that does not serve or takes no changes", async () => {
    const id = await mounted("a");
    await expectRefusal(schedule().trim(wanted("vol-none"), signal), "not-found", { kind: "volume" });
    await expectRefusal(schedule().trim({ id, pool: "other" }, signal), "not-found", { kind: "pool" });
    const { pool, view } = node.world;
    const { figures } = view;
    if (figures === undefined) throw new Error("no figures");
    const shown = (change: Partial<PoolView>): Pool =>
      ({ description: pool.description, calls: pool.calls, view: { status: view.status, thins: view.thins, figures, ...change } }) as unknown as Pool;
    const refused = shown({ status: { kind: "refused", reason: "its superblock is blank", remedy: "restore it" } });
    for (const [each, code] of [
      [refused, "pool-refused"],
      [shown({ status: { kind: "recovering" } }), "pool-not-ready"],
      [shown({ figures: { ...figures, state: "ro" } }), "pool-not-writable"],
    ] as const)
      await expectRefusal(schedule(undefined, [each]).trim(wanted(id), signal), code);
  });

  test("that fails tells why, and may be asked for again at once", async () => {
    const id = await mounted("a");
    let fails = true;
    const one = schedule(async () => (fails ? Promise.reject(new Error("no")) : undefined));
    await expect(one.trim(wanted(id), signal)).rejects.toThrow("no");
    fails = false;
    expect(await one.trim(wanted(id), signal)).toEqual({ givenBackBytes: 0 });
  });

  test("is given up by who asked, and done all the same", async () => {
    const id = await mounted("a");
    const gate = Promise.withResolvers<void>();
    const leaving = new AbortController();
    const asked = schedule(async () => gate.promise).trim(wanted(id), leaving.signal);
    leaving.abort(new Error("gone"));
    await expect(asked).rejects.toThrow("gone");
    gate.resolve();
    for (const end = Date.now() + 5_000; trimmedAt(id) === undefined; await sleep(2)) if (Date.now() > end) throw new Error("it was not done");
  });

  test("holds up no end of the driver: what runs and what waits is answered, and nothing is begun any more", async () => {
    const [running, waiting] = [await mounted("a"), await mounted("b")];
    const gate = Promise.withResolvers<void>();
    const one = schedule(async () => gate.promise);
    const asked = [running, waiting].map(async (id) => expectRefusal(one.trim(wanted(id), signal), "shutting-down"));
    await one.close();
    await Promise.all(asked);
    await expectRefusal(one.trim(wanted(running), signal), "shutting-down");
    gate.resolve();
  });
});
