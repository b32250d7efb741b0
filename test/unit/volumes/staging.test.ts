import { describe, expect, test } from "@jest/globals";
import { FILESYSTEM_TYPES } from "../../../src/filesystem/filesystems.ts";
import { silentLogger } from "../../../src/logger.ts";
import { LocalVolumes } from "../../../src/volumes/local-volumes.ts";
import { volumeId } from "../../../src/volumes/ids.ts";
import { call, capability, fromVolume, SIZE, type Use } from "../../contract/volumes/client.ts";
import { SimulatedFilesystems } from "../../simulation/filesystems.ts";
import { expectRefusal, nodeForEachTest } from "./node.ts";

const node = nodeForEachTest();
const ID = volumeId("a");
const record = async (id = ID) => (await node.world.volumes.get(id)).record;
const mountsOn = (path: string) => node.world.machine.mounts.entries.filter(({ target }) => target === path);
const volumeDevices = () => node.world.devices().filter((name) => !name.endsWith("-pool"));

async function destroySuperblock(): Promise<Buffer> {
  const block = Buffer.alloc(4096, 0xee);
  await onDevice(async (path) => node.world.writeBlock(path, 0, block));
  return block;
}

const content = async (): Promise<Buffer> => onDevice(async (path) => node.world.readBlock(path, 0, 4096));

async function onDevice<Result>(work: (path: string) => Promise<Result>): Promise<Result> {
  const device = await node.world.pool.calls.activate(ID, { readOnly: false });
  try {
    return await work(device.path);
  } finally {
    await node.world.pool.calls.deactivate(ID);
  }
}

describe("staging", () => {
  test("twice, and unstaging twice, is as once", async () => {
    await node.client.create("a");
    const use = node.client.use(ID);
    for (let round = 0; round < 3; round++) await node.client.stage(use);
    expect(mountsOn(use.stagingPath)).toHaveLength(1);
    for (let round = 0; round < 3; round++) await node.client.unstage(use);
    expect([mountsOn(use.stagingPath), volumeDevices()]).toEqual([[], []]);
    expect(await record()).toMatchObject({ staging: undefined, filesystem: { state: "formatted" } });
  });

  test("knows its paths however they are spelled", async () => {
    await node.client.create("a");
    const use = node.client.use(ID);
    const loose = { ...use, stagingPath: `/${use.stagingPath}/`, path: use.path.replace("/run/", "/run/./") };
    await node.client.stage(loose);
    await node.client.stage(use);
    await node.client.publish(loose);
    expect(mountsOn(use.path)).toHaveLength(1);
    await node.client.unpublish(loose);
    await node.client.unstage(loose);
    expect(volumeDevices()).toEqual([]);
  });

  test("elsewhere, or otherwise, while it is staged is refused", async () => {
    await node.client.create("a");
    const use = node.client.use(ID);
    await node.client.stage(use);
    await expectRefusal(node.client.stage(use, "SINGLE_NODE_READER_ONLY"), "use-conflict");
    await expectRefusal(node.client.stage({ ...use, stagingPath: node.world.directory("other") }), "use-conflict");
    await expectRefusal(node.client.stage({ ...use, kind: "xfs" }), "invalid-argument");
    await expectRefusal(node.client.stage({ ...use, kind: "block" }), "invalid-argument");
    await expectRefusal(node.client.stage({ ...use, id: volumeId("none") }), "not-found");
    expect(mountsOn(use.stagingPath)).toHaveLength(1);
  });

  test("never covers a stranger's mount, and unstaging never takes one down", async () => {
    await node.client.create("a");
    const use = node.client.use(ID);
    const other = await node.client.mount((await node.client.create("b")).record.id);
    await expectRefusal(node.client.stage({ ...use, stagingPath: other.stagingPath }), "path-unusable");
    await expectRefusal(node.client.unstage({ ...use, stagingPath: other.stagingPath }), "path-unusable");
    expect(mountsOn(other.stagingPath)).toHaveLength(1);
    expect(await record()).toMatchObject({ staging: undefined });
  });

  test("that fails leaves nothing staged, so that the volume can be deleted", async () => {
    await node.client.create("a", { mkfsOptions: ["-b", "999"] });
    const use = node.client.use(ID);
    await expectRefusal(node.client.stage(use), "mkfs-refused");
    expect([await record(), volumeDevices()]).toMatchObject([{ staging: undefined }, []]);
    await node.client.delete(ID);
  });

  test("takes the volume from nobody: deleted it is only once it is unstaged", async () => {
    await node.client.create("a");
    const use = await node.client.mount(ID);
    await expectRefusal(node.client.delete(ID), "volume-staged", { path: use.stagingPath });
    await node.client.unpublish(use);
    await expectRefusal(node.client.delete(ID), "volume-staged");
    await node.client.unstage(use);
    await node.client.delete(ID);
    expect(await node.world.thins()).toEqual([]);
  });

  test("takes all of the volume's own mounts off a path, when they stack", async () => {
    await node.client.create("a");
    const use = node.client.use(ID);
    await node.client.stage(use);
    node.world.machine.mounts.bindDirectory(use.stagingPath, use.stagingPath, false);
    expect(mountsOn(use.stagingPath)).toHaveLength(2);
    await node.client.unstage(use);
    expect([mountsOn(use.stagingPath), volumeDevices()]).toEqual([[], []]);
  });
});

describe("what is on the device", () => {
  test("that is formatted and cannot be read any more is left as it is", async () => {
    await node.client.create("a");
    await node.client.put(ID, "ext4", "file", "content");
    const block = await destroySuperblock();
    await expectRefusal(node.client.stage(node.client.use(ID)), "foreign-content", { expected: "the filesystem ext4" });
    expect(await content()).toEqual(block);
  });

  test("that something else wrote before we did is left as it is", async () => {
    await node.client.create("a");
    const block = await destroySuperblock();
    await expectRefusal(node.client.stage(node.client.use(ID)), "foreign-content");
    expect(await content()).toEqual(block);
    expect(await record()).toMatchObject({ filesystem: { state: "none" } });
  });

  test.each([
    ["now is another device's", { uuid: "STRANGER", suspended: false }, "path-unusable"],
    ["is gone", undefined, "path-unusable"],
    ["would hang whoever opened it", { uuid: "the volume's own", suspended: true }, "in-progress"],
  ] as const)("is not touched when the number %s", async (_, identity, code) => {
    const { world } = node;
    await node.client.create("a");
    class Overtaken extends SimulatedFilesystems {
      override async deviceIdentity(major: number, minor: number): ReturnType<SimulatedFilesystems["deviceIdentity"]> {
        const real = await super.deviceIdentity(major, minor);
        return identity?.suspended === true && real !== undefined ? { uuid: real.uuid, suspended: true } : identity;
      }
    }
    const filesystems = new Overtaken(world.machine, world.process);
    const volumes = new LocalVolumes({ node: "contract-node", pools: [world.pool], filesystems, logger: silentLogger });
    const staging = volumes.stage({ id: ID, path: node.client.use(ID).stagingPath, capability: capability("ext4") }, call());
    await expectRefusal(staging, code);
    expect(world.process.steps.filter((step) => ["mkfs begins", "fsck", "mount", "bind"].includes(step))).toEqual([]);
  });
});

describe("copies", () => {
  test.each(FILESYSTEM_TYPES)("of %s are mounted beside their source, and larger ones are grown", async (kind) => {
    await node.client.create("a", { kind });
    const source = await node.client.mount(ID, kind);
    await node.world.writeFile(`${source.path}/file`, "content");
    const copy = (await node.client.create("copy", { kind, size: 2 * SIZE, origin: fromVolume(ID) })).record;
    const use = await node.client.mount(copy.id, kind);
    expect((await node.world.readFile(`${use.path}/file`)).toString()).toBe("content");
    const { usage } = await node.world.volumes.stats(copy.id, use.path);
    expect(usage?.totalBytes).toBe(2 * SIZE);
    expect(await record(copy.id)).toMatchObject({ growFilesystem: false, renewIdentity: false });
  });
});

test("reader-only is mounted read-only, and never published for writing", async () => {
  await node.client.create("a", { mode: "SINGLE_NODE_READER_ONLY" });
  const use = node.client.use(ID);
  await node.client.stage(use, "SINGLE_NODE_READER_ONLY");
  expect(mountsOn(use.stagingPath)).toMatchObject([{ readOnly: true }]);
  await expectRefusal(node.client.publish(use), "use-conflict");
  await node.client.publish(use, { mode: "SINGLE_NODE_READER_ONLY" });
  expect(mountsOn(use.path)).toMatchObject([{ readOnly: true }]);
});

const retries = (use: Use) => mountsOn(use.stagingPath)[0]?.filesystem?.xfsRetries;
const modify = async (xfsNospaceMaxRetries: number | "auto") => node.world.volumes.modify(ID, { xfsNospaceMaxRetries }, call());

test("xfs on a full pool does not hang for ever where writes fail, unless its volume says otherwise", async () => {
  expect(node.world.view.figures?.queuesWhenFull).toBe(false);
  await node.client.create("a", { kind: "xfs" });
  const use = await node.client.mount(ID, "xfs");
  expect(retries(use)).toBe(0);
  await modify(7);
  expect(retries(use)).toBe(7);
  await node.client.unmount(use);
  await modify(8);
  await node.client.mount(ID, "xfs");
  expect(retries(use)).toBe(8);
  await modify("auto");
  expect(retries(use)).toBe(0);
});

describe("a mount that is held open", () => {
  test("is unstaged all the same, and staged again with its data", async () => {
    await node.client.create("a");
    const use = await node.client.mount(ID);
    await node.world.writeFile(`${use.path}/file`, "content");
    const release = node.world.hold(`${use.path}/file`);
    await node.client.unmount(use);
    expect([mountsOn(use.stagingPath), mountsOn(use.path), volumeDevices().length]).toEqual([[], [], 1]);
    await node.client.stage(use);
    await node.client.publish(use);
    expect((await node.world.readFile(`${use.path}/file`)).toString()).toBe("content");
    release();
    await node.client.unmount(use);
    expect(volumeDevices()).toEqual([]);
  });
});

test("killed at any step of its first staging, the volume is staged by the repeated call, and its data is safe from then on", async () => {
  await node.client.create("a");
  const { world } = node;
  const use = node.client.use(ID);
  const before = world.process.steps.length;
  await node.client.stage(use);
  const steps = world.process.steps.length - before;
  await node.client.unstage(use);
  expect(steps).toBeGreaterThan(4);
  for (let step = 0; step < steps; step++) {
    for (const moment of ["before", "after"] as const) {
      const id = (await node.client.create(`killed ${moment} ${step}`)).record.id;
      const one = node.client.use(id);
      world.process.killAt(world.process.steps.length + step, moment);
      await expect(node.client.stage(one)).rejects.toThrow();
      await world.kill();
      await world.start();
      await node.client.stage(one);
      expect(mountsOn(one.stagingPath)).toHaveLength(1);
      await node.client.publish(one);
      await world.writeFile(`${one.path}/file`, "content");
      await node.client.unmount(one);
      expect(await node.client.get(id, "ext4", "file")).toBe("content");
      await node.client.delete(id);
    }
  }
  expect((await world.thins()).length).toBe(1);
  expect(volumeDevices()).toEqual([]);
});

test("killed at any step of unstaging and unpublishing, both are finished by the repeated calls", async () => {
  await node.client.create("a");
  const { world } = node;
  const use = await node.client.mount(ID);
  await world.writeFile(`${use.path}/file`, "content");
  const before = world.process.steps.length;
  await node.client.unmount(use);
  const steps = world.process.steps.length - before;
  for (let step = 0; step < steps; step++) {
    for (const moment of ["before", "after"] as const) {
      await node.client.mount(ID);
      world.process.killAt(world.process.steps.length + step, moment);
      await expect(node.client.unmount(use)).rejects.toThrow();
      await world.kill();
      await world.start();
      await node.client.unmount(use);
      expect([mountsOn(use.stagingPath), mountsOn(use.path), volumeDevices()]).toEqual([[], [], []]);
      expect(await record()).toMatchObject({ staging: undefined, publications: [] });
      expect(await node.client.get(ID, "ext4", "file")).toBe("content");
    }
  }
});

test("a caller that gives up while mkfs runs meets its own work when it asks again", async () => {
  await node.client.create("a");
  const { world } = node;
  const use = node.client.use(ID);
  const release = world.process.faults.hang("mkfs");
  const caller = new AbortController();
  const first = world.volumes.stage({ id: ID, path: use.stagingPath, capability: capability("ext4") }, { ...call(), signal: caller.signal });
  while (!world.process.steps.includes("mkfs")) await new Promise((resolve) => setImmediate(resolve));
  caller.abort();
  await expectRefusal(first, "deadline");
  await expectRefusal(node.client.stage(use), "in-progress", { operation: "staging" });
  await expectRefusal(node.client.delete(ID), "in-progress");
  release();
  let outcome: unknown = "in-progress";
  while (outcome === "in-progress") {
    outcome = await node.client.stage(use).then(
      () => "staged",
      (error: { readonly facts?: { readonly code: string } }) => error.facts?.code ?? error,
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(outcome).toBe("staged");
});

test("a stranger's mount over the volume's own stays", async () => {
  await node.client.create("a");
  const use = await node.client.mount(ID);
  const other = await node.client.mount((await node.client.create("b")).record.id);
  node.world.machine.mounts.bindDirectory(other.path, use.path, false);
  await expectRefusal(node.client.unpublish(use), "path-unusable");
  expect(mountsOn(use.path)).toHaveLength(2);
});
