import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { thinSnapshot, thinSnapshotSpec } from "../../../../src/cluster/objects/thin-snapshot.ts";
import { thinVolume, thinVolumeSpec, type ThinVolume } from "../../../../src/cluster/objects/thin-volume.ts";
import { ClusterUpkeep } from "../../../../src/cluster/pools/cluster-upkeep.ts";
import { createAdminServer } from "../../../../src/csi/admin-service.ts";
import { askUpkeep } from "../../../../src/csi/upkeep-client.ts";
import { DmthinError } from "../../../../src/errors.ts";
import { silentLogger } from "../../../../src/logger.ts";
import { groupId, snapshotId, volumeId } from "../../../../src/volumes/ids.ts";
import type { PoolUpkeep } from "../../../../src/volumes/upkeep.ts";
import { call, SIZE } from "../../../contract/volumes/client.ts";
import { NODE, POOL } from "../../../contract/volumes/description.ts";
import { nodeForEachTest } from "../../volumes/node.ts";
import { Cluster } from "./cluster-node.ts";
import { fakeTrims } from "../../csi/fake-trims.ts";

const NAMES = { driver: "csi.example", topologyKey: "topology.example/node" };
const ID = volumeId("a");

const node = nodeForEachTest();
let cluster: Cluster;
let folder: string;
let server: ReturnType<typeof createAdminServer>;
let objectOf: (id: string) => ThinVolume | undefined;

const serve = async (upkeep: PoolUpkeep): Promise<void> => {
  server = createAdminServer({ pools: () => [node.world.pool], upkeep, trims: fakeTrims, version: "1.2.3", node: NODE, logger: silentLogger });
  await server.listen(join(folder, "admin.sock"));
};
beforeEach(async () => {
  cluster = new Cluster();
  cluster.startAgent({ pools: [node.world.pool], local: node.world.volumes });
  folder = await mkdtemp(join(tmpdir(), "dmthin-known-"));
  objectOf = () => undefined;
  const pools = { seen: () => new Map([[POOL, { pool: node.world.pool }]]) };
  await serve(new ClusterUpkeep({ local: node.world.volumes, pools, objectOf: (id) => objectOf(id), names: NAMES }));
});
afterEach(async () => {
  await server.close(AbortSignal.abort());
  await cluster.close();
  await rm(folder, { recursive: true });
});

const makeKnown = async (which: string, pool = "") => askUpkeep(join(folder, "admin.sock")).makeKnown(which, pool);
const documents = (manifest: string): readonly { readonly kind: string; readonly spec: Readonly<Record<string, unknown>> }[] =>
  parseAllDocuments(manifest).map((document) => document.toJS() as { kind: string; spec: Record<string, unknown> });
const objectAs = (spec: object, status: object): ThinVolume =>
  thinVolume.parse({
    metadata: { name: ID, uid: "u", resourceVersion: "1", creationTimestamp: "2026-11-21T12:00:00Z" },
    spec: { name: "a", nodeName: NODE, poolName: POOL, requiredBytes: 0, capabilities: [], ...spec },
    status,
  });

/** As it comes about: made through an object, which was then taken away by force. */
async function withoutObject(): Promise<void> {
  await node.client.create("origin", { kind: "ext4" });
  const { record } = await node.world.volumes.createSnapshot({ name: "s", sourceVolumeId: volumeId("origin") }, call());
  await cluster.volume("a", { source: { kind: "snapshot", id: record.id } });
  await cluster.ready("a");
  await node.world.volumes.expand(ID, { requiredBytes: BigInt(2 * SIZE), limitBytes: undefined }, call());
  await cluster.volumes.patch(ID, { metadata: { finalizers: [] } });
  await cluster.volumes.delete(ID);
  await cluster.gone(cluster.volumes, ID);
  expect(node.world.view.thins.has(ID)).toBe(true);
}

describe("a volume that its node has and its cluster has no object of", () => {
  test("is taken back, and can then be deleted like any other, with the objects that are printed: also one that was restored and expanded", async () => {
    await withoutObject();
    const { id, manifest, letGoFirst } = await makeKnown("a");
    expect([id, letGoFirst]).toEqual([ID, []]);
    const [volume, ...others] = documents(manifest);
    expect([volume?.kind, ...others.map(({ kind }) => kind)]).toEqual(["ThinVolume", "PersistentVolume", "PersistentVolumeClaim"]);
    const number = node.world.view.thins.get(ID)?.number;
    await cluster.volumes.create({ metadata: { name: ID }, spec: thinVolumeSpec.parse(volume?.spec) });
    expect((await cluster.ready("a")).status).toMatchObject({ deviceNumber: number, sizeBytes: 2 * SIZE });
    await cluster.volumes.delete(ID);
    await cluster.gone(cluster.volumes, ID);
    expect(node.world.view.thins.get(ID)?.state).not.toBe("ready");
  });

  test("is found by its id and by its name, in the pool that was named", async () => {
    await node.client.create("a");
    const { manifest } = await makeKnown("a");
    expect((await makeKnown(ID, POOL)).manifest).toBe(manifest);
    await expect(makeKnown("a", "slow")).rejects.toMatchObject({ message: "there is no volume a" });
    await expect(makeKnown("b")).rejects.toMatchObject({ message: "there is no volume b" });
  });
});

describe("no manifest is printed", () => {
  beforeEach(async () => void (await node.client.create("a")));

  test("while the API server has not told what it has: an object may be there", async () => {
    objectOf = () => {
      throw new DmthinError({ code: "pools-unknown", node: NODE, reason: "not told" });
    };
    await expect(makeKnown("a")).rejects.toMatchObject({ message: expect.stringContaining("not told"), isSilent: false });
  });

  test("of a volume whose object is there", async () => {
    for (const poolUUID of [undefined, node.world.view.poolUuid]) {
      objectOf = () => objectAs({}, { poolUUID });
      await expect(makeKnown("a")).rejects.toMatchObject({ message: `the cluster knows volume ${ID}: see "kubectl describe thinvolume ${ID}"` });
    }
  });

  test("where its object would be another pool's, which nobody is told to let go of: its volume would go with it", async () => {
    objectOf = () => objectAs({ poolName: "slow" }, { poolUUID: "of slow" });
    await expect(makeKnown("a")).rejects.toMatchObject({
      message: expect.stringContaining(`ThinVolume ${ID} is of pool slow, and this volume is in pool ${POOL}`),
    });
  });

  test("of a snapshot", async () => {
    await expect(makeKnown(snapshotId("s"))).rejects.toMatchObject({ message: expect.stringContaining("is a snapshot") });
  });

  test("by a driver of no cluster", async () => {
    await server.close(AbortSignal.abort());
    await serve(node.world.volumes);
    await expect(makeKnown("a")).rejects.toMatchObject({ message: expect.stringContaining("runs as dmthin standalone"), isSilent: false });
  });
});

test("an object of its name that is of the pool that was here before gives way to the one that is printed, and claims stay", async () => {
  await node.client.create("a");
  objectOf = () => objectAs({}, { poolUUID: "of the pool before" });
  const { manifest, letGoFirst } = await makeKnown("a");
  expect(documents(manifest).map(({ kind }) => kind)).toEqual(["ThinVolume"]);
  expect(letGoFirst).toEqual([`kubectl delete thinvolume ${ID} --wait=false`, expect.stringContaining(`kubectl patch thinvolume ${ID} `)]);
});

test("a snapshot and a group without objects are taken back by objects that somebody writes, as docs/troubleshooting.md has them, and go with them", async () => {
  await node.client.create("a");
  const [snapshot, group] = [snapshotId("s"), groupId("g")];
  await node.world.volumes.createSnapshot({ name: "s", sourceVolumeId: ID }, call());
  await node.world.volumes.createGroup({ name: "g", sourceVolumeIds: [ID] }, call());
  const where = { nodeName: NODE, poolName: POOL };
  await cluster.snapshots.create({ metadata: { name: snapshot }, spec: thinSnapshotSpec.parse({ name: "s", sourceVolume: ID, ...where }) });
  await cluster.groups.create({ metadata: { name: group }, spec: { name: "g", sourceVolumes: [ID], ...where } });
  await cluster.until(cluster.snapshots, snapshot, (item) => thinSnapshot.parse(item).status.phase === "Ready");
  await cluster.until(cluster.groups, group, (item) => item?.status.phase === "Ready");
  await cluster.snapshots.delete(snapshot);
  await cluster.groups.delete(group);
  await cluster.gone(cluster.snapshots, snapshot);
  await cluster.gone(cluster.groups, group);
  expect([...node.world.view.thins.values()].filter(({ state }) => state === "ready").map(({ id }) => id)).toEqual([ID]);
});
