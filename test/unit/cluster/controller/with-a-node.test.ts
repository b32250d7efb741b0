import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { CLAIM } from "../../../../src/cluster/objects/core.ts";
import { THIN_SNAPSHOT, THIN_VOLUME } from "../../../../src/cluster/objects/kinds.ts";
import { GiB } from "../../../../src/units.ts";
import { snapshotId, volumeId } from "../../../../src/volumes/ids.ts";
import { call, Client, fromSnapshot, SIZE } from "../../../contract/volumes/client.ts";
import { ClusterWorld } from "../../../contract/volumes/cluster-world.ts";
import { NODE } from "../../../contract/volumes/description.ts";
import { eventually } from "../../../harness/eventually.ts";
import { SimulatedApiServer } from "../../../simulation/api-server.ts";

const ID = volumeId("one");

jest.setTimeout(20_000);

/** What goes on by itself has time to show. */
const quiet = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

/** The controller and a node's own reconciler, on a simulated kernel: the contract's own world. */
describe("with a node's reconciler", () => {
  let server: SimulatedApiServer;
  let world: ClusterWorld;
  let client: Client;
  let mark = 0;
  beforeEach(async () => {
    server = new SimulatedApiServer();
    world = new ClusterWorld({}, server);
    client = new Client(world);
    await world.start();
    await world.volumes.list({ maxEntries: 0, startingToken: "" }, call());
    mark = server.requests.length;
  });
  afterEach(async () => world.dispose());

  /** What was asked of the API server since the last time, without watches. */
  const asked = (): readonly string[] => {
    const since = server.requests.slice(mark).filter(({ verb }) => verb !== "watch");
    mark = server.requests.length;
    return since.map(({ verb, kind }) => `${verb} ${kind}`);
  };

  describe("requests to the API server", () => {
    test("a volume is made by four, one after the other: the claim, the object, its acceptance, its status", async () => {
      const { metadata } = await server.objects(CLAIM, "default").create({ metadata: { name: "claim" } });
      asked();
      await world.volumes.create({ ...client.wanted(`pvc-${metadata.uid}`), claim: { namespace: "default", name: "claim" } }, call());
      await quiet();
      expect(asked()).toEqual(["get PersistentVolumeClaim", "create ThinVolume", "patch ThinVolume", "patch status ThinVolume"]);
    });

    test("the rest of its life: each change is written once, and once answered", async () => {
      await client.create("one");
      await quiet();
      asked();
      await client.create("one");
      expect(asked()).toEqual(["get ThinVolume"]);
      await world.volumes.expand(ID, { requiredBytes: BigInt(2 * SIZE), limitBytes: undefined }, call());
      await quiet();
      expect(asked()).toEqual(["patch ThinVolume", "get ThinVolume", "patch status ThinVolume"]);
      await world.volumes.modify(ID, { discardOnDelete: true }, call());
      await quiet();
      expect(asked()).toEqual(["patch ThinVolume", "get ThinVolume", "patch status ThinVolume"]);
      const { record } = await client.snapshot("moment", ID);
      await quiet();
      expect(asked()).toEqual(["create ThinSnapshot", "patch ThinSnapshot", "patch status ThinSnapshot"]);
      await client.create("restored", { size: 2 * SIZE, origin: fromSnapshot(record.id) });
      await quiet();
      expect(asked()).toEqual(["create ThinVolume", "patch ThinVolume", "patch status ThinVolume"]);
      await world.volumes.deleteSnapshot(record.id, call());
      await quiet();
      expect(asked()).toEqual(["delete ThinSnapshot", "get ThinSnapshot", "patch ThinSnapshot"]);
      await client.delete(ID);
      await quiet();
      expect(asked()).toEqual(["delete ThinVolume", "get ThinVolume", "patch ThinVolume"]);
    });

    test("lists, capacity and what is looked up are answered from memory", async () => {
      await client.create("one");
      const { record } = await client.snapshot("moment", ID);
      await quiet();
      asked();
      const page = { maxEntries: 0, startingToken: "" };
      await world.volumes.get(ID, call());
      await world.volumes.getSnapshot(record.id, call());
      await world.volumes.list(page, call());
      await world.volumes.listSnapshots({ snapshotId: undefined, sourceVolumeId: undefined }, page, call());
      await world.controller.volumes.capacity({ pool: undefined, node: NODE, filesystem: "ext4" }, call());
      expect(asked()).toEqual([]);
    });

    test("idle makes none, with volumes and a controller that looks after the cluster", async () => {
      const ending = new AbortController();
      const tasks = world.controller.runTasks(ending.signal, { settleMs: 5 });
      for (const name of ["one", "two", "three"]) await client.create(name, { kind: "block", size: GiB / 8 });
      await client.mount(ID, "block");
      await quiet();
      asked();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(asked()).toEqual([]);
      ending.abort();
      await tasks;
    });
  });

  describe("a volume that is being staged", () => {
    test("is deleted when it is unstaged, though its first deletion was refused", async () => {
      await client.create("one");
      const use = await client.mount(ID);
      await expect(client.delete(ID)).rejects.toMatchObject({ facts: { code: "volume-staged", id: ID } });
      await client.unmount(use);
      await client.delete(ID);
      expect(await world.thins()).toEqual([]);
    });

    test("has what was asked of it meanwhile carried out afterwards: what a node has accepted goes on", async () => {
      await client.create("one");
      const use = client.use(ID);
      let told: unknown;
      world.beforeNext("makeTarget", async () => {
        told = await client.snapshot("moment", ID).catch((error: unknown) => error);
      });
      await client.stage(use);
      expect(told).toMatchObject({ facts: { code: "in-progress" } });
      await eventually(async () => expect((await server.objects(THIN_SNAPSHOT).get(snapshotId("moment")))?.status.phase).toBe("Ready"));
      expect((await client.snapshot("moment", ID)).record.sourceVolumeId).toBe(ID);
      expect(await world.thins()).toHaveLength(2);
    });
  });

  test("a node that stops in the middle finds on its return what was asked for, and carries it out once", async () => {
    const creation = client.create("one");
    creation.catch(() => undefined);
    await eventually(async () => expect((await server.objects(THIN_VOLUME).get(ID))?.metadata.finalizers).not.toEqual([]));
    await world.stop();
    await creation.catch(() => undefined);
    await world.start();
    expect((await client.create("one")).record.id).toBe(ID);
    expect(await world.thins()).toHaveLength(1);
  });
});
