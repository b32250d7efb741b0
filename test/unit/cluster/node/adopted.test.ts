import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { parseAllDocuments } from "yaml";
import { thinVolumeSpec } from "../../../../src/cluster/objects/thin-volume.ts";
import { ClusterUpkeep } from "../../../../src/cluster/pools/cluster-upkeep.ts";
import { volumeId } from "../../../../src/volumes/ids.ts";
import type { Adopted } from "../../../../src/volumes/upkeep.ts";
import { call } from "../../../contract/volumes/client.ts";
import { NODE, POOL } from "../../../contract/volumes/description.ts";
import { nodeForEachTest } from "../../volumes/node.ts";
import { Cluster } from "./cluster-node.ts";

const ORPHAN = 77;
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
  { kind = "ext4", isKnown = false }: { readonly kind?: "ext4" | "block"; readonly isKnown?: boolean } = {},
): Promise<Adopted> {
  const { record } = await node.client.create("origin", { kind });
  if (kind === "ext4") await node.client.put(record.id, kind, "file", "content");
  node.world.dm.message(node.world.poolUuid, `create_snap ${ORPHAN} ${record.number}`);
  const upkeep = new ClusterUpkeep({ local: node.world.volumes, pools: { seen: () => new Map() }, hasObject: () => isKnown, names: NAMES });
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
  expect((await adopted("found", { isKnown: true })).manifest).toBeUndefined();
});
