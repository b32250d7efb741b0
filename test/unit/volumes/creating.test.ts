import { describe, expect, test } from "@jest/globals";
import { GiB, MiB } from "../../../src/units.ts";
import { snapshotId, volumeId } from "../../../src/volumes/ids.ts";
import type { VolumeWanted } from "../../../src/volumes/volumes.ts";
import { call, capability, fromSnapshot, fromVolume, SIZE } from "../../contract/volumes/client.ts";
import { expectRefusal, nodeForEachTest } from "./node.ts";

const node = nodeForEachTest({ dataBytes: 2 * GiB });
const topology = (...requisite: string[]) => ({ requisite, preferred: [] });
const create = async (wanted: VolumeWanted) => node.world.volumes.create(wanted, call());

describe("a name that is taken", () => {
  test("answers the volume when it is what is asked for", async () => {
    const first = await node.client.create("a");
    expect((await node.client.create("a")).record).toEqual(first.record);
    expect((await node.client.create("a", { size: 0 })).record).toEqual(first.record);
    expect(await node.world.thins()).toHaveLength(1);
  });

  test.each([
    ["size", { size: SIZE + 1 }, /at least/],
    ["limit", { size: 0, limit: BigInt(MiB) }, /at most/],
    ["filesystem", { kind: "xfs" }, /its filesystem is ext4/],
    ["access", { kind: "block" }, /it is a filesystem/],
    ["mode", { mode: "SINGLE_NODE_READER_ONLY" }, /its capabilities are mount SINGLE_NODE_WRITER/],
    ["mkfs options", { mkfsOptions: ["-N", "100"] }, /its mkfsOptions are ""/],
    ["discard", { discardOnDelete: true }, /its discardOnDelete is false/],
    ["origin", { origin: fromSnapshot(snapshotId("s")) }, /it was made from nothing/],
  ] as const)("by a volume of another %s is refused, and says how that differs", async (_, options, difference) => {
    await node.client.create("a");
    await expectRefusal(node.client.create("a", options), "already-exists", { difference: expect.stringMatching(difference) });
  });

  test("by a volume that is being deleted can be had later", async () => {
    const { record } = await node.client.create("a");
    const use = await node.client.mount(record.id);
    const release = node.world.hold(use.path);
    await node.client.unmount(use);
    await node.client.delete(record.id);
    await expectRefusal(node.client.create("a"), "being-deleted");
    await expectRefusal(node.world.volumes.get(record.id), "not-found");
    expect((await node.world.volumes.list({ maxEntries: 0, startingToken: "" })).items).toEqual([]);
    release();
  });
});

const asked = (change: Partial<VolumeWanted>): VolumeWanted => ({ ...node.client.wanted("a"), ...change });
const parameters = (change: Partial<VolumeWanted["parameters"]>) => ({ parameters: { ...node.client.wanted("a").parameters, ...change } });

describe("refused before anything is made", () => {
  test("a pool that there is not, with those that there are", async () => {
    await expectRefusal(create(asked(parameters({ pool: "other" }))), "invalid-argument", { problems: [expect.stringMatching(/"other".*contract/)] });
  });

  test("block and filesystem in one, or two filesystems", async () => {
    await expectRefusal(create(asked({ capabilities: [capability("block"), capability("ext4")] })), "invalid-argument");
    await expectRefusal(create(asked(parameters({ filesystem: "xfs" }))), "invalid-argument");
  });

  test("another node, unless this one would do too", async () => {
    await expectRefusal(create(asked({ topology: topology("elsewhere") })), "not-in-topology", { asked: ["elsewhere"] });
    expect((await create(asked({ topology: topology("elsewhere", "contract-node") }))).node).toBe("contract-node");
    await expectRefusal(create(asked({ topology: topology("elsewhere") })), "already-exists");
  });

  test("a copy of what is not there, or not any more", async () => {
    await expectRefusal(node.client.create("a", { origin: fromSnapshot(snapshotId("none")) }), "not-found", { kind: "snapshot" });
    await expectRefusal(node.client.create("a", { origin: fromVolume("../etc") }), "not-found", { kind: "volume" });
    await expectRefusal(node.client.create("a", { origin: fromVolume(volumeId("a")) }), "not-found");
  });

  test("a copy that is to be something else than its source", async () => {
    const { record } = await node.client.create("source");
    const { record: block } = await node.client.create("block", { kind: "block" });
    await expectRefusal(node.client.create("a", { kind: "xfs", origin: fromVolume(record.id) }), "invalid-argument");
    await expectRefusal(node.client.create("a", { kind: "block", origin: fromVolume(record.id) }), "invalid-argument");
    await expectRefusal(node.client.create("a", { kind: "ext4", origin: fromVolume(block.id) }), "invalid-argument");
    await expectRefusal(create({ ...node.client.wanted("a", { origin: fromVolume(record.id) }), topology: topology("elsewhere") }), "invalid-argument");
  });

  test("more than the pool can ever hold, and more than it can take now", async () => {
    await expectRefusal(node.client.create("a", { size: 21 * GiB }), "out-of-range");
    await node.client.create("b", { size: 15 * GiB });
    await expectRefusal(node.client.create("a", { size: 6 * GiB }), "pool-too-small", { availableBytes: 5 * GiB });
  });

  test("and nothing was made", async () => {
    await expectRefusal(node.client.create("a", { size: 21 * GiB }), "out-of-range");
    expect(await node.world.thins()).toEqual([]);
  });
});

test("a copy of which no filesystem is asked has its source's", async () => {
  const { record } = await node.client.create("source", { kind: "xfs" });
  const wanted = node.client.wanted("a", { origin: fromVolume(record.id), size: 1 });
  const copy = await create({ ...wanted, capabilities: [{ ...capability("xfs"), filesystem: undefined }] });
  expect(copy.record).toMatchObject({ filesystem: { type: "xfs" }, sizeBytes: record.sizeBytes });
});

test("create enforces what capacity reports, also when many ask at once", async () => {
  const capacity = async () => (await node.world.volumes.capacity({ pool: undefined, node: undefined, filesystem: undefined })).availableBytes;
  expect(await capacity()).toBe((2 * GiB - 64 * 1024 * Math.floor((2 * GiB) / (64 * 1024) / 10)) * 10);
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, async (_, index) => node.client.create(`v${index}`, { size: 4.5 * GiB, kind: "block" })));
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(4);
  expect(await capacity()).toBe(2 * GiB);
  await expectRefusal(node.client.create("more", { size: 2 * GiB + 1 }), "pool-too-small");
  await node.client.create("last", { size: 2 * GiB, kind: "block" });
  expect(await capacity()).toBe(0);
});

test("capacity elsewhere is nothing, and tells what the filesystem needs", async () => {
  const capacity = await node.world.volumes.capacity({ pool: "contract", node: "elsewhere", filesystem: "xfs" });
  expect(capacity).toEqual({ availableBytes: 0, minimumVolumeBytes: 300 * MiB, maximumVolumeBytes: 0 });
});

describe("changes", () => {
  test("an expansion needs room for what it adds only", async () => {
    const { record } = await node.client.create("a", { size: 17 * GiB });
    const expand = async (size: number) => node.world.volumes.expand(record.id, { requiredBytes: BigInt(size), limitBytes: undefined }, call());
    expect((await expand(18 * GiB)).record.sizeBytes).toBe(18 * GiB);
    expect((await expand(GiB)).record.sizeBytes).toBe(18 * GiB);
    await expectRefusal(expand(21 * GiB), "out-of-range");
    await expectRefusal(node.world.volumes.expand(volumeId("none"), { requiredBytes: 1n, limitBytes: undefined }, call()), "not-found");
  });

  test("a modification changes what it names and nothing else", async () => {
    const { record } = await node.client.create("a");
    await node.world.volumes.modify(record.id, { xfsNospaceMaxRetries: 3 }, call());
    await node.world.volumes.modify(record.id, {}, call());
    expect((await node.world.volumes.get(record.id)).record.parameters).toEqual({ discardOnDelete: false, xfsNospaceMaxRetries: 3 });
  });

  test("deleting what is not there, or is no volume, is success", async () => {
    for (const id of [volumeId("none"), "", "../etc", "snap-x"]) await node.client.delete(id);
  });
});
