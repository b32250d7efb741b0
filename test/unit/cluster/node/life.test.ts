import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { groupId, memberName, snapshotId, volumeId } from "../../../../src/volumes/ids.ts";
import { formatQuantity, MiB } from "../../../../src/units.ts";
import { SIZE } from "../../../contract/volumes/client.ts";
import { nodeForEachTest } from "../../volumes/node.ts";
import { Cluster, isAccepted, type Agent } from "./cluster-node.ts";

const node = nodeForEachTest();
let cluster: Cluster;
let agent: Agent;
beforeEach(async () => {
  cluster = new Cluster();
  agent = cluster.startAgent({ pools: [node.world.pool], local: node.world.volumes });
  await agent.volumes.cache.synced;
});
afterEach(async () => cluster.close());

const [A, B] = [volumeId("a"), volumeId("b")];

test("a volume is accepted, made and told with two writes", async () => {
  await cluster.volume("a");
  const { status, metadata } = await cluster.ready("a");
  const record = node.world.view.thins.get(A);
  expect(record?.sizeBytes).toBe(SIZE);
  expect(status).toMatchObject({
    sizeBytes: SIZE,
    size: formatQuantity(SIZE),
    deviceNumber: record?.number,
    poolUUID: node.world.view.poolUuid,
    filesystem: "ext4",
  });
  expect(status.observedGeneration).toBe(metadata.generation);
  expect(cluster.asked).toEqual(["patch ThinVolume", "patch status ThinVolume"]);
});

test("a deletion is carried out, and then the object is gone", async () => {
  await cluster.volume("a");
  await cluster.ready("a");
  await cluster.volumes.delete(A);
  await cluster.gone(cluster.volumes, A);
  expect(node.world.view.thins.get(A)?.state ?? "deleting").toBe("deleting");
});

test("a larger size and other parameters are carried out, and answered by their generation", async () => {
  await cluster.volume("a");
  await cluster.ready("a");
  await cluster.volumes.patch(A, { spec: { requiredBytes: 2 * SIZE, parameters: { discardOnDelete: true } } });
  const grown = await cluster.until(cluster.volumes, A, (item) => item?.status.sizeBytes === 2 * SIZE);
  expect(grown?.status).toMatchObject({ size: formatQuantity(2 * SIZE), phase: "Ready", observedGeneration: 2, parameters: { discardOnDelete: true } });
  expect(node.world.view.thins.get(A)).toMatchObject({ sizeBytes: 2 * SIZE, parameters: { discardOnDelete: true } });
});

test("snapshots, restores, clones and groups are carried out, and a group's member is a source", async () => {
  await cluster.volume("a");
  await cluster.volume("b");
  await cluster.ready("a");
  await cluster.ready("b");
  await cluster.snapshot("s", A);
  const snapshot = await cluster.until(cluster.snapshots, snapshotId("s"), (item) => item?.status.phase === "Ready");
  expect(snapshot?.status).toMatchObject({ sizeBytes: SIZE, size: formatQuantity(SIZE), poolUUID: node.world.view.poolUuid });
  await cluster.group("g", [B, A]);
  const group = await cluster.until(cluster.groups, groupId("g"), (item) => item?.status.phase === "Ready");
  expect(group?.status.snapshots.map(({ id, sourceVolume }) => [id, sourceVolume])).toEqual(
    [B, A].map((source) => [snapshotId(memberName("g", source)), source]),
  );
  await cluster.volume("restored", { source: { kind: "snapshot", id: snapshotId("s") } });
  await cluster.volume("of a member", { source: { kind: "snapshot", id: snapshotId(memberName("g", A)) } });
  await cluster.volume("clone", { source: { kind: "volume", id: A }, requiredBytes: SIZE + 64 * MiB });
  for (const name of ["restored", "of a member", "clone"]) await cluster.ready(name);
  await cluster.groups.delete(groupId("g"));
  await cluster.snapshots.delete(snapshotId("s"));
  await cluster.gone(cluster.groups, groupId("g"));
  await cluster.gone(cluster.snapshots, snapshotId("s"));
  expect([...node.world.view.thins.values()].filter(({ kind, state }) => kind === "snapshot" && state === "ready")).toEqual([]);
});

test("fifty at once are all made", async () => {
  const names = Array.from({ length: 50 }, (_, index) => `many ${index}`);
  await Promise.all(names.map(async (name) => cluster.volume(name)));
  for (const name of names) expect(isAccepted(await cluster.ready(name))).toBe(true);
  expect(cluster.asked).toHaveLength(100);
});
