import { describe, expect, test } from "@jest/globals";
import { MISSING_SINCE } from "../../../../src/cluster/controller/lost-nodes.ts";
import { FORGET } from "../../../../src/cluster/controller/tombstones.ts";
import { THIN_VOLUME } from "../../../../src/cluster/objects/kinds.ts";
import { NODE_FINALIZER } from "../../../../src/cluster/objects/meta.ts";
import { nodeThinPoolName } from "../../../../src/cluster/objects/node-thin-pool.ts";
import type { ErrorCode } from "../../../../src/errors.ts";
import { eventually } from "../../../harness/eventually.ts";
import { call, errorOf, POOL, Stage, wanted } from "./stage.ts";

const TEN_MINUTES = 600_000;
const NODE_POOL = nodeThinPoolName(POOL, "one");
const refusal = (code: ErrorCode) => ({ facts: { code } });

describe("a Node object that is gone", () => {
  const stage = Stage.forEachTest();
  const make = async (name: string): Promise<string> =>
    (await stage.controller.create(wanted(name, { topology: { requisite: ["one"], preferred: ["one"] } }), call())).record.id;
  const lose = async (): Promise<void> => {
    stage.current.node("one").script = "sleeps";
    stage.current.node("one").whenDeleting = "sleeps";
    await stage.current.clusterNodes.delete("one");
    await stage.current.setAgent("one", false);
    await stage.current.settled();
  };
  const forget = async (): Promise<unknown> => stage.current.nodePools.patch(NODE_POOL, { metadata: { annotations: { [FORGET]: "true" } } });
  const sinceOf = async (id: string) => (await stage.current.volumes.get(id))?.metadata.annotations[MISSING_SINCE];

  test("is looked at live twice, ten minutes apart; then a deletion is done, and its object stays as a tombstone", async () => {
    const id = await make("one");
    await lose();
    const first = await errorOf(stage.controller.delete(id, call()));
    expect(first).toMatchObject(refusal("in-progress"));
    expect(String(first)).toMatch(/its Node is gone; if it stays so for 600 s more, the node counts as lost/);
    expect(await sinceOf(id)).toBe(new Date(stage.current.now).toISOString());
    stage.current.now += TEN_MINUTES - 1;
    await expect(stage.controller.delete(id, call())).rejects.toMatchObject(refusal("in-progress"));
    stage.current.now += 1;
    await stage.controller.delete(id, call());
    await stage.controller.delete(id, call());
    expect((await stage.current.volumes.get(id))?.metadata).toMatchObject({ finalizers: [NODE_FINALIZER], deletionTimestamp: expect.any(String) });
    expect(stage.current.node("one").made).toEqual(new Set([id]));
    await expect(stage.controller.get(id, call())).rejects.toMatchObject(refusal("not-found"));
    await expect(stage.controller.create(wanted("one"), call())).rejects.toMatchObject(refusal("being-deleted"));
  });

  test("since when stands in the object: another controller goes on from there", async () => {
    const id = await make("one");
    await lose();
    await expect(stage.controller.delete(id, call())).rejects.toMatchObject(refusal("in-progress"));
    stage.current.now += TEN_MINUTES;
    const other = await stage.current.startController();
    await other.volumes.delete(id, call());
  });

  test("a watch that lacks the Node is not believed: it is asked for live", async () => {
    const id = await make("one");
    await lose();
    await expect(stage.controller.delete(id, call())).rejects.toMatchObject(refusal("in-progress"));
    stage.current.now += TEN_MINUTES;
    const release = stage.current.api.holdWatches();
    await stage.current.clusterNodes.create({ metadata: { name: "one" }, spec: {} });
    await expect(stage.controller.delete(id, call())).rejects.toMatchObject(refusal("in-progress"));
    expect(await sinceOf(id)).toBeUndefined();
    release();
  });

  test("a node that returns carries out what was deleted meanwhile, and nothing else", async () => {
    const [gone, kept] = [await make("gone"), await make("kept")];
    await lose();
    await expect(stage.controller.delete(gone, call())).rejects.toMatchObject(refusal("in-progress"));
    stage.current.now += TEN_MINUTES;
    await stage.controller.delete(gone, call());
    await stage.current.clusterNodes.create({ metadata: { name: "one" }, spec: {} });
    await stage.current.setAgent("one", true);
    stage.current.node("one").wake("works");
    await eventually(async () => expect(await stage.current.volumes.get(gone)).toBeUndefined());
    expect(stage.current.node("one").made).toEqual(new Set([kept]));
    expect((await stage.controller.get(kept, call())).record.id).toBe(kept);
  });

  test("one that is there again, with an agent that is not, has no time against it: it begins anew", async () => {
    const id = await make("one");
    stage.current.runTasks(await stage.current.startController());
    await lose();
    await expect(stage.controller.delete(id, call())).rejects.toMatchObject(refusal("in-progress"));
    expect(await sinceOf(id)).toBeDefined();
    await stage.current.clusterNodes.create({ metadata: { name: "one" }, spec: {} });
    await eventually(async () => expect(await sinceOf(id)).toBeUndefined());
    await stage.current.clusterNodes.delete("one");
    await stage.current.settled();
    stage.current.now += TEN_MINUTES;
    await expect(stage.controller.delete(id, call())).rejects.toMatchObject(refusal("in-progress"));
  });

  test("volumes there are still listed, as what does not answer", async () => {
    const id = await make("one");
    await lose();
    const { condition } = await stage.controller.get(id, call());
    expect(condition).toEqual({ abnormal: true, message: "node one does not answer: its dmthin pod agent-one is not ready" });
  });

  test("a volume that its node has lost says so", async () => {
    const id = await make("one");
    const lost = {
      type: "Lost",
      status: "True",
      reason: "Absent",
      message: "pool fast is open and does not have it",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    };
    await stage.current.volumes.patch(id, { status: { conditions: [lost] } }, { subresource: "status" });
    await eventually(async () => expect((await stage.controller.get(id, call())).condition).toEqual({ abnormal: true, message: lost.message }));
  });

  describe("and is told to be forgotten", () => {
    test("what waits there to be deleted goes, with the pool's object once nothing is left of it", async () => {
      const [gone, kept] = [await make("gone"), await make("kept")];
      await lose();
      await errorOf(stage.controller.delete(gone, call()));
      stage.current.runTasks(await stage.current.startController());
      await forget();
      await eventually(async () => expect(await stage.current.volumes.get(gone)).toBeUndefined());
      expect((await stage.current.volumes.get(kept))?.metadata.finalizers).toEqual([NODE_FINALIZER]);
      expect(await stage.current.nodePools.get(NODE_POOL)).toBeDefined();
      await eventually(async () => stage.controller.delete(kept, call()));
      await eventually(async () => expect(await stage.current.nodePools.get(NODE_POOL)).toBeUndefined());
    });

    test("what it had accepted and never made goes too, and its name is free for another node", async () => {
      stage.current.node("one").script = "accepts";
      const asked = wanted("one", { topology: { requisite: ["one"], preferred: ["one"] } });
      await expect(stage.controller.create(asked, call(150))).rejects.toMatchObject(refusal("in-progress"));
      await lose();
      stage.current.runTasks(await stage.current.startController());
      await forget();
      await eventually(async () => expect(stage.current.api.stored(THIN_VOLUME).size).toBe(0));
      expect((await stage.controller.create(wanted("one"), call())).node).toBe("two");
    });

    test("nothing is forgotten while its Node is there", async () => {
      const id = await make("one");
      stage.current.node("one").whenDeleting = "sleeps";
      await errorOf(stage.controller.delete(id, call(100)));
      const mark = stage.current.api.requests.length;
      stage.current.runTasks(await stage.current.startController());
      await forget();
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect((await stage.current.volumes.get(id))?.metadata.finalizers).toEqual([NODE_FINALIZER]);
      expect(stage.current.requestsSince(mark).filter(({ verb, kind }) => verb === "patch" && kind === "ThinVolume")).toEqual([]);
      // And not later either, when the Node registers anew.
      expect((await stage.current.nodePools.get(NODE_POOL))?.metadata.annotations).toEqual({});
      await lose();
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect((await stage.current.volumes.get(id))?.metadata.finalizers).toEqual([NODE_FINALIZER]);
    });

    test("nothing is forgotten for a watch that lacks its Node", async () => {
      const id = await make("one");
      await lose();
      await errorOf(stage.controller.delete(id, call()));
      await forget();
      const controller = await stage.current.startController();
      const release = stage.current.api.holdWatches();
      await stage.current.clusterNodes.create({ metadata: { name: "one" }, spec: {} });
      const mark = stage.current.api.requests.length;
      stage.current.runTasks(controller);
      await eventually(() => expect(stage.current.requestsSince(mark)).toContainEqual({ verb: "get", kind: "Node", name: "one" }));
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect((await stage.current.volumes.get(id))?.metadata.finalizers).toEqual([NODE_FINALIZER]);
      release();
    });
  });
});
