import { describe, expect, test } from "@jest/globals";
import type { Controller } from "../../../../src/cluster/controller/controller.ts";
import { runTasks } from "../../../../src/cluster/controller/tasks.ts";
import { PERSISTENT_VOLUME } from "../../../../src/cluster/objects/core.ts";
import { POOL_FINALIZER } from "../../../../src/cluster/objects/meta.ts";
import { nodeThinPoolName } from "../../../../src/cluster/objects/node-thin-pool.ts";
import { silentLogger } from "../../../../src/logger.ts";
import { volumeId } from "../../../../src/volumes/ids.ts";
import { eventually } from "../../../harness/eventually.ts";
import { call, POOL, Stage, wanted } from "./stage.ts";

const TAINT = "dmthin.io/agent-not-ready";
const HOUR = 3_600_000;
const ID = volumeId("one");

/** What goes on by itself has time to show. */
const wait = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

describe("what one controller at a time looks after", () => {
  const stage = Stage.forEachTest();
  const run = async (): Promise<Controller> => {
    const controller = await stage.current.startController();
    stage.current.runTasks(controller);
    return controller;
  };
  const pool = async () => stage.current.pools.get(POOL);
  const conditionOf = async (type: string) => (await pool())?.status.conditions.find((each) => each.type === type);

  const deleted = async (): Promise<void> => {
    await run();
    await eventually(async () => expect((await pool())?.metadata.finalizers).toEqual([POOL_FINALIZER]));
    await stage.current.pools.delete(POOL);
  };
  const persistentVolumes = () => stage.current.api.objects(PERSISTENT_VOLUME);
  const unclaimed = async () => (await stage.current.volumes.get(ID))?.status.conditions.find(({ type }) => type === "Unclaimed");
  const taintsOf = async () => (await stage.current.clusterNodes.get("one"))?.spec.taints;

  describe("a ThinPool's status", () => {
    test("says on how many nodes it should be, and on how many it is", async () => {
      await run();
      await eventually(async () => expect((await pool())?.status).toMatchObject({ desiredNodes: 2, readyNodes: 2 }));
      expect(await conditionOf("Ready")).toMatchObject({ status: "True", reason: "AllNodesReady" });
      await stage.current.tellPool("one", { phase: "Refused", message: "its disk holds something else" });
      await eventually(async () => expect((await pool())?.status.readyNodes).toBe(1));
      expect(await conditionOf("Ready")).toMatchObject({ status: "False", message: "node one: Refused, its disk holds something else" });
    });

    test("says of a change that a node does not follow, while the pool serves as it was", async () => {
      await run();
      await eventually(async () => expect((await pool())?.status.readyNodes).toBe(2));
      const accepted = { type: "DescriptionAccepted", status: "False", reason: "Refused", message: "", lastTransitionTime: new Date(0).toISOString() };
      await stage.current.tellPool("one", { message: "pool fast serves; its ThinPool is not followed: minimumFree", conditions: [accepted] });
      await eventually(async () => expect(await conditionOf("Ready")).toMatchObject({ status: "False", reason: "ChangeRefused" }));
      expect(await conditionOf("Ready")).toMatchObject({ message: "node one: Ready, pool fast serves; its ThinPool is not followed: minimumFree" });
      expect((await pool())?.status.readyNodes).toBe(2);
      await stage.current.tellPool("one", { message: "pool fast serves", conditions: [{ ...accepted, status: "True" }] });
      await eventually(async () => expect(await conditionOf("Ready")).toMatchObject({ status: "True", reason: "AllNodesReady" }));
    });

    test("does not count a pool that is open and does not serve, and says why", async () => {
      await run();
      await eventually(async () => expect((await pool())?.status.readyNodes).toBe(2));
      const serving = { type: "Ready", status: "True", reason: "Serves", message: "", lastTransitionTime: new Date(0).toISOString() };
      await stage.current.tellPool("one", { message: "pool fast is out of data space", conditions: [{ ...serving, status: "False", reason: "Full" }] });
      await eventually(async () => expect((await pool())?.status.readyNodes).toBe(1));
      const message = "node one: Full, pool fast is out of data space";
      expect(await conditionOf("Ready")).toMatchObject({ status: "False", reason: "NodesNotReady", message });
      await stage.current.tellPool("one", { message: "pool fast serves", conditions: [serving] });
      await eventually(async () => expect(await conditionOf("Ready")).toMatchObject({ status: "True", message: "ready on 2 nodes" }));
      expect((await pool())?.status.readyNodes).toBe(2);
    });

    test("does not take the word of a node whose driver is gone since", async () => {
      await run();
      await eventually(async () => expect((await pool())?.status.readyNodes).toBe(2));
      await stage.current.setAgent("one", false);
      await eventually(async () => expect((await pool())?.status.readyNodes).toBe(1));
      expect(await conditionOf("Ready")).toMatchObject({ status: "False", reason: "NodesNotReady" });
      expect((await conditionOf("Ready"))?.message).toMatch(/^node one: its dmthin pod agent-one is not ready; told before: Ready$/);
      await stage.current.setAgent("one", true);
      await eventually(async () => expect(await conditionOf("Ready")).toMatchObject({ status: "True", reason: "AllNodesReady" }));
    });

    test("only counts nodes that its selector matches, and says which are not heard of", async () => {
      await stage.current.pools.patch(POOL, { spec: { nodeSelector: { matchLabels: { "kubernetes.io/hostname": "one" } } } });
      await run();
      await eventually(async () => expect((await pool())?.status.desiredNodes).toBe(1));
      expect((await conditionOf("Ready"))?.message).toBe("ready on 1 node");
      await stage.current.nodePools.delete(nodeThinPoolName(POOL, "one"));
      await eventually(async () => expect((await conditionOf("Ready"))?.message).toBe("node one: nothing is known yet; does the driver run there?"));
      await stage.current.pools.patch(POOL, { spec: { nodeSelector: { matchLabels: { "kubernetes.io/hostname": "none" } } } });
      await eventually(async () => expect(await conditionOf("Ready")).toMatchObject({ status: "False", reason: "NoNodes" }));
    });

    test("is written when it changes, and not again", async () => {
      await run();
      await eventually(async () => expect((await pool())?.status.readyNodes).toBe(2));
      await stage.current.settled();
      const mark = stage.current.api.requests.length;
      await stage.current.tellPool("one", { message: "as before" });
      await stage.controller.create(wanted("one"), call());
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(stage.current.requestsSince(mark).filter(({ kind }) => kind === "ThinPool")).toEqual([]);
    });
  });

  describe("a ThinPool that is deleted", () => {
    test("waits while it holds volumes, says so, and goes when its nodes have closed it", async () => {
      await stage.controller.create(wanted("one"), call());
      await stage.controller.createSnapshot({ name: "moment", sourceVolumeId: ID }, call());
      await deleted();
      await eventually(async () => expect(await conditionOf("Deleting")).toMatchObject({ reason: "HoldsVolumes" }));
      expect((await conditionOf("Deleting"))?.message).toMatch(/^waits until it holds nothing: it has 1 volume, 1 snapshot /);
      for (const { record } of (
        await stage.controller.listSnapshots({ snapshotId: undefined, sourceVolumeId: undefined }, { maxEntries: 0, startingToken: "" }, call())
      ).items)
        await stage.controller.deleteSnapshot(record.id, call());
      await stage.controller.delete(ID, call());
      await eventually(async () => expect(await conditionOf("Deleting")).toMatchObject({ reason: "NodesClosing" }));
      await stage.current.nodePools.delete(nodeThinPoolName(POOL, "one"));
      await eventually(async () => expect((await conditionOf("Ready"))?.message).toBe("node one: has it no more"));
      await stage.current.nodePools.delete(nodeThinPoolName(POOL, "two"));
      await eventually(async () => expect(await pool()).toBeUndefined());
    });

    test("waits for a volume though no node tells of the pool any more, as when somebody has deleted what they tell", async () => {
      await stage.controller.create(wanted("one"), call());
      for (const node of ["one", "two"]) await stage.current.nodePools.delete(nodeThinPoolName(POOL, node));
      await deleted();
      await eventually(async () => expect(await conditionOf("Deleting")).toMatchObject({ reason: "HoldsVolumes" }));
      await stage.current.settled();
      expect((await pool())?.metadata.finalizers).toEqual([POOL_FINALIZER]);
    });

    test("does not wait for a node that is gone, when it holds nothing", async () => {
      await stage.current.clusterNodes.delete("one");
      await deleted();
      await stage.current.nodePools.delete(nodeThinPoolName(POOL, "two"));
      await eventually(async () => expect(await pool()).toBeUndefined());
      expect(await stage.current.nodePools.get(nodeThinPoolName(POOL, "one"))).toBeUndefined();
    });
  });

  describe("a volume that nobody claims", () => {
    test("is told after an hour, and is not deleted", async () => {
      await stage.controller.create(wanted("one"), call());
      const young = await run();
      await wait();
      expect(await unclaimed()).toBeUndefined();
      expect(young.unclaimedCount).toBe(0);
      stage.current.now += HOUR + 1000;
      const controller = await run();
      await eventually(async () => expect(await unclaimed()).toMatchObject({ status: "True", reason: "NoClaim" }));
      await eventually(() => expect(controller.unclaimedCount).toBe(1));
      expect((await stage.controller.get(ID, call())).record.id).toBe(ID);
    });

    test("is told no more when a PersistentVolume knows it", async () => {
      await stage.controller.create(wanted("one"), call());
      stage.current.now += HOUR + 1000;
      await run();
      await eventually(async () => expect(await unclaimed()).toBeDefined());
      await persistentVolumes().create({ metadata: { name: "pv" }, spec: { csi: { driver: "csi.dmthin.io", volumeHandle: ID } } });
      await eventually(async () => expect(await unclaimed()).toBeUndefined());
    });

    test.each([
      [
        "a PersistentVolume knows it",
        async () => void (await persistentVolumes().create({ metadata: { name: "pv" }, spec: { csi: { driver: "csi.dmthin.io", volumeHandle: ID } } })),
      ],
      ["its claim is there, and still waits", async () => undefined],
    ])("is not told while %s", async (_, happen) => {
      const uid = await stage.current.addClaim("claim");
      await stage.controller.create(wanted("one", { claim: { namespace: "default", name: "claim" } }), call());
      expect((await stage.current.volumes.get(ID))?.spec.claim?.uid).toBe(uid);
      await happen();
      stage.current.now += HOUR + 1000;
      await run();
      await wait();
      expect(await unclaimed()).toBeUndefined();
    });

    test("is told when another driver's PersistentVolume has the same handle, or its claim is another of that name", async () => {
      await stage.current.addClaim("claim");
      await stage.controller.create(wanted("one", { claim: { namespace: "default", name: "claim" } }), call());
      await persistentVolumes().create({ metadata: { name: "pv" }, spec: { csi: { driver: "another", volumeHandle: ID } } });
      await stage.current.removeClaim("claim");
      await stage.current.addClaim("claim");
      stage.current.now += HOUR + 1000;
      await run();
      await eventually(async () => expect(await unclaimed()).toBeDefined());
    });
  });

  describe("startup taints", () => {
    const other = { key: "another", effect: "NoSchedule" };
    const taint = async (): Promise<void> =>
      void (await stage.current.clusterNodes.patch("one", { spec: { taints: [{ key: TAINT, effect: "NoSchedule" }, other] } }));
    test("are taken from a node whose driver is ready, and others are left", async () => {
      await taint();
      await run();
      await eventually(async () => expect(await taintsOf()).toEqual([other]));
    });

    test("stay until the driver there is ready", async () => {
      await stage.current.setAgent("one", false);
      await taint();
      await run();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await taintsOf()).toHaveLength(2);
      await stage.current.setAgent("one", true);
      await eventually(async () => expect(await taintsOf()).toEqual([other]));
    });
  });

  test("a task that fails is tried again, and holds up no other", async () => {
    const ending = new AbortController();
    const ran = { failing: 0, other: 0 };
    const failing = {
      name: "failing",
      sources: [],
      run: async () => {
        ran.failing++;
        if (ran.failing < 3) throw new Error("not yet");
      },
    };
    const other = { name: "other", sources: [], run: async () => void ran.other++ };
    const running = runTasks([failing, other], ending.signal, { logger: silentLogger, settleMs: 1, retryMs: 1 });
    await eventually(() => expect(ran).toEqual({ failing: 3, other: 1 }));
    ending.abort();
    await running;
  });
});
