import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { parseAllDocuments } from "yaml";
import { thinVolume, thinVolumeSpec, type ThinVolume, type ThinVolumeStatus } from "../../../../src/cluster/objects/thin-volume.ts";
import { DmthinError } from "../../../../src/errors.ts";
import { NODE_FINALIZER } from "../../../../src/cluster/objects/meta.ts";
import { ClusterUpkeep } from "../../../../src/cluster/pools/cluster-upkeep.ts";
import { volumeId } from "../../../../src/volumes/ids.ts";
import type { Adopted } from "../../../../src/volumes/upkeep.ts";
import { call, SIZE } from "../../../contract/volumes/client.ts";
import { NODE, POOL } from "../../../contract/volumes/description.ts";
import { nodeForEachTest } from "../../volumes/node.ts";
import { Cluster } from "./cluster-node.ts";

const ORPHAN = 77;
const OBJECT = { name: volumeId("found"), uid: "u", resourceVersion: "1", creationTimestamp: "2026-11-21T12:00:00Z" };
const SPEC = { name: "found", nodeName: NODE, poolName: POOL, requiredBytes: 0, capabilities: [] };
const NAMES = { driver: "csi.example", topologyKey: "topology.example/node" };

interface Printed {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

const node = nodeForEachTest();
let cluster: Cluster;
beforeEach(() => {
  cluster = new Cluster();
  cluster.startAgent({ pools: [node.world.pool], local: node.world.volumes });
});
afterEach(async () => cluster.close());

async function adopted(
  name: string,
  { kind = "ext4", object }: { readonly kind?: "ext4" | "block"; readonly object?: Pick<ThinVolumeStatus, "poolUUID"> } = {},
): Promise<Adopted> {
  const { record } = await node.client.create("origin", { kind });
  if (kind === "ext4") await node.client.put(record.id, kind, "file", "content");
  node.world.dm.message(node.world.poolUuid, `create_snap ${ORPHAN} ${record.number}`);
  return adoptedAgain(name, object);
}

async function adoptedAgain(name: string, status: Pick<ThinVolumeStatus, "poolUUID"> | undefined): Promise<Adopted> {
  const { pool, volumes: local } = node.world;
  const object = status === undefined ? undefined : thinVolume.parse({ metadata: OBJECT, spec: SPEC, status });
  const upkeep = new ClusterUpkeep({ local, pools: { seen: () => new Map([[POOL, { pool }]]) }, objectOf: () => object, names: NAMES });
  return upkeep.adoptOrphan({ pool: POOL, number: ORPHAN, name, sizeBytes: undefined }, call());
}

const printed = ({ manifest = "" }: Adopted): readonly Printed[] => parseAllDocuments(manifest).map((document) => document.toJS() as Printed);

test.each(["ext4", "block"] as const)(
  "an adopted volume (%s) comes with objects by which the node takes it for what it is, and a pod can use it",
  async (kind) => {
    const found = await adopted("found", { kind });
    const { sizeBytes } = found.record;
    const [volume, persistent, claim] = printed(found);
    const id = volumeId("found");
    expect([volume?.kind, volume?.metadata.name]).toEqual(["ThinVolume", id]);
    await cluster.volumes.create({ metadata: { name: id }, spec: thinVolumeSpec.parse(volume?.spec) });
    expect((await cluster.ready("found")).status).toMatchObject({ deviceNumber: ORPHAN, sizeBytes });

    // One chunk: nothing was ever written to the block volume.
    const storage = kind === "block" ? "65536" : "320Mi";
    const common = { storageClassName: "dmthin-by-hand", accessModes: ["ReadWriteOnce"], volumeMode: kind === "block" ? "Block" : "Filesystem" };
    expect(persistent).toMatchObject({ kind: "PersistentVolume", metadata: { name: id } });
    expect(persistent?.spec).toEqual({
      ...common,
      capacity: { storage },
      persistentVolumeReclaimPolicy: "Retain",
      csi: { driver: "csi.example", volumeHandle: id, ...(kind === "block" ? {} : { fsType: "ext4" }) },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "topology.example/node", operator: "In", values: [NODE] }] }] } },
    });
    expect(claim).toMatchObject({ kind: "PersistentVolumeClaim", metadata: { name: "found" } });
    expect(claim?.spec).toEqual({ ...common, volumeName: id, resources: { requests: { storage } } });
  },
);

test("a name that no claim can have is the volume's alone", async () => {
  const [volume, , claim] = printed(await adopted("It was: mine"));
  expect([volume?.spec["name"], claim?.metadata.name]).toEqual(["It was: mine", volumeId("It was: mine")]);
});

test("a volume whose object is there needs no other: it was lost by the node alone", async () => {
  expect((await adopted("found", { object: { poolUUID: node.world.view.poolUuid } })).manifest).toBeUndefined();
  expect((await adoptedAgain("found", {})).manifest).toBeUndefined();
});

const isLost = (item: ThinVolume | undefined): boolean => item?.status.conditions.some(({ type }) => type === "Lost") === true;

test("an object that its node has lost is well again when its volume was adopted, without another start", async () => {
  const without = new Cluster();
  try {
    const { metadata } = await without.volume("found");
    await without.volumes.patch(metadata.name, { metadata: { finalizers: [NODE_FINALIZER] } });
    const status = { phase: "Ready", poolUUID: node.world.view.poolUuid, deviceNumber: ORPHAN, sizeBytes: SIZE, observedGeneration: 1 };
    await without.volumes.patch(metadata.name, { status }, { subresource: "status" });
    without.startAgent({ pools: [node.world.pool], local: node.world.volumes });
    await without.until(without.volumes, metadata.name, isLost);
    await adopted("found", { object: { poolUUID: node.world.view.poolUuid } });
    await without.until(without.volumes, metadata.name, (item) => !isLost(item));
    expect((await without.ready("found")).status.conditions).toContainEqual(expect.objectContaining({ type: "Ready", status: "True" }));
  } finally {
    await without.close();
  }
});

test("an object of another pool's is replaced, and its claim stays: said with the commands that let go of it", async () => {
  const volume = await adopted("found", { object: { poolUUID: "of the pool before" } });
  const id = volumeId("found");
  expect(printed(volume).map(({ kind, metadata }) => [kind, metadata.name])).toEqual([["ThinVolume", id]]);
  expect(volume.letGoFirst).toEqual([`kubectl delete thinvolume ${id} --wait=false`, expect.stringContaining(`kubectl patch thinvolume ${id} `)]);
});

const notTold = (): never => {
  throw new DmthinError({ code: "pools-unknown", node: NODE, reason: "not told" });
};

test("nothing is adopted as long as the cluster has not told what it has: its manifest might make that a second time", async () => {
  const { pool, volumes: local } = node.world;
  const upkeep = new ClusterUpkeep({ local, pools: { seen: () => new Map([[POOL, { pool }]]) }, objectOf: notTold, names: NAMES });
  const { record } = await node.client.create("origin");
  node.world.dm.message(node.world.poolUuid, `create_snap ${ORPHAN} ${record.number}`);
  await expect(upkeep.adoptOrphan({ pool: POOL, number: ORPHAN, name: "found", sizeBytes: undefined }, call())).rejects.toMatchObject({
    facts: { code: "pools-unknown" },
  });
  expect(node.world.view.thins.has(volumeId("found"))).toBe(false);
});
