import { describe, expect, test } from "@jest/globals";
import { isError } from "../../../src/errors.ts";
import type { Call } from "../../../src/volumes/volumes.ts";
import { isThroughObjects, worldName } from "../choice.ts";
import { call, fromSnapshot, SIZE, type Use } from "./client.ts";
import { FILESYSTEMS, Suite } from "./suite.ts";

/** What a call that meets another on the same object may say: try again. */
const isInProgress = (error: unknown): boolean => isError(error, "in-progress");

/** Of a caller whose patience ends while a volume is staged. */
const soon = (): Call => ({ ...call(), deadline: Date.now() + 2500 });

/** Repeats a call as a container orchestrator does, until the object is free. */
async function persist<Result>(run: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!isInProgress(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Runs all at once; what fails may only have met another. Answers how many succeeded. */
async function allAtOnce(runs: readonly (() => Promise<unknown>)[]): Promise<number> {
  const outcomes = await Promise.allSettled(runs.map(async (run) => run()));
  for (const outcome of outcomes) if (outcome.status === "rejected" && !isInProgress(outcome.reason)) throw outcome.reason;
  return outcomes.filter(({ status }) => status === "fulfilled").length;
}

const times = (count: number, run: () => Promise<unknown>): (() => Promise<unknown>)[] => Array.from({ length: count }, () => run);

describe(`calls at the same time on ${worldName}`, () => {
  const suite = Suite.forEachTest({ inWorker: true });

  test("the same create ten times at once makes one volume", async () => {
    const { client, world } = suite;
    expect(await allAtOnce(times(10, async () => client.create("one")))).toBeGreaterThan(0);
    await client.create("one");
    expect(await world.thins()).toHaveLength(1);
  });

  test("twenty volumes at once are twenty volumes, each with a number of its own", async () => {
    const { client, world } = suite;
    const names = Array.from({ length: 20 }, (_, index) => `volume ${index}`);
    const volumes = await Promise.all(names.map(async (name) => client.create(name, { kind: "block" })));
    expect(new Set(volumes.map(({ record }) => record.number)).size).toBe(20);
    expect(await world.thins()).toHaveLength(20);
    await Promise.all(volumes.map(async ({ record }) => client.delete(record.id)));
    expect(await world.thins()).toHaveLength(0);
  });

  test.each(FILESYSTEMS)("the same node call ten times at once does to a %s what one does", async (kind) => {
    const { client, world } = suite;
    const { record } = await client.create("one", { kind });
    const use = client.use(record.id, kind);
    expect(await allAtOnce(times(10, async () => client.stage(use)))).toBeGreaterThan(0);
    expect(await allAtOnce(times(10, async () => client.publish(use)))).toBeGreaterThan(0);
    const targets = (await world.filesystems.mounts()).map(({ target }) => target);
    for (const path of [use.stagingPath, use.path]) expect(targets.filter((target) => target === path)).toHaveLength(1);
    await world.writeFile(`${use.path}/file`, "content");
    expect(await allAtOnce(times(10, async () => client.snapshot("moment", record.id)))).toBeGreaterThan(0);
    expect(await allAtOnce(times(10, async () => client.unpublish(use)))).toBeGreaterThan(0);
    expect(await allAtOnce(times(10, async () => client.unstage(use)))).toBeGreaterThan(0);
    expect(await client.get(record.id, kind, "file")).toBe("content");
    expect(await world.thins()).toHaveLength(2);
  });

  test("different calls on one volume at once: one is at work, the others are told to try again, and nothing is lost", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    await client.put(record.id, "ext4", "file", "content");
    const use = client.use(record.id);
    const calls = [
      async () => client.stage(use),
      async () => world.volumes.expand(record.id, { requiredBytes: BigInt(2 * SIZE), limitBytes: undefined }, call()),
      async () => client.snapshot("moment", record.id),
      async () => world.volumes.modify(record.id, { discardOnDelete: true }, call()),
      async () => client.create("clone", { origin: { kind: "volume", id: record.id } }),
    ];
    const succeeded = await allAtOnce(calls);
    expect(succeeded).toBeGreaterThan(0);
    for (const run of calls) await persist<unknown>(run);
    await client.publish(use);
    expect((await world.readFile(`${use.path}/file`)).toString()).toBe("content");
    await client.unmount(use);
    const { record: restored } = await client.create("restored", {
      size: 2 * SIZE,
      origin: fromSnapshot((await client.snapshot("moment", record.id)).record.id),
    });
    expect(await client.get(restored.id, "ext4", "file")).toBe("content");
  });

  /** Of what is asked while the volume is staged: that it was told to try again. */
  const toldWhileStaging = async (use: Use, calls: readonly (() => Promise<unknown>)[]): Promise<readonly boolean[]> => {
    const { client, world } = suite;
    let outcomes: readonly PromiseSettledResult<unknown>[] = [];
    world.beforeNext("makeTarget", async () => {
      outcomes = await Promise.allSettled<unknown>(calls.map(async (run) => run()));
    });
    await client.stage(use);
    return outcomes.map((outcome) => outcome.status === "rejected" && isInProgress(outcome.reason));
  };

  test("whatever is asked of a volume while it is being staged is told to try again, and when it is, it is done once", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = client.use(record.id);
    const again = [
      async () => world.volumes.create(client.wanted("clone", { origin: { kind: "volume", id: record.id } }), soon()),
      async () => world.volumes.createSnapshot({ name: "moment", sourceVolumeId: record.id }, soon()),
      async () => world.volumes.expand(record.id, { requiredBytes: BigInt(2 * SIZE), limitBytes: undefined }, soon()),
      async () => world.volumes.createGroup({ name: "group", sourceVolumeIds: [record.id] }, soon()),
    ];
    const calls = [...again, async () => client.stage(use), async () => client.unstage(use), async () => client.publish(use)];
    expect(await toldWhileStaging(use, calls)).toEqual(calls.map(() => true));
    for (const run of again) await persist<unknown>(run);
    expect(await world.thins()).toHaveLength(4);
    expect((await world.volumes.get(record.id, call())).record.sizeBytes).toBe(2 * SIZE);
    await client.publish(use);
    await world.writeFile(`${use.path}/file`, "content");
  });

  test("a volume whose deletion is asked for while it is being staged is its user's all the same, and deleted afterwards", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    const use = client.use(record.id);
    const calls = [async () => world.volumes.delete(record.id, soon()), async () => world.volumes.create(client.wanted("one"), soon())];
    expect(await toldWhileStaging(use, calls)).toEqual([true, true]);
    await client.publish(use);
    await world.writeFile(`${use.path}/file`, "content");
    expect(await world.thins()).toHaveLength(1);
    await client.unmount(use);
    await persist(async () => world.volumes.delete(record.id, soon()));
    expect(await world.thins()).toEqual([]);
  });

  // What a node has accepted is carried out later, though its caller was told to try again: an object remembers it.
  if (!isThroughObjects) {
    test("nothing happens of what was told to try again", async () => {
      const { client, world } = suite;
      const { record } = await client.create("one");
      const calls = [
        async () => client.delete(record.id),
        async () => client.snapshot("moment", record.id),
        async () => client.create("clone", { origin: { kind: "volume", id: record.id } }),
        async () => world.volumes.expand(record.id, { requiredBytes: BigInt(2 * SIZE), limitBytes: undefined }, call()),
      ];
      expect(await toldWhileStaging(client.use(record.id), calls)).toEqual(calls.map(() => true));
      expect(await world.thins()).toHaveLength(1);
      expect((await world.volumes.get(record.id, call())).record.sizeBytes).toBe(SIZE);
    });
  }

  test("a volume deleted and staged at once is either deleted, or staged with all it has", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    await client.put(record.id, "ext4", "file", "content");
    const use = client.use(record.id);
    const [deleted, staged] = await Promise.allSettled([client.delete(record.id), client.stage(use)]);
    expect([deleted.status, staged.status].toSorted()).toEqual(["fulfilled", "rejected"]);
    if (deleted.status === "fulfilled") expect(await world.thins()).toHaveLength(0);
    else expect((await world.readFile(`${use.stagingPath}/file`)).toString()).toBe("content");
  });

  test("a caller who has given up is told so, and whoever repeats the call meets a whole volume", async () => {
    const { client, world } = suite;
    const giveUp = new AbortController();
    const creation = world.volumes.create(client.wanted("one"), { ...call(), signal: giveUp.signal });
    giveUp.abort();
    await expect(creation).rejects.toMatchObject({ facts: { code: "deadline" } });
    const { record } = await persist(async () => client.create("one"));
    expect(await world.thins()).toHaveLength(1);
    await client.put(record.id, "ext4", "file", "content");
  });
});
