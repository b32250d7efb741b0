import { describe, expect, test } from "@jest/globals";
import { volumeId } from "../../../src/volumes/ids.ts";
import { call, SIZE, type Use } from "../../contract/volumes/client.ts";
import { expectRefusal, nodeForEachTest } from "./node.ts";

const node = nodeForEachTest();
const ID = volumeId("a");
const mountsOn = (path: string) => node.world.machine.mounts.entries.filter(({ target }) => target === path);
const elsewhere = (use: Use): Use => ({ ...use, path: node.world.path("elsewhere") });

describe.each(["ext4", "block"] as const)("a published volume (%s)", (kind) => {
  test("is published and unpublished ten times as once, and its target goes with it", async () => {
    await node.client.create("a", { kind });
    const use = node.client.use(ID, kind);
    await node.client.stage(use);
    for (let round = 0; round < 10; round++) await node.client.publish(use);
    expect(mountsOn(use.path)).toHaveLength(1);
    for (let round = 0; round < 10; round++) await node.client.unpublish(use);
    expect([mountsOn(use.path), node.world.exists(use.path)]).toEqual([[], false]);
    await node.client.unstage(use);
    await node.client.delete(ID);
  });

  test("is refused at the same path with other arguments", async () => {
    await node.client.create("a", { kind });
    const use = await node.client.mount(ID, kind);
    await expectRefusal(node.client.publish(use, { readOnly: true }), "use-conflict");
    await expectRefusal(node.client.publish(use, { mode: "SINGLE_NODE_MULTI_WRITER" }), "use-conflict");
  });

  test("is shown at several paths, unless it has a single writer", async () => {
    await node.client.create("a", { kind });
    const use = await node.client.mount(ID, kind);
    const other = elsewhere(use);
    await node.client.publish(other, { readOnly: true });
    expect(mountsOn(other.path)).toMatchObject([{ readOnly: true }]);
    await expectRefusal(node.client.publish({ ...use, path: node.world.path("third") }, { mode: "SINGLE_NODE_SINGLE_WRITER" }), "published-elsewhere");
    await node.client.unpublish(other);
    await node.client.unpublish(use);
    await node.client.publish(use, { mode: "SINGLE_NODE_SINGLE_WRITER" });
    await node.client.publish(use, { mode: "SINGLE_NODE_SINGLE_WRITER" });
    await expectRefusal(node.client.publish(other), "published-elsewhere", { path: use.path });
    expect(mountsOn(other.path)).toEqual([]);
  });

  test("is staged first, and at that path", async () => {
    await node.client.create("a", { kind });
    const use = node.client.use(ID, kind);
    await expectRefusal(node.client.publish(use), "not-staged");
    await node.client.stage(use);
    await expectRefusal(node.client.publish({ ...use, stagingPath: "" }), "not-staged");
    await expectRefusal(node.client.publish({ ...use, stagingPath: "/elsewhere" }), "not-staged");
    await expectRefusal(node.client.publish({ ...use, id: volumeId("none") }), "not-found");
    expect(node.world.exists(use.path)).toBe(false);
  });

  test("that could not be bound is not published", async () => {
    await node.client.create("a", { kind });
    const use = node.client.use(ID, kind);
    await node.client.stage(use);
    node.world.process.faults.fail("bind", 1, "ENOMEM");
    await expectRefusal(node.client.publish(use), "kernel-failed");
    expect((await node.world.volumes.get(ID)).record.publications).toEqual([]);
    expect(node.world.exists(use.path)).toBe(false);
    await node.client.unstage(use);
    await node.client.delete(ID);
  });

  test("killed at any step, is published by the repeated call, and unpublished after that", async () => {
    await node.client.create("a", { kind });
    const use = node.client.use(ID, kind);
    const { world } = node;
    await node.client.stage(use);
    const before = world.process.steps.length;
    await node.client.publish(use);
    const steps = world.process.steps.length - before;
    await node.client.unpublish(use);
    for (let step = 0; step < steps; step++) {
      for (const moment of ["before", "after"] as const) {
        world.process.killAt(world.process.steps.length + step, moment);
        await expect(node.client.publish(use)).rejects.toThrow();
        await world.kill();
        await world.start();
        await node.client.publish(use);
        expect(mountsOn(use.path)).toHaveLength(1);
        await node.client.unpublish(use);
        expect([mountsOn(use.path), world.exists(use.path)]).toEqual([[], false]);
      }
    }
  });
});

test("a publication that a killed driver recorded and never made keeps no other writer out", async () => {
  await node.client.create("a");
  const use = node.client.use(ID);
  const { world } = node;
  await node.client.stage(use);
  world.process.killAt(world.process.steps.length, "before");
  await expect(node.client.publish(use, { mode: "SINGLE_NODE_SINGLE_WRITER" })).rejects.toThrow();
  await world.kill();
  await world.start();
  expect((await world.volumes.get(ID)).record.publications).toHaveLength(1);
  await node.client.publish(elsewhere(use), { mode: "SINGLE_NODE_SINGLE_WRITER" });
});

test("a volume whose staging mount was taken away is not published: the target would show the node's own disk", async () => {
  await node.client.create("a");
  const use = node.client.use(ID);
  await node.client.stage(use);
  await node.world.filesystems.unmount(use.stagingPath);
  await expectRefusal(node.client.publish(use), "not-staged");
});

describe("statistics", () => {
  test("are found where the volume is, and nowhere else", async () => {
    await node.client.create("a");
    const use = await node.client.mount(ID);
    for (const path of [use.path, use.stagingPath]) {
      expect(await node.world.volumes.stats(ID, path)).toMatchObject({ usage: { totalBytes: SIZE }, sizeBytes: SIZE, condition: { abnormal: false } });
    }
    for (const path of ["/elsewhere", "some/path", ""]) await expectRefusal(node.world.volumes.stats(ID, path), "not-found");
    await node.world.filesystems.unmount(use.path);
    await expectRefusal(node.world.volumes.stats(ID, use.path), "not-found");
    await expectRefusal(node.world.volumes.stats(volumeId("none"), use.path), "not-found", { kind: "volume" });
  });

  test("of a block volume are its size", async () => {
    await node.client.create("a", { kind: "block" });
    const use = await node.client.mount(ID, "block");
    expect(await node.world.volumes.stats(ID, use.path)).toMatchObject({ usage: undefined, sizeBytes: SIZE });
  });

  test("do not wait for a device that is suspended", async () => {
    await node.client.create("a");
    const use = await node.client.mount(ID);
    const device = await node.world.pool.calls.activate(ID, { readOnly: false });
    node.world.dm.suspend(device.uuid, { noFlush: true, skipFreeze: true });
    expect(await node.world.volumes.stats(ID, use.path)).toMatchObject({ usage: undefined, condition: { abnormal: false } });
    node.world.dm.resume(device.uuid);
  });
});

const expand = async (size: number) => node.world.volumes.expand(ID, { requiredBytes: BigInt(size), limitBytes: undefined }, call());

describe("growing while it is in use", () => {
  test("is done from its staging or its publication path, as often as it is asked", async () => {
    await node.client.create("a");
    const use = await node.client.mount(ID);
    await expand(2 * SIZE);
    expect((await node.world.volumes.get(ID)).record.growFilesystem).toBe(true);
    for (const path of [use.path, use.stagingPath, use.path]) expect(await node.world.volumes.expandFilesystem(ID, path, call())).toBe(2 * SIZE);
    expect((await node.world.volumes.stats(ID, use.path)).usage?.totalBytes).toBe(2 * SIZE);
    expect((await node.world.volumes.get(ID)).record.growFilesystem).toBe(false);
    await expectRefusal(node.world.volumes.expandFilesystem(ID, "/elsewhere", call()), "not-found");
  });

  test("of a block volume asks for its id only", async () => {
    await node.client.create("a", { kind: "block" });
    await node.client.mount(ID, "block");
    await expand(2 * SIZE);
    expect(await node.world.volumes.expandFilesystem(ID, "/anything", call())).toBe(2 * SIZE);
  });

  test("that was interrupted before the device had grown is ended by its repetition", async () => {
    await node.client.create("a", { kind: "block" });
    await node.client.mount(ID, "block");
    const { uuid } = await node.world.pool.calls.activate(ID, { readOnly: false });
    const length = () => node.world.dm.table(uuid)[0]?.length;
    const before = length();
    node.world.observe = (transition, step, moment) => {
      if (transition === "expand" && step === "table" && moment === "before") throw new Error("interrupted");
    };
    await expect(expand(2 * SIZE)).rejects.toThrow("interrupted");
    node.world.observe = () => undefined;
    expect(length()).toBe(before);
    expect((await expand(2 * SIZE)).record.sizeBytes).toBe(2 * SIZE);
    expect(length()).toBe(2 * Number(before));
  });

  test("leaves a read-only device read-only", async () => {
    await node.client.create("a", { kind: "block" });
    const { uuid } = await node.world.pool.calls.activate(ID, { readOnly: true });
    await expand(2 * SIZE);
    expect(node.world.dm.table(uuid)[0]?.length).toBe((2 * SIZE) / 512);
    expect(node.world.dm.info(uuid)?.readOnly).toBe(true);
  });

  test("of a volume that is not in use follows when it is staged", async () => {
    await node.client.create("a");
    await node.client.put(ID, "ext4", "file", "content");
    await expand(2 * SIZE);
    const use = await node.client.mount(ID);
    expect((await node.world.volumes.stats(ID, use.path)).usage?.totalBytes).toBe(2 * SIZE);
  });

  test("is refused for a volume that is not staged", async () => {
    await node.client.create("a");
    await expectRefusal(node.world.volumes.expandFilesystem(ID, "/anything", call()), "not-found");
  });
});
