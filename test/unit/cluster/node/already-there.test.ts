import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { PlacedObject } from "../../../../src/cluster/objects/placed-object.ts";
import type { ThinVolumeSpec } from "../../../../src/cluster/objects/thin-volume.ts";
import { groupId, snapshotId, volumeId } from "../../../../src/volumes/ids.ts";
import { call, capability, SIZE } from "../../../contract/volumes/client.ts";
import { nodeForEachTest } from "../../volumes/node.ts";
import { Cluster, type Agent } from "./cluster-node.ts";

const node = nodeForEachTest();
let cluster: Cluster;
let agent: Agent;
beforeEach(() => {
  cluster = new Cluster();
  agent = cluster.startAgent({ pools: [node.world.pool], local: node.world.volumes });
});
afterEach(async () => cluster.close());

const [A, B] = [volumeId("a"), volumeId("b")];
const held = (): readonly string[] => [...node.world.view.thins.values()].filter(({ state }) => state === "ready").map(({ id }) => id);
const settled = async (): Promise<void> => {
  for (let quiet = 0; quiet < 3; quiet++) {
    await new Promise((resolve) => setTimeout(resolve, 15));
    if (agent.reconciler.busy > 0) quiet = -1;
  }
};

describe("what is in the pool without an object, as after a restored etcd", () => {
  const volumeA = capability("ext4");

  test("is taken back by an object that asks for just that", async () => {
    await node.client.create("a");
    const number = node.world.view.thins.get(A)?.number;
    await cluster.volume("a");
    expect((await cluster.ready("a")).status.deviceNumber).toBe(number);
  });

  test.each<[string, Partial<ThinVolumeSpec>]>([
    ["of another kind", { capabilities: [{ access: "block", mountFlags: [], mode: volumeA.mode }] }],
    ["of another size", { requiredBytes: 2 * SIZE }],
    ["made otherwise", { mkfsOptions: ["-N", "1000"] }],
  ])("does not go with an object under its name that asks for something %s", async (_, spec) => {
    await node.client.create("a");
    await cluster.volume("a", spec);
    const { status, metadata } = await cluster.failed("a");
    expect(status.failure?.code).toBe("already-exists");
    expect(metadata.finalizers).toEqual([]);
    await cluster.volumes.delete(A);
    await cluster.gone(cluster.volumes, A);
    await settled();
    expect(held()).toEqual([A]);
  });

  test("nor do a snapshot and a group whose names are used for other sources", async () => {
    for (const name of ["a", "b"]) await node.client.create(name);
    await node.world.volumes.createSnapshot({ name: "s", sourceVolumeId: A }, call());
    await node.world.volumes.createGroup({ name: "g", sourceVolumeIds: [A] }, call());
    const before = held();
    await cluster.snapshot("s", B);
    await cluster.group("g", [B]);
    for (const [api, name] of [
      [cluster.snapshots, snapshotId("s")],
      [cluster.groups, groupId("g")],
    ] as const) {
      const refused = await cluster.until<PlacedObject>(api, name, (item) => item?.status.phase === "Failed");
      expect(refused?.status.failure?.code).toBe("already-exists");
      await api.delete(name);
      await cluster.gone<PlacedObject>(api, name);
    }
    await settled();
    expect(held()).toEqual(before);
  });
});
