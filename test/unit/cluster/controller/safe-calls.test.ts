import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "@jest/globals";
import { THIN_VOLUME } from "../../../../src/cluster/objects/kinds.ts";
import { NODE_FINALIZER } from "../../../../src/cluster/objects/meta.ts";
import { statusOf } from "../../../../src/csi/codes.ts";
import { DmthinError, type ErrorCode } from "../../../../src/errors.ts";
import { bytes, GiB } from "../../../../src/units.ts";
import { snapshotId, volumeId } from "../../../../src/volumes/ids.ts";
import { eventually } from "../../../harness/eventually.ts";
import { call, errorOf, hasty, POOL, Stage, wanted } from "./stage.ts";

const ID = volumeId("one");
const refusal = (code: ErrorCode) => ({ facts: { code } });
const FULL = new DmthinError({ code: "pool-too-small", pool: POOL, wantedBytes: bytes(GiB), availableBytes: bytes(0) });
const at = (node: string) => ({ requisite: ["one", "two"], preferred: [node, ...["one", "two"].filter((each) => each !== node)] });

describe("how a call through objects stays safe", () => {
  const stage = Stage.forEachTest();
  const stored = async (id = ID) => stage.current.volumes.get(id);

  describe("the finalizer is the acceptance", () => {
    test("the controller never puts the node's finalizer on what it makes", async () => {
      stage.current.node("one").script = "sleeps";
      await expect(stage.controller.create(wanted("one", { topology: at("one") }), hasty())).rejects.toMatchObject(refusal("in-progress"));
      expect((await stored())?.metadata.finalizers).toEqual([]);
    });

    test("what a slow node accepts in the moment it is withdrawn is not withdrawn, but waited for", async () => {
      const { current } = stage;
      current.node("one").script = "sleeps";
      let isMet = false;
      current.api.beforeRequest = async ({ verb, name }) => {
        if (verb !== "delete" || isMet) return;
        isMet = true;
        current.node("one").wake("works");
        await eventually(async () => expect((await stored(name))?.status.phase).toBe("Ready"));
      };
      const creation = stage.controller.create(wanted("one", { topology: at("one") }), call());
      await eventually(async () => expect(await stored()).toBeDefined());
      await current.setAgent("one", false);
      expect((await creation).node).toBe("one");
      expect(isMet).toBe(true);
      expect(current.node("one").made).toEqual(new Set([ID]));
    });

    test("what was withdrawn unaccepted is never made, however late its node wakes", async () => {
      const { current } = stage;
      current.node("one").script = "sleeps";
      await current.setAgent("one", false);
      await current.settled();
      current.node("one").wake("works");
      await current.settled();
      expect(current.node("one").made.size).toBe(0);
    });
  });

  describe("the selected node's agent is dead", () => {
    test("not accepted: withdrawn, and RESOURCE_EXHAUSTED", async () => {
      const { current } = stage;
      current.node("one").script = "sleeps";
      const creation = stage.controller.create(wanted("one", { topology: at("one") }), call());
      creation.catch(() => undefined);
      await eventually(async () => expect(await stored()).toBeDefined());
      await current.setAgent("one", false);
      const error = await errorOf(creation);
      expect(error).toMatchObject({ facts: { code: "node-unavailable", node: "one" } });
      expect(statusOf("CreateVolume", error)).toBe(status.RESOURCE_EXHAUSTED);
      expect(await stored()).toBeUndefined();
    });

    test("accepted: ABORTED, and it stays", async () => {
      const { current } = stage;
      current.node("one").script = "accepts";
      const creation = stage.controller.create(wanted("one", { topology: at("one") }), call(300));
      creation.catch(() => undefined);
      await eventually(async () => expect((await stored())?.metadata.finalizers).toEqual([NODE_FINALIZER]));
      await current.setAgent("one", false);
      const error = await errorOf(creation);
      expect(error).toMatchObject(refusal("in-progress"));
      expect(String(error)).toMatch(/on node one \(its dmthin pod agent-one is not ready\)/);
      expect(statusOf("CreateVolume", error)).toBe(status.ABORTED);
      expect(await stored()).toBeDefined();
    });

    test.each([
      ["is being removed", "Removing", "its pool is removing"],
      ["is not ready any more, perhaps for long", "Pending", "its pool is pending"],
    ])("the pool there %s, while the object was on its way: withdrawn too, since nobody takes it on", async (_, phase, reason) => {
      const { current } = stage;
      current.node("one").script = "sleeps";
      const creation = stage.controller.create(wanted("one", { topology: at("one") }), call());
      creation.catch(() => undefined);
      await eventually(async () => expect(await stored()).toBeDefined());
      await current.tellPool("one", { phase });
      await expect(creation).rejects.toMatchObject({ facts: { code: "node-unavailable", reason } });
      expect(await stored()).toBeUndefined();
    });

    test("what the node says that it waits for is in the sentence", async () => {
      const { current } = stage;
      current.node("one").script = "accepts";
      await expect(stage.controller.create(wanted("one", { topology: at("one") }), hasty())).rejects.toMatchObject(refusal("in-progress"));
      const waiting = { type: "Ready", status: "False", reason: "Waiting", message: "pool fast is not ready yet", lastTransitionTime: "2026-01-01T00:00:00Z" };
      await current.volumes.patch(ID, { status: { conditions: [waiting] } }, { subresource: "status" });
      await current.settled();
      const error = await errorOf(stage.controller.create(wanted("one", { topology: at("one") }), hasty()));
      expect(String(error)).toMatch(/creation on node one \(pool fast is not ready yet\) of volume vol-/);
    });

    test("known before: nothing is made at all", async () => {
      const { current } = stage;
      await current.setAgent("one", false);
      await current.settled();
      await current.addClaim("claim", "one");
      const asked = wanted("one", { topology: at("one"), claim: { namespace: "default", name: "claim" } });
      await expect(stage.controller.create(asked, call())).rejects.toMatchObject(refusal("no-node"));
      expect(current.api.requests.filter(({ kind, verb }) => verb === "create" && kind === "ThinVolume")).toEqual([]);
      expect(await stored()).toBeUndefined();
    });
  });

  describe("two controllers around a leader change", () => {
    test("work on one object: both answer the same volume, and it is made once", async () => {
      const other = await stage.current.startController();
      const [left, right] = await Promise.all([stage.controller.create(wanted("one"), call()), other.volumes.create(wanted("one"), call())]);
      expect(left.record.id).toBe(right.record.id);
      expect(left.record.number).toBe(right.record.number);
      expect(stage.current.api.stored(THIN_VOLUME).size).toBe(1);
    });

    test("a failure that both see is told by both, of one volume that is made once and withdrawn once", async () => {
      for (const name of ["one", "two"]) stage.current.node(name).script = FULL;
      const other = await stage.current.startController();
      const { volumes } = stage.current;
      const told: string[] = [];
      const ending = new AbortController();
      const watching = volumes.watch((await volumes.list()).resourceVersion, {}, ({ type }) => void told.push(type), ending.signal);
      const refusals = await Promise.all([errorOf(stage.controller.create(wanted("one"), call())), errorOf(other.volumes.create(wanted("one"), call()))]);
      expect(refusals).toEqual([expect.objectContaining({ facts: FULL.facts }), expect.objectContaining({ facts: FULL.facts })]);
      expect(await stored()).toBeUndefined();
      await eventually(() => expect(told).toContain("DELETED"));
      ending.abort();
      await expect(watching).rejects.toBe(ending.signal.reason);
      expect(told.filter((type) => type !== "MODIFIED")).toEqual(["ADDED", "DELETED"]);
    });

    test("a volume that is Ready is never deleted by a creation, whatever it is asked to be", async () => {
      await stage.controller.create(wanted("one", { topology: at("one") }), call());
      const { metadata } = (await stored()) ?? { metadata: undefined };
      for (const other of [
        wanted("one", { topology: { requisite: ["two"], preferred: ["two"] } }),
        wanted("one", { size: { requiredBytes: BigInt(2 * GiB), limitBytes: undefined } }),
        wanted("one", { origin: { kind: "snapshot", id: snapshotId("none") } }),
      ]) {
        await expect(stage.controller.create(other, call())).rejects.toMatchObject(refusal("already-exists"));
      }
      expect((await stored())?.metadata).toEqual(metadata);
    });

    test("a controller that died leaves what the next one finds and waits for", async () => {
      const { current } = stage;
      current.node("one").script = "accepts";
      await expect(stage.controller.create(wanted("one", { topology: at("one") }), hasty())).rejects.toMatchObject(refusal("in-progress"));
      const next = await current.startController();
      const creation = next.volumes.create(wanted("one", { topology: at("one") }), call());
      current.node("one").wake("works");
      expect((await creation).node).toBe("one");
    });
  });

  describe("a retry prefers another node", () => {
    test("the volume that is there wins, and its real place is answered", async () => {
      await stage.controller.create(wanted("one", { topology: at("one") }), call());
      expect((await stage.controller.create(wanted("one", { topology: at("two") }), call())).node).toBe("one");
    });

    test("not accepted and outside the requisite: withdrawn, and made where it is asked for now", async () => {
      stage.current.node("one").script = "sleeps";
      await expect(stage.controller.create(wanted("one", { topology: at("one") }), hasty())).rejects.toMatchObject(refusal("in-progress"));
      expect((await stage.controller.create(wanted("one", { topology: { requisite: ["two"], preferred: ["two"] } }), call())).node).toBe("two");
      stage.current.node("one").wake("works");
      await stage.current.settled();
      expect(stage.current.node("one").made.size).toBe(0);
    });

    test("accepted and outside the requisite: waited for, then ALREADY_EXISTS", async () => {
      stage.current.node("one").script = "accepts";
      await expect(stage.controller.create(wanted("one", { topology: at("one") }), hasty())).rejects.toMatchObject(refusal("in-progress"));
      const elsewhere = wanted("one", { topology: { requisite: ["two"], preferred: ["two"] } });
      await expect(stage.controller.create(elsewhere, hasty())).rejects.toMatchObject(refusal("in-progress"));
      const creation = stage.controller.create(elsewhere, call());
      stage.current.node("one").wake("works");
      await expect(creation).rejects.toMatchObject(refusal("already-exists"));
    });

    test("ready but incompatible: ALREADY_EXISTS", async () => {
      await stage.controller.create(wanted("one"), call());
      const block = [{ access: "block", filesystem: undefined, mountFlags: [], mode: "SINGLE_NODE_WRITER" }] as const;
      await expect(stage.controller.create(wanted("one", { capabilities: block }), call())).rejects.toMatchObject(refusal("already-exists"));
    });

    test("not made yet and incompatible: ALREADY_EXISTS, and what was asked for first goes on", async () => {
      stage.current.node("one").script = "accepts";
      await expect(stage.controller.create(wanted("one", { topology: at("one") }), hasty())).rejects.toMatchObject(refusal("in-progress"));
      const larger = wanted("one", { size: { requiredBytes: BigInt(2 * GiB), limitBytes: undefined } });
      await expect(stage.controller.create(larger, hasty())).rejects.toMatchObject(refusal("already-exists"));
      expect((await stored())?.spec.requiredBytes).toBe(GiB);
    });
  });

  describe("the claim is read live before a new object is made", () => {
    const claim = { namespace: "default", name: "claim" };

    test("gone: FAILED_PRECONDITION, and nothing is made", async () => {
      const error = await errorOf(stage.controller.create(wanted("pvc-1", { claim }), call()));
      expect(error).toMatchObject(refusal("claim-gone"));
      expect(statusOf("CreateVolume", error)).toBe(status.FAILED_PRECONDITION);
      expect(stage.current.api.stored(THIN_VOLUME).size).toBe(0);
    });

    test("another claim of that name: FAILED_PRECONDITION, and nothing is made", async () => {
      await stage.current.addClaim("claim");
      const ofBefore = "pvc-11111111-2222-4333-8444-555555555555";
      await expect(stage.controller.create(wanted(ofBefore, { claim }), call())).rejects.toMatchObject(refusal("claim-gone"));
      expect(stage.current.api.stored(THIN_VOLUME).size).toBe(0);
    });

    test("the claim's own: made, and the object says for whom", async () => {
      const uid = await stage.current.addClaim("claim");
      const { record } = await stage.controller.create(wanted(`pvc-${uid}`, { claim }), call());
      expect((await stored(record.id))?.spec.claim).toEqual({ ...claim, uid });
    });

    test("a creation replayed after the deletion of claim and volume makes nothing", async () => {
      const uid = await stage.current.addClaim("claim");
      const { record } = await stage.controller.create(wanted(`pvc-${uid}`, { claim }), call());
      await stage.controller.delete(record.id, call());
      await stage.current.removeClaim("claim");
      await expect(stage.controller.create(wanted(`pvc-${uid}`, { claim }), call())).rejects.toMatchObject(refusal("claim-gone"));
      expect(stage.current.api.stored(THIN_VOLUME).size).toBe(0);
    });

    test("an existing object needs no claim: its creation goes on", async () => {
      const uid = await stage.current.addClaim("claim");
      await stage.controller.create(wanted(`pvc-${uid}`, { claim }), call());
      await stage.current.removeClaim("claim");
      expect((await stage.controller.create(wanted(`pvc-${uid}`, { claim }), call())).record.name).toBe(`pvc-${uid}`);
    });
  });

  describe("the object is terminating when its name comes again", () => {
    test("ABORTED until it is gone", async () => {
      const { current } = stage;
      await stage.controller.create(wanted("one", { topology: at("one") }), call());
      current.node("one").whenDeleting = "sleeps";
      await expect(stage.controller.delete(ID, hasty())).rejects.toMatchObject(refusal("in-progress"));
      const error = await errorOf(stage.controller.create(wanted("one"), call()));
      expect(error).toMatchObject(refusal("being-deleted"));
      expect(statusOf("CreateVolume", error)).toBe(status.ABORTED);
      await expect(stage.controller.get(ID, call())).rejects.toMatchObject(refusal("not-found"));
      current.node("one").wake("works");
      await stage.controller.delete(ID, call());
      expect((await stage.controller.create(wanted("one"), call())).record.id).toBe(ID);
    });
  });

  describe("a stale cache, a name used again", () => {
    test("what another controller has made is found live, not made twice", async () => {
      const other = await stage.current.startController();
      const release = stage.current.api.holdWatches();
      const late = stage.controller.create(wanted("one"), call());
      late.catch(() => undefined);
      await eventually(async () => expect(await stored()).toBeDefined());
      const again = other.volumes.create(wanted("one"), call());
      release();
      expect((await late).record.number).toBe((await again).record.number);
    });

    test("what another controller has deleted is not answered as if it were there", async () => {
      const other = await stage.current.startController();
      await stage.controller.create(wanted("one"), call());
      await other.volumes.get(ID, call());
      await stage.controller.delete(ID, call());
      const uidBefore = (await stored())?.metadata.uid;
      const { record } = await other.volumes.create(wanted("one"), call());
      expect(record.id).toBe(ID);
      expect((await stored())?.metadata.uid).not.toBe(uidBefore);
      expect([...stage.current.nodes.values()].flatMap(({ made }) => [...made])).toEqual([ID]);
    });

    test("a deletion does not take the end of the volume before, which its watch is still to tell, for that of the one there now", async () => {
      const { current } = stage;
      const other = await current.startController();
      await stage.controller.create(wanted("one", { topology: at("one") }), call());
      current.node("one").whenDeleting = "sleeps";
      await expect(stage.controller.delete(ID, hasty())).rejects.toMatchObject(refusal("in-progress"));
      await eventually(async () => expect(other.volumes.get(ID, call())).rejects.toMatchObject(refusal("not-found")));
      const release = current.api.holdWatches();
      await current.volumes.patch(ID, { metadata: { finalizers: [] } });
      await current.volumes.create({ metadata: { name: ID }, spec: { name: "one", nodeName: "one", poolName: POOL, requiredBytes: 1, capabilities: [] } });
      await other.volumes.delete(ID, hasty()).catch(() => undefined);
      expect(await stored()).toBeUndefined();
      release();
    });

    test("a deletion does not end with the volume that its watch still shows, when another of its name is there by now", async () => {
      const { current } = stage;
      await stage.controller.create(wanted("one", { topology: at("one") }), call());
      const other = await current.startController();
      const release = current.api.holdWatches();
      await current.volumes.patch(ID, { metadata: { finalizers: [] } });
      await current.volumes.delete(ID);
      const spec = { name: "one", nodeName: "one", poolName: POOL, requiredBytes: 1, capabilities: [] };
      await current.volumes.create({ metadata: { name: ID, finalizers: [NODE_FINALIZER] }, spec });
      current.node("one").whenDeleting = "sleeps";
      const deletion = errorOf(other.volumes.delete(ID, call(500)));
      await eventually(async () => expect((await stored())?.metadata.deletionTimestamp).toBeDefined());
      release();
      expect(await deletion).toMatchObject(refusal("in-progress"));
      expect((await stored())?.metadata.finalizers).toEqual([NODE_FINALIZER]);
    });

    test("a deletion does not believe the watch that there is nothing", async () => {
      const { current } = stage;
      const other = await current.startController();
      const release = current.api.holdWatches();
      await current.volumes.create({ metadata: { name: ID }, spec: { name: "one", nodeName: "one", poolName: POOL, requiredBytes: 1, capabilities: [] } });
      await other.volumes.delete(ID, hasty()).catch(() => undefined);
      expect(await stored()).toBeUndefined();
      release();
    });

    test("who waits for an object does not take the next one of its name for it", async () => {
      const { current } = stage;
      current.node("one").script = "sleeps";
      const creation = stage.controller.create(wanted("one", { topology: at("one") }), call());
      creation.catch(() => undefined);
      await eventually(async () => expect(await stored()).toBeDefined());
      await current.settled();
      await current.volumes.delete(ID);
      await expect(creation).rejects.toMatchObject(refusal("in-progress"));
    });

    test("before the first lists are in, calls wait, and the controller says that it is not ready", async () => {
      const { current } = stage;
      const back = current.api.goAway();
      const controller = current.beginController();
      let isAnswered = false;
      const answered = controller.volumes.list({ maxEntries: 0, startingToken: "" }, call()).finally(() => (isAnswered = true));
      await current.settled();
      expect(isAnswered).toBe(false);
      expect(controller.health().abnormal).toBe(true);
      back();
      await answered;
      expect(controller.health().abnormal).toBe(false);
    });
  });

  describe("an unreachable API server", () => {
    test("is UNAVAILABLE, and the same call afterwards finds what may have been made", async () => {
      const { current } = stage;
      current.api.loseAnswer("create", "ThinVolume", 1);
      const error = await errorOf(stage.controller.create(wanted("one"), call()));
      expect(error).toMatchObject(refusal("api-unreachable"));
      expect(statusOf("CreateVolume", error)).toBe(status.UNAVAILABLE);
      expect((await stage.controller.create(wanted("one"), call())).record.id).toBe(ID);
      expect(current.api.stored(THIN_VOLUME).size).toBe(1);
    });

    test("during a withdrawal leaves what the next call withdraws", async () => {
      const { current } = stage;
      for (const name of ["one", "two"]) current.node(name).script = FULL;
      current.api.fail("delete", "ThinVolume", 1);
      await expect(stage.controller.create(wanted("one"), call())).rejects.toMatchObject(refusal("api-unreachable"));
      expect(await stored()).toBeDefined();
      for (const name of ["one", "two"]) current.node(name).script = "works";
      expect((await stage.controller.create(wanted("one"), call())).record.id).toBe(ID);
    });
  });

  test("a final failure removes the object first, and then is told as the node has told it", async () => {
    for (const name of ["one", "two"]) stage.current.node(name).script = FULL;
    const error = await errorOf(stage.controller.create(wanted("one"), call()));
    expect(error).toMatchObject({ facts: FULL.facts, message: FULL.message });
    expect(statusOf("CreateVolume", error)).toBe(status.RESOURCE_EXHAUSTED);
    expect(await stored()).toBeUndefined();
  });

  test("a caller's time that runs out is never told as INTERNAL", async () => {
    stage.current.node("one").script = "accepts";
    const controller = new AbortController();
    const creation = stage.controller.create(wanted("one", { topology: at("one") }), { signal: controller.signal, deadline: undefined, requestId: "r" });
    creation.catch(() => undefined);
    await eventually(async () => expect(await stored()).toBeDefined());
    controller.abort(new DmthinError({ code: "deadline", operation: "CreateVolume" }));
    const error = await errorOf(creation);
    expect(statusOf("CreateVolume", error)).toBe(status.DEADLINE_EXCEEDED);
  });
});
