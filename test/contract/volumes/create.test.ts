import { describe, expect, test } from "@jest/globals";
import { worldName } from "../choice.ts";
import { call, type Kind } from "./client.ts";
import { expectRefusal, FILESYSTEMS, Suite } from "./suite.ts";

const KINDS: readonly (readonly [Kind])[] = [...FILESYSTEMS, ["block"]];

describe(`creating volumes on ${worldName}`, () => {
  const suite = Suite.forEachTest();

  test.each(KINDS)("a %s volume asked for ten times is one volume", async (kind) => {
    const { client, world } = suite;
    const first = await client.create("one", { kind });
    for (let again = 1; again < 10; again++) {
      const volume = await client.create("one", { kind });
      expect(volume.record.id).toBe(first.record.id);
    }
    expect(await world.thins()).toHaveLength(1);
  });

  test("a name that is taken by a volume of another size, kind or mode is refused, and that volume stays as it is", async () => {
    const { client, world } = suite;
    const { record } = await client.create("one");
    await expectRefusal(client.create("one", { size: 2 * record.sizeBytes }), "already-exists");
    await expectRefusal(client.create("one", { kind: "xfs" }), "already-exists");
    await expectRefusal(client.create("one", { kind: "block" }), "already-exists");
    await expectRefusal(client.create("one", { mode: "SINGLE_NODE_READER_ONLY" }), "already-exists");
    expect((await world.volumes.get(record.id, call())).record.sizeBytes).toBe(record.sizeBytes);
    expect(await world.thins()).toHaveLength(1);
  });

  test("creating starts nothing in the kernel but the pool: what nobody uses costs no device", async () => {
    const { client, world } = suite;
    await client.create("one");
    expect(world.devices()).toHaveLength(1);
  });

  test("volumes are listed once each, on as many pages as asked for", async () => {
    const { client, world } = suite;
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await client.create(name);
    const seen: string[] = [];
    let token = "";
    do {
      const page = await world.volumes.list({ maxEntries: 2, startingToken: token }, call());
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ record }) => record.name));
      token = page.nextToken;
    } while (token !== "");
    expect(seen.toSorted()).toEqual(names);
    await expectRefusal(world.volumes.list({ maxEntries: 2, startingToken: "nonsense" }, call()), "bad-page-token");
  });

  test("a volume that is not there is not found, whatever its id looks like", async () => {
    const { world } = suite;
    for (const id of ["vol-aaaaaaaaaaaaaaaaaaaaaaaaaa", "../../etc", "", "snap-aaaaaaaaaaaaaaaaaaaaaaaaaa"]) {
      await expectRefusal(world.volumes.get(id, call()), "not-found");
      await expect(world.volumes.delete(id, call())).resolves.toBeUndefined();
    }
  });
});

describe(`the end of capacity on ${worldName}`, () => {
  const suite = Suite.forEachTest({ pool: { minimumFree: { dataPercent: 99, metadataPercent: 1 } } });

  test("below the pool's minimum there are no new volumes or snapshots, deletes work, and after them creates", async () => {
    const { client, world } = suite;
    const { record } = await client.create("large", { kind: "block", size: 512 * 1024 ** 2 });
    const use = await client.mount(record.id, "block");
    const part = Buffer.alloc(8 * 1024 ** 2, 1);
    for (let done = 0; done < 13; done++) await world.writeBlock(use.path, done * part.length, part);
    await expectRefusal(client.snapshot("copy", record.id), "pool-low");
    await expectRefusal(client.create("next"), "pool-low");
    await client.unmount(use);
    await client.delete(record.id);
    expect((await client.create("next")).record.name).toBe("next");
  });
});

describe(`the end of metadata on ${worldName}`, () => {
  const suite = Suite.forEachTest({ metadataBytes: 4 * 1024 ** 2, pool: { minimumFree: { dataPercent: 1, metadataPercent: 85 } } });

  test("below the pool's minimum of metadata there are no new volumes, long before the kernel would stop the pool, and deletes help", async () => {
    const { client } = suite;
    const ids: string[] = [];
    const fill = async (): Promise<void> => {
      for (let index = 0; index < 200; index++) {
        const { record } = await client.create(`volume ${index}`, { kind: "block", size: 1 });
        ids.push(record.id);
        const use = await client.mount(record.id, "block");
        await suite.world.writeBlock(use.path, 0, Buffer.alloc(4096, 1));
        await client.unmount(use);
      }
    };
    await expect(fill()).rejects.toMatchObject({ facts: { code: expect.stringMatching(/^pool-(low|too-small)$/) } });
    expect(ids.length).toBeGreaterThan(2);
    expect(suite.world.view.figures?.state).toBe("rw");
    for (const id of ids) await client.delete(id);
    expect((await client.create("next")).record.name).toBe("next");
  });
});
